import { excludedSoftware } from '../contract/software.ts';
import type { ScanProblem } from '../../domain/scan.ts';
import type { HeldBack } from '../../domain/held-back.ts';
import { packageKey, type InstalledPackage, type Update } from '../../domain/update.ts';
import { readAnswer } from '../contract/answer.ts';
import type { PackageScan, ScanMoment } from '../contract/package-manager.ts';
import { linesOf, required, type Sections } from '../contract/sections.ts';
import { readTable, type SnapRow } from './tables.ts';
import { versionOf } from './version.ts';

export const snapId = (name: string) => ({ manager: 'snap', name, arch: '' });

/** The snaps that are installed; none where snapd did not answer. */
export function readInstalledSnaps(sections: Sections): readonly SnapRow[] {
  const { exitCode } = readAnswer(sections, 'snap-installed', 'its client');
  return exitCode === 0 ? readTable(required(sections, 'snap-installed'), 'list of snaps') : [];
}

export function readInstalled(sections: Sections): readonly InstalledPackage[] {
  const isAutomatic = !linesOf(sections, 'snap-times').some((line) => line.trim() === 'hold: forever');
  return readInstalledSnaps(sections).map((row) => toPackage(row, isAutomatic));
}

export function readScan(sections: Sections, { facts }: Pick<ScanMoment, 'facts'>): PackageScan {
  const installed = new Map(readInstalledSnaps(sections).map((row) => [row.name, row]));
  const pending = readPending(sections);
  const updates = pending.rows.flatMap((row): Update[] => {
    const current = installed.get(row.name);
    // Removed or refreshed between the two lists.
    if (current === undefined || current.revision === row.revision) return [];
    return [toUpdate(current, row, facts.osId === 'ubuntu-core')];
  });
  return {
    packages: readInstalled(sections),
    updates: updates.toSorted((left, right) => (packageKey(left) < packageKey(right) ? -1 : 1)),
    problems: pending.problem === undefined ? [] : [pending.problem],
  };
}

interface Pending {
  readonly rows: readonly SnapRow[];
  /** Why they are not known. */
  readonly problem?: ScanProblem;
}

/** What the client prints to standard error where nothing is pending: the only proof that snapd reached its store. */
const nothingPending = 'All snaps up to date.';

/** What snapd would refresh. No answer never means no updates. */
export function readPending(sections: Sections): Pending {
  const list = readAnswer(sections, 'snap-installed', 'its client');
  if (list.exitCode !== 0) return unknown(`snapd does not answer: ${list.words}`);
  const { exitCode, words } = readAnswer(sections, 'snap-pending', 'its client');
  if (exitCode !== 0) return unknown(`snapd cannot query its store: ${words}`);
  const rows = readTable(required(sections, 'snap-pending'), 'list of pending snaps');
  if (rows.length > 0 || words.includes(nothingPending)) return { rows };
  return unknown(`snapd lists no updates and does not report that there are none: ${words}`);
}

function unknown(message: string): Pending {
  return { rows: [], problem: { code: 'snap', message, isIncomplete: true } };
}

/** Snaps that snapd never refreshes by itself, by the notes of `snap list`. */
const unrefreshed = ['devmode', 'try', 'disabled'];

function toPackage(row: SnapRow, isAutomatic: boolean): InstalledPackage {
  const { name, version, revision, notes } = row;
  const isRefreshed = isAutomatic && !revision.startsWith('x') && !notes.some((note) => unrefreshed.includes(note));
  return {
    ...snapId(name),
    version: versionOf(row),
    ...(notes.includes('broken') ? { state: 'broken', stateDetail: 'broken' } : { state: 'installed' }),
    ...(notes.includes('held') ? { isHeld: true } : {}),
    source: name,
    sourceVersion: version,
    ...(isRefreshed ? { unattended: 'changes' } : {}),
  };
}

function toUpdate(current: SnapRow, row: SnapRow, isCore: boolean): Update {
  const heldBack = heldBackOf(current, row, isCore);
  return {
    ...snapId(row.name),
    from: versionOf(current),
    to: versionOf(row),
    origins: originsOf(current, row),
    class: 'unknown',
    heldBack,
    isKernel: row.notes.some((note) => note === 'kernel' || note === 'gadget'),
    ...(row.sizeBytes === undefined ? {} : { sizeBytes: row.sizeBytes }),
  };
}

/** Parts of an Ubuntu Core system, by the notes of `snap list`. */
const systemNotes = ['kernel', 'gadget', 'base', 'core', 'snapd'];

/** snapd itself would install what is held where it is named. */
function heldBackOf(current: SnapRow, { notes }: SnapRow, isCore: boolean): HeldBack {
  if (current.notes.includes('held')) return { kind: 'held' };
  if (!isCore || !notes.some((note) => systemNotes.includes(note))) return excludedSoftware('snap');
  return { kind: 'excluded', reason: 'snapd reboots Ubuntu Core by itself for it', unless: 'name' };
}

/** `mozilla:latest/stable`: who publishes it, and the channel that it follows. */
export function originsOf(current: SnapRow, { publisher }: SnapRow): readonly string[] {
  return [[publisher, current.tracking].filter(Boolean).join(':')].filter(Boolean);
}
