import { FettleError } from '../../domain/error.ts';
import { firstLine, linesOf, type Sections } from '../contract/sections.ts';

/** What the script itself could not do, as `phase`, `message` and other lines. */
export function refuseProblem(sections: Sections): void {
  const lines = linesOf(sections, 'problem');
  if (lines.length === 0) return;
  const word = (name: string): string =>
    lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? '';
  const phase = word('phase');
  const code = phase === 'admin' ? 'elevate' : phase === 'disk' ? 'disk' : 'command';
  const reason = word('message') || (firstLine(sections, 'problem') ?? '');
  throw new FettleError(code, `the host cannot be queried: ${reason}`, {
    ...(code === 'elevate' ? { hint: 'log in with an account of the Administrators group' } : {}),
    details: { phase, hresult: word('hresult') },
  });
}

/** Nothing can be done there without the rights of an administrator, which no elevation gives. */
export function noAdministrator(user = 'the account'): FettleError {
  return new FettleError('elevate', `${user} has no administrator rights, which a scan needs`, {
    hint:
      'log in with an account of the Administrators group; a local one besides the built-in one also needs ' +
      'LocalAccountTokenFilterPolicy=1 (in HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System)',
  });
}
