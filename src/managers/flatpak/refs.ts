import { FettleError } from '../../domain/error.ts';
import { fewEnough, shortEnough } from '../../domain/limits.ts';
import type { PackageId } from '../../domain/update.ts';
import { linesIn } from '../contract/sections.ts';

/** One ref of flatpak (flatpak-metadata(5)) with its commit. */
export interface FlatpakRow {
  /** `app` or `runtime`; empty in the list of what is installed. */
  readonly kind: string;
  readonly name: string;
  readonly arch: string;
  readonly branch: string;
  /** What its publisher calls it; empty where there is none, as of most runtimes. */
  readonly version: string;
  /** The first twelve digits, as flatpak prints them. */
  readonly commit: string;
  readonly remote: string;
  readonly options: readonly string[];
  /** `NAME/ARCH/BRANCH` that an app runs on; empty for none. Of updates only, as is the size. */
  readonly runtime: string;
  /** Bytes at most; absent where the list has none. */
  readonly sizeBytes?: number;
}

/** A runtime may be there in several branches, which are packages of their own. */
export function flatpakId({ name, arch, branch }: Pick<FlatpakRow, 'name' | 'arch' | 'branch'>): PackageId {
  return { manager: 'flatpak', name, arch: `${arch}/${branch}` };
}

/**
 * What stands for a version in plans: `1.1 (be069cac8152)`, or the commit alone where its publisher names no version. The
 * commit is exact and all that requests name.
 */
export function versionOf({ version, commit }: Pick<FlatpakRow, 'version' | 'commit'>): string {
  return version === '' ? commit : `${version} (${commit})`;
}

/** The commit that such a version names; `config` where it names none. */
export function commitOf(version: string): string {
  const [, inside, alone] = /^(?:\S+ \(([0-9a-f]{12})\)|([0-9a-f]{12}))$/.exec(version) ?? [];
  const commit = inside ?? alone;
  if (commit !== undefined) return commit;
  throw new FettleError('config', `${JSON.stringify(version)} names no commit of flatpak`, {
    hint: 'a version of flatpak reads as in: 1.1 (be069cac8152)',
  });
}

/** Columns ref, version, active, origin, options. */
export function readInstalledRows(text: string): readonly FlatpakRow[] {
  return rowsOf(text, 'list of flatpaks', ([ref = '', version, commit, remote, options]) => ({
    ...refOf(`/${ref}`),
    ...common(version, commit, remote, options),
    runtime: '',
  }));
}

/** Columns ref, version, commit, origin, download size, runtime, options. */
export function readOfferedRows(text: string): readonly FlatpakRow[] {
  return rowsOf(
    text,
    'list of offered flatpaks',
    ([ref = '', version, commit, remote, size, runtime = '', options]) => {
      const sizeBytes = sizeOf(size);
      return {
        ...refOf(ref),
        ...common(version, commit, remote, options),
        runtime: shortEnough(runtime, 'runtime'),
        ...(sizeBytes === undefined ? {} : { sizeBytes }),
      };
    },
  );
}

const mostColumns = 7;
const refWords = /^(app|runtime|)\/([A-Za-z_][\w.-]*)\/([A-Za-z0-9_]+)\/([A-Za-z0-9_][\w.-]*)$/;

function rowsOf(text: string, what: string, toRow: (cells: readonly string[]) => FlatpakRow): readonly FlatpakRow[] {
  const rows: FlatpakRow[] = [];
  for (const line of linesIn(text, what)) {
    if (line === '') continue;
    const row = toRow(line.split('\t', mostColumns));
    if (row.name === '' || !/^[0-9a-f]{12}$/.test(row.commit)) {
      throw new FettleError('parse', `the ${what} cannot be parsed`, { details: { begins: line.slice(0, 100) } });
    }
    fewEnough(rows, 'flatpaks').push(row);
  }
  return fewEnough(rows, 'flatpaks');
}

function refOf(ref: string): Pick<FlatpakRow, 'kind' | 'name' | 'arch' | 'branch'> {
  const [, kind = '', name = '', arch = '', branch = ''] = refWords.exec(shortEnough(ref, 'ref')) ?? [];
  return { kind, name, arch, branch };
}

function common(version = '', commit = '', remote = '', options = '') {
  return {
    // A blank would make two words of it.
    version: shortEnough(version, 'version').trim().replace(/\s+/g, '-'),
    commit: commit.trim(),
    remote: shortEnough(remote, 'name of a remote'),
    options: options.split(',', mostOptions).filter(Boolean),
  };
}

const mostOptions = 20;
const units: Readonly<Record<string, number>> = { bytes: 1, byte: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

/** `334 bytes` or `1.5 MB`, with a no-break space: GLib's g_format_size(), which rounds, so that the next step is the most. */
function sizeOf(cell = ''): number | undefined {
  const [, whole = '', fraction = '', unit = ''] = /^(\d{1,4})(?:\.(\d))?[ \u00a0](bytes?|[kMGT]B)$/.exec(cell) ?? [];
  const factor = units[unit];
  if (factor === undefined) return undefined;
  if (factor === 1) return Number(whole);
  return Math.round((Number(`${whole}.${fraction || '0'}`) + 0.1) * factor);
}
