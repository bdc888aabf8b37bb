import { randomBytes } from 'node:crypto';
import { FettleError } from '../domain/error.ts';
import type { ExecResult, Session } from '../transport/session.ts';
import type { RemoteScript, ScriptOptions, ScriptRequest } from './script.ts';

/**
 * The same for every host and every script: one request line, then the script, both on standard input. `sh -s` would
 * read ahead and run the data; the script's text is kept so that a job can leave it for its runner.
 */
export const launcher = `sh -c 'IFS= read -r FETTLE_REQUEST; FETTLE_SCRIPT=$(cat); eval "$FETTLE_SCRIPT"'`;

const word = /^[A-Za-z0-9.+~:_@/-]*$/;

/** One line in the alphabet that the scripts accept; other characters are refused here already. */
export function encodeRequest(request: ScriptRequest, mark: string): string {
  const fields = Object.entries(request.fields ?? {}).map(([name, value]) => `${name}=${checked(String(value), true)}`);
  const rows = (request.rows ?? []).map((row) => row.map((cell) => checked(cell, false)).join(','));
  return ['v1', mark, checked(request.verb, false), ...fields, '--', ...rows].join(' ');
}

/** Any bytes as three octal digits each: what `printf %b` of every POSIX shell reads. */
export function toOctal(text: string): string {
  return Array.from(Buffer.from(text), (byte) => byte.toString(8).padStart(3, '0')).join('');
}

function checked(value: string, mayList: boolean): string {
  if (word.test(mayList ? value.replaceAll(',', '') : value)) return value;
  throw new FettleError('config', `${JSON.stringify(value)} has characters that no package, version or name has`, {
    hint: 'letters, digits and . + ~ : _ @ / - are what package managers use',
  });
}

export async function runScript(
  session: Session,
  script: RemoteScript,
  request: ScriptRequest,
  options: ScriptOptions = {},
): Promise<ExecResult> {
  const mark = randomBytes(8).toString('hex');
  const result = await session.exec({
    command: launcher,
    stdin: `${encodeRequest(request, mark)}\n${script.text}`,
    ...options,
  });
  if (result.exitCode === 0) return result;
  const said = result.stderr.toString('utf8').trim().split('\n').at(-1) ?? '';
  throw new FettleError(
    'command',
    `the ${script.name} script ended with status ${result.exitCode ?? 'none'}: ${said}`,
    {
      hint: 'its shell must be a POSIX sh; look at the login banner and the profile of the account',
      details: { exitCode: result.exitCode, stderr: said.slice(0, 400) },
    },
  );
}
