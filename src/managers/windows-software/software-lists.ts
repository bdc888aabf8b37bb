import { FettleError } from '../../domain/error.ts';
import { isAt, numberAt, parseHostJson, rawTextAt, textAt, type HostObject } from '../contract/json.ts';
import type { SoftwarePackage } from './software-package.ts';

/** How the lists of one package manager read. */
export interface ListFormat {
  readonly name: string;
  /** Exit codes, unsigned, of lists that are whole. */
  readonly wholeLists: readonly number[];
  /** From what it prints of installed packages and of newer versions. */
  readonly read: (installed: string, outdated: string) => readonly SoftwarePackage[];
}

export interface SoftwareLists {
  readonly packages: readonly SoftwarePackage[];
  /** Why packages or updates may be missing; none where both lists are whole. */
  readonly warnings: readonly string[];
}

/**
 * The section of one package manager. Lists that could not be made are warnings, lists that are still being made are
 * `timeout`.
 */
export function readSoftwareLists(text: string, format: ListFormat): SoftwareLists {
  const record = parseHostJson(text, `lists of ${format.name}`);
  const phase = textAt(record, 'phase');
  switch (phase) {
    case 'done':
      return {
        packages: format.read(rawTextAt(record, 'installed'), rawTextAt(record, 'outdated')),
        warnings: [
          ...listWarning(record, format, { key: 'list', what: 'its list of installed software', output: 'installed' }),
          ...listWarning(record, format, { key: 'outdated', what: 'its list of newer versions', output: 'outdated' }),
        ],
      };
    case 'running':
      throw new FettleError('timeout', `${format.name} is still making its lists on it`, {
        hint: 'scan it again in some minutes: the lists are being made, and the next scan takes them',
      });
    default:
      return { packages: [], warnings: [`${format.name} could not be asked: ${whyOf(record, phase)}`] };
  }
}

function whyOf(record: HostObject, phase: string): string {
  const why = textAt(record, 'why');
  if (why !== '') return why;
  return phase === 'absent' ? 'it is not there any more' : 'it ended without an answer';
}

interface ListOf {
  readonly key: 'list' | 'outdated';
  readonly what: string;
  readonly output: string;
}

function listWarning(record: HostObject, { name, wholeLists }: ListFormat, { key, what, output }: ListOf): string[] {
  if (isAt(record, `${key}TimedOut`)) {
    const limit = numberAt(record, 'limit');
    return [`${name} did not finish ${what}${limit === undefined ? '' : ` within ${limit} s`}`];
  }
  const code = numberAt(record, `${key}Code`);
  if (code !== undefined && wholeLists.includes(code >>> 0)) return [];
  const detail = textAt(record, output).slice(0, 200);
  const status = code === undefined ? 'no status' : `status ${formatStatus(code)}`;
  return [`${name} could not make ${what} (${status})${detail === '' ? '' : `: ${detail}`}`];
}

/** Small ones as they are, HRESULTs as such. */
export function formatStatus(code: number): string {
  const unsigned = code >>> 0;
  return unsigned < 0x1_0000 ? String(unsigned) : `0x${unsigned.toString(16).toUpperCase()}`;
}
