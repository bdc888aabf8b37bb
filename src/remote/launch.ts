import { randomBytes } from 'node:crypto';
import { FettleError } from '../domain/error.ts';
import type { ExecResult, Session } from '../transport/session.ts';
import { findFrame, unreadable } from './frame.ts';
import { runPowerShell } from './powershell.ts';
import { defaultLimit } from './script.ts';
import type { RemoteScript, ScriptOptions, ScriptRequest } from './script.ts';
import { inPowerShell } from './scripts.ts';

/** Where the programs of a POSIX system are; no account chooses another for what runs as root. */
export const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** What scripts have a use for of the account's environment; each checks it. */
const kept = ['HOME', 'XDG_STATE_HOME', 'TMPDIR', 'http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy']
  .map((name) => `\${${name}+"${name}=$${name}"}`)
  .join(' ');

/**
 * The same for every host and every script: one request line, then the script, both on standard input. `sh -s` would
 * read ahead and run the data; the script's text is kept so that a job can leave it for its runner. Nothing else of the
 * account's environment gets in: su(1) keeps it, and PATH, APT_CONFIG or PERL5LIB would decide what root runs.
 */
export const launcher = `/bin/sh -c 'exec /usr/bin/env -i PATH=${systemPath} ${kept} sh -c "IFS= read -r FETTLE_REQUEST; FETTLE_SCRIPT=\\$(cat); eval \\"\\$FETTLE_SCRIPT\\""'`;

const word = /^[A-Za-z0-9.+~:_@/-]*$/;
const fieldName = /^[a-z][a-z_]*$/;
const verbName = /^[a-z][a-z-]*$/;

/** One line in the alphabet that the scripts accept. Cells of rows may hold any bytes; fields that do not fit are refused. */
export function encodeRequest(request: ScriptRequest, mark: string): string {
  const { managers = [] } = request;
  const given: Readonly<Record<string, string | number>> = {
    ...request.fields,
    ...(managers.length === 0 ? {} : { managers: managers.join(',') }),
  };
  const fields = Object.entries(given).map(([name, value]) => {
    if (!fieldName.test(name)) throw unencodable(name);
    return `${name}=${checked(String(value))}`;
  });
  if (!verbName.test(request.verb)) throw unencodable(request.verb);
  const rows = (request.rows ?? []).map((row) => {
    const encoded = row.map(escaped).join(',');
    // An empty row, or the word that ends the fields, would be read as something else.
    if (encoded === '' || encoded === '--') throw unencodable(encoded);
    return encoded;
  });
  return ['v1', mark, request.verb, ...fields, '--', ...rows].join(' ');
}

/** Any bytes as three octal digits each: what `printf %b` of every POSIX shell reads. */
export function toOctal(text: string): string {
  return Array.from(Buffer.from(text), (byte) => byte.toString(8).padStart(3, '0')).join('');
}

/** Bytes outside the alphabet of requests as `=` and three octal digits; each script checks its own alphabet. */
function escaped(cell: string): string {
  return cell.replace(/[^A-Za-z0-9.+~:_@/-]+/g, (text) => toOctal(text).replace(/.{3}/g, '=$&'));
}

function checked(value: string): string {
  if (word.test(value.replaceAll(',', ''))) return value;
  throw unencodable(value);
}

function unencodable(value: string): FettleError {
  return new FettleError(
    'config',
    `${JSON.stringify(value)} has characters that are not allowed in packages, versions and names`,
    {
      hint: 'allowed are letters, digits and . + ~ : _ @ / -',
    },
  );
}

/**
 * Runs a script over an open session. The answer's `stdout` begins with the frame that carries this request's own mark;
 * what was printed before it is cut off. An answer without it is `parse`, a failing script `command`.
 */
export async function runScript(
  session: Session,
  script: RemoteScript,
  request: ScriptRequest,
  options: ScriptOptions = defaultLimit,
): Promise<ExecResult> {
  const mark = randomBytes(8).toString('hex');
  const line = encodeRequest(request, mark);
  if (session.shell === 'powershell') {
    return runPowerShell(session, inPowerShell(script, request), { mark, line }, options);
  }
  const result = await session.exec({
    command: launcher,
    stdin: `${line}\n${script.text}`,
    ...options,
  });
  if (result.exitCode === 0) {
    const begins = findFrame(result.stdout, mark);
    if (begins < 0) throw unreadable('no FETTLE frame found', result.stdout);
    return { ...result, stdout: result.stdout.subarray(begins) };
  }
  const lastLine = printable(result.stderr.toString('utf8').trim().split('\n').at(-1) ?? '').slice(0, 400);
  throw new FettleError(
    'command',
    `the ${script.name} script ended with status ${result.exitCode ?? 'none'}: ${lastLine}`,
    {
      hint: 'its shell must be a POSIX sh; check the login banner and the profile of the account',
      details: { exitCode: result.exitCode, stderr: lastLine },
    },
  );
}

function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\ufffd');
}
