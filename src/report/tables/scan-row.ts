// A scan as a row of the fleet's table. Small: scans themselves are not kept.
import { plural } from '../../base/text.ts';
import type { HostScan } from '../../domain/scan.ts';
import { scanStatus, type ScanStatus } from '../../domain/scan-status.ts';
import { heldBackText } from '../../domain/held-back.ts';
import type { Update } from '../../domain/update.ts';

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
  | (ScanStatus & {
      readonly host: string;
      readonly state: 'scanned';
      readonly updates: readonly ScanUpdateRow[];
    })
  | { readonly host: string; readonly state: 'failed'; readonly problem: ReportedError };

/** An error as tables and JSON show it; a `FettleError` is one. */
export interface ReportedError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** The result of scanning a host, as the engine returns it. */
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
  return { host, state: 'scanned', ...scanStatus(scan), updates: scan.updates.map(updateRow) };
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

/** `2 security, 5 other, 1 held back; reboot needed; metadata stale` */
export function scanPhrase(scan: HostScan): string {
  const { security, other, heldBack, securityKnown, rebootNeeded, isStale, isIncomplete, broken } = scanStatus(scan);
  const parts = [
    `${securityKnown ? security : 'unknown'} security, ${other} other`,
    ...(heldBack === 0 ? [] : [`${heldBack} held back`]),
  ];
  const more = [
    ...(rebootNeeded === 'yes' ? ['reboot needed'] : []),
    ...(isStale ? ['package metadata is stale'] : []),
    ...(isIncomplete ? ['updates may be missing from this list'] : []),
    ...(broken === 0 ? [] : [`${plural(broken, 'package')} broken`]),
  ];
  return [parts.join(', '), ...more].join('; ');
}
