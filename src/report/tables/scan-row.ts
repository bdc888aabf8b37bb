// A scan in the few words a fleet's table has room for. Small: scans themselves are not kept.
import { plural } from '../../base/text.ts';
import { gapsOf } from '../../domain/scan.ts';
import type { HostScan } from '../../domain/scan.ts';
import { countPending, type HeldBack, type Update } from '../../domain/update.ts';

interface ScanUpdateRow {
  readonly manager: string;
  readonly name: string;
  readonly arch: string;
  readonly from: string;
  readonly to: string;
  readonly class: Update['class'];
  readonly heldBack?: string;
}

export type ScanRow =
  | {
      readonly host: string;
      readonly state: 'scanned';
      readonly osName: string;
      readonly kernel: string;
      readonly security: number;
      readonly other: number;
      readonly heldBack: number;
      readonly securityKnown: boolean;
      readonly isStale: boolean;
      /** Updates may be missing from the answer; `problems` say why. */
      readonly isIncomplete: boolean;
      readonly metadataFetchedMs?: number;
      readonly reboot: 'yes' | 'no' | 'unknown';
      readonly rebootReasons: readonly string[];
      readonly broken: number;
      readonly problems: readonly string[];
      readonly updates: readonly ScanUpdateRow[];
    }
  | { readonly host: string; readonly state: 'failed'; readonly problem: ReportedError };

/** An error as tables and JSON show it; a `FettleError` is one. */
export interface ReportedError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** What a look at a host brought; the engine's results are of this shape. */
export type HostAnswer =
  | { readonly host: { readonly name: string }; readonly scan: HostScan }
  | { readonly host: { readonly name: string }; readonly error: ReportedError };

export function scanRow(answer: HostAnswer): ScanRow {
  const host = answer.host.name;
  if (!('scan' in answer)) {
    const { code, message, hint } = answer.error;
    return { host, state: 'failed', problem: { code, message, ...(hint === undefined ? {} : { hint }) } };
  }
  const { scan } = answer;
  const { metadata, reboot } = scan;
  const { fetchedMs } = metadata;
  return {
    host,
    state: 'scanned',
    osName: scan.facts.osName,
    kernel: scan.facts.kernel,
    ...countPending(scan.updates),
    securityKnown: scan.securityKnown,
    isStale: metadata.isStale,
    isIncomplete: gapsOf(scan).length > 0,
    ...(fetchedMs === undefined ? {} : { metadataFetchedMs: fetchedMs }),
    reboot: reboot.needed,
    rebootReasons: reboot.reasons,
    broken: scan.broken.length,
    problems: problemsOf(scan),
    updates: scan.updates.map(updateRow),
  };
}

/**
 * Rows of a fleet that share what hosts have in common: they await the same updates. Their text is their own, because a
 * piece of a string keeps the whole answer of its host alive.
 */
export function sharedRows(): (answer: HostAnswer) => ScanRow {
  const known = new Map<string, ScanUpdateRow>();
  const share = (update: ScanUpdateRow): ScanUpdateRow => {
    const key = JSON.stringify(update);
    const shared = known.get(key) ?? structuredClone(update);
    known.set(key, shared);
    return shared;
  };
  return (answer) => {
    const row = scanRow(answer);
    if (row.state === 'failed') return structuredClone(row);
    return { ...structuredClone({ ...row, updates: [] }), updates: row.updates.map(share) };
  };
}

function updateRow({ manager, name, arch, from, to, class: kind, heldBack }: Update): ScanUpdateRow {
  const row = { manager, name, arch, from, to, class: kind };
  return heldBack === undefined ? row : { ...row, heldBack: heldBackText(heldBack) };
}

function heldBackText(heldBack: HeldBack): string {
  switch (heldBack.kind) {
    case 'held':
      return 'held';
    case 'phased':
      return heldBack.percent === undefined ? 'phased' : `phased ${heldBack.percent}%`;
    case 'needs-new':
      return `needs new ${heldBack.packages.join(', ')}`;
    case 'needs-removal':
      return `would remove ${heldBack.packages.join(', ')}`;
    case 'pinned':
      return 'pinned';
    case 'downgrade':
      return 'asked to go back by preferences';
    case 'excluded':
      return heldBack.reason;
    case 'unknown':
      return 'kept back';
  }
}

function problemsOf(scan: HostScan): string[] {
  const repositories = scan.metadata.repositories.flatMap(({ name, problem }) =>
    problem === undefined ? [] : [`${name}: ${problem}`],
  );
  return [...new Set([...scan.problems.map((problem) => problem.message), ...repositories])];
}

/** `2 security, 5 other, 1 held back; reboot needed; metadata stale` */
export function scanPhrase(scan: HostScan): string {
  const { security, other, heldBack } = countPending(scan.updates);
  const parts = [
    `${scan.securityKnown ? security : 'unknown'} security, ${other} other`,
    ...(heldBack === 0 ? [] : [`${heldBack} held back`]),
  ];
  const more = [
    ...(scan.reboot.needed === 'yes' ? ['reboot needed'] : []),
    ...(scan.metadata.isStale ? ['package metadata is stale'] : []),
    ...(gapsOf(scan).length > 0 ? ['updates may be missing from this list'] : []),
    ...(scan.broken.length === 0 ? [] : [`${plural(scan.broken.length, 'package')} broken`]),
  ];
  return [parts.join(', '), ...more].join('; ');
}
