import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { recordOf } from '../base/record.ts';
import { FettleError } from '../domain/error.ts';
import type { ExecResult, Session } from '../transport/session.ts';
import { decodeClixml } from './clixml.ts';
import { findFrame, parseFrame, unreadable } from './frame.ts';
import { defaultLimit } from './script.ts';
import type { RemoteScript, ScriptOptions } from './script.ts';

/** A request as `encodeRequest` makes it, with the mark that is in it. */
export interface EncodedRequest {
  readonly mark: string;
  readonly line: string;
}

/** A profile could print or hang, a policy refuse. */
export const switches = '-NoProfile -NonInteractive -ExecutionPolicy Bypass';
const noMatch = 'the answer does not belong to this request';

/**
 * WinRS hands its command line to cmd, which expands the absolute path, so that a damaged PATH does not matter. Over
 * SSH the default shell may be cmd or any PowerShell; only the plain name is a command in each.
 */
export function powershellProgram(session: Pick<Session, 'transport'>): string {
  return session.transport === 'ssh'
    ? 'powershell.exe'
    : '%SystemRoot%\\System32\\WindowsPowerShell\\v1.0\\powershell.exe';
}

/** Base64 of UTF-16LE, as `-EncodedCommand` wants it. */
function encodeCommand(text: string): string {
  return Buffer.from(stripped(text), 'utf16le').toString('base64');
}

/** Without lines of comment and indentation. */
export function stripped(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#')).join('\n');
}

let bootstrap: string | undefined;

/** What every command line of a script decodes to: always the same, so that an administrator can allow it by its hash. */
export function bootstrapText(): string {
  bootstrap ??= stripped(readFileSync(new URL('windows/bootstrap.ps1', import.meta.url), 'utf8'));
  return bootstrap;
}

/** The same for every script: cmd gets letters, digits and `+/=` only, below its limit of 8191 characters. */
export function bootstrapCommand(session: Pick<Session, 'transport'>): string {
  return `${powershellProgram(session)} ${switches} -EncodedCommand ${encodeCommand(bootstrapText())}`;
}

/** Request and script as one packed and hashed payload; all of it ASCII, whatever code page the host has. */
export function encodePayload(script: RemoteScript, { mark, line }: EncodedRequest): string {
  const payload = Buffer.from(`${line}\n${script.text}`);
  return `v1 ${mark} ${sha256(payload)}\n${gzipSync(payload).toString('base64')}\n`;
}

/**
 * Runs a PowerShell script over an open session; `stdout` of the answer is the script's frame. A host that cannot run
 * it is `config`, one that lacks the rights `elevate`, a failing script `command`, an answer that did not arrive whole
 * `parse`.
 */
export async function runPowerShell(
  session: Session,
  script: RemoteScript,
  request: EncodedRequest,
  options: ScriptOptions = defaultLimit,
): Promise<ExecResult> {
  const result = await session.exec({
    command: bootstrapCommand(session),
    stdin: encodePayload(script, request),
    ...options,
  });
  const frame = answerOf(script, result, request.mark);
  const problem = parseFrame(frame).get('problem');
  if (problem !== undefined) throw problemError(script, problem);
  if (findFrame(frame, request.mark) !== 0) throw unreadable(noMatch, frame);
  return { ...result, stdout: frame, stderr: Buffer.from(decodeClixml(result.stderr.toString('utf8'))), exitCode: 0 };
}

function answerOf(script: RemoteScript, result: ExecResult, mark: string): Buffer {
  try {
    const frame = decodeAnswer(result.stdout, mark);
    if (frame !== undefined) return frame;
  } catch (error) {
    if (result.hasGap !== true) throw error;
  }
  throw result.hasGap === true ? lostOutput(`the ${script.name} script`) : noAnswer(script, result);
}

const sentinel = /<<FETTLE:([a-z0-9]{1,32}):(\d{1,9}):([0-9a-f]{64}):/g;

/** The bytes between the sentinels; undefined where there are none. What is cut off or altered is `parse`. */
export function decodeAnswer(stdout: Buffer, mark: string): Buffer | undefined {
  const text = stdout.toString('latin1');
  for (const match of text.matchAll(sentinel)) {
    const [whole, found, length, digest] = match;
    // An early failure does not know the mark of the request yet.
    if (found !== mark && found !== '0') continue;
    const start = match.index + whole.length;
    const end = text.indexOf('>>', start);
    if (end < 0) throw unreadable('it is truncated', stdout);
    const answer = Buffer.from(text.slice(start, end), 'base64');
    if (answer.length !== Number(length) || sha256(answer) !== digest) throw unreadable('it was altered', stdout);
    return answer;
  }
  return undefined;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * NTSTATUS of processes at a shutdown or without memory: DBG_TERMINATE_PROCESS, STATUS_CONTROL_C_EXIT,
 * STATUS_DLL_INIT_FAILED, STATUS_NO_MEMORY, STATUS_COMMITMENT_LIMIT.
 */
const endedByHost: ReadonlySet<number> = new Set([0x4001_0004, 0xc000_013a, 0xc000_0142, 0xc000_0017, 0xc000_012d]);
/** HRESULT of ERROR_SHUTDOWN_IN_PROGRESS. */
const isGoingDown = '0x8007045B';

function noAnswer(script: RemoteScript, result: ExecResult): FettleError {
  const [, what, found = ''] =
    /<<FETTLE-CANNOT:(language|version):([\w.]{1,40})>>/.exec(result.stdout.toString('latin1')) ?? [];
  if (what === 'language') {
    return new FettleError(
      'config',
      `the host runs PowerShell in ${found} mode, in which the scripts of fettle cannot run`,
      {
        hint: 'application control (AppLocker or WDAC) causes this: allow the account, or exclude the host',
        details: { languageMode: found },
      },
    );
  }
  if (what === 'version') {
    return new FettleError('config', `the host has PowerShell ${found}, which is too old`, {
      hint: 'fettle needs 5.1: install Windows Management Framework 5.1, or exclude the host',
      details: { version: found },
    });
  }
  if (result.exitCode !== null && endedByHost.has(result.exitCode >>> 0)) {
    return new FettleError('lost', `the host ended the ${script.name} script: it is going down, or out of memory`);
  }
  const errors = printable(decodeClixml(result.stderr.toString('utf8'))).slice(0, 400);
  return new FettleError(
    'command',
    `the ${script.name} script ended with status ${result.exitCode ?? 'none'} and no answer: ${errors}`,
    {
      hint: 'powershell.exe of Windows PowerShell 5.1 must exist and start for this account; check whether a policy blocks it',
      details: { exitCode: result.exitCode, stderr: errors },
    },
  );
}

/** @returns `lost`: it ended, and not all of its output arrived. */
export function lostOutput(what: string): FettleError {
  return new FettleError('lost', `the connection was lost while ${what} ran, together with a part of its output`, {
    hint: 'it ended on the host; run the command again',
  });
}

/** More than a script prints at its end. */
const longestProblem = 16 * 1024;

/** Ends of scripts that have an error of their own, by the phase that the host reports. */
function problemError(script: RemoteScript, text: string): FettleError {
  const facts = recordOf(
    text
      .slice(0, longestProblem)
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)] as const),
  );
  const { phase = '', message = '', id = '', hresult = '' } = facts;
  const details = { ...facts };
  if (hresult === isGoingDown) return new FettleError('lost', 'the host is shutting down', { details });
  switch (phase) {
    case 'admin':
      return new FettleError('elevate', message, {
        hint: 'it must be in Administrators; a local account other than the built-in one also needs LocalAccountTokenFilterPolicy=1 (in HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System)',
        details,
      });
    case 'read':
      return new FettleError('parse', `the ${script.name} script could not be read on the host: ${message}`, {
        details,
      });
    case 'bad-request':
      return new FettleError('command', `the host refuses the request: ${message}`, { details });
    case 'disk':
      return new FettleError('disk', message, {
        hint: 'free space on that disk; if there is enough, check the owner of the job directory',
        details,
      });
    default:
      return new FettleError('command', `the ${script.name} script failed on the host: ${message}`, {
        hint: id.includes('ScriptContainedMaliciousContent')
          ? 'the antivirus of the host blocks it: allow PowerShell started by this account'
          : 'the details contain the position',
        details,
      });
  }
}

function printable(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/\p{Cc}/gu, '\ufffd')
    .trim();
}
