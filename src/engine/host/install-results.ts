// What became of each planned update, as far as it is known while a host is worked on.
import type { Superseded } from '../../domain/drift.ts';
import { updateStates, type Change, type UpdateResult, type UpdateState } from '../../domain/outcome.ts';
import type { PlannedUpdate } from '../../domain/plan.ts';
import type { HostScan } from '../../domain/scan.ts';
import { findPackage, packageKey, type PackageId } from '../../domain/update.ts';
import type { HostWork } from './host-state.ts';

/** In place of what was known of this package manager's updates. */
export function addResults(work: HostWork, manager: string, results: readonly UpdateResult[]): void {
  const others = work.results.filter((result) => result.manager !== manager);
  work.results = [...others, ...withAlready(work, manager, asPlanned(work, results))];
}

/** Planned updates that no job has to do with: there already, replaced, or skipped on purpose. */
export function settledResults(work: HostWork, updates: readonly PlannedUpdate[]): readonly UpdateResult[] {
  return updates.map((update): UpdateResult => {
    const pair = work.superseded.find(({ planned }) => packageKey(planned) === packageKey(update));
    if (pair !== undefined) return { ...resultOf(update, 'already', pair.successor.to), ...inPlace(pair) };
    if (!isSkipped(work, update)) return resultOf(update, 'already', update.to);
    return resultOf(update, 'not-installed', installedVersion(work, update));
  });
}

/** What was there at the planned version before this attempt counts as done and is reported as `already`. */
function withAlready(work: HostWork, manager: string, results: readonly UpdateResult[]): readonly UpdateResult[] {
  const known = new Set([...results, ...work.toInstall].map(packageKey));
  const left = work.hostPlan.updates.filter((update) => update.manager === manager && !known.has(packageKey(update)));
  return [...results, ...settledResults(work, left)];
}

/** Results of successors under the names of the plan. */
function asPlanned(work: HostWork, results: readonly UpdateResult[]): readonly UpdateResult[] {
  const pairs = new Map(work.superseded.map((pair) => [packageKey(pair.successor), pair]));
  return results.map((result) => {
    const pair = pairs.get(packageKey(result));
    if (pair === undefined) return result;
    const state = updateStates[result.state].isAsPlanned ? 'superseded' : result.state;
    return { ...inPlace(pair), ...result, ...resultOf(pair.planned, state, result.now) };
  });
}

function inPlace({ successor }: Superseded): { readonly message: string } {
  return { message: `${successor.name} ${successor.to} in its place` };
}

export function resultOf(update: PlannedUpdate, state: UpdateState, now: string | null): UpdateResult {
  const { manager, name, arch, slot, from, to } = update;
  return { manager, name, arch, ...(slot === undefined ? {} : { slot }), from, to, now, state };
}

/** Reads one planned update from the host's package list, as far as a list shows. */
export function resultFromScan(update: PlannedUpdate, scan: HostScan): UpdateResult {
  const key = packageKey(update);
  const found = findPackage(scan.packages, key);
  const isBroken = findPackage(scan.broken, key) !== undefined;
  const { from, to } = update;
  const now = found?.version ?? null;
  const state: UpdateState = isBroken
    ? 'broken'
    : now === to
      ? 'installed'
      : now === null
        ? 'removed'
        : 'not-installed';
  // Without a version before it was new, or one of Windows Update's; with a slot it stands beside what was there.
  const wasThere = from !== null && from !== '' && update.slot === undefined;
  return resultOf(update, state === 'removed' && !wasThere ? 'not-installed' : state, now);
}

export function installedVersion(work: HostWork, update: PlannedUpdate): string | null {
  return findPackage(work.before?.packages ?? [], packageKey(update))?.version ?? null;
}

function isSkipped(work: HostWork, item: PackageId): boolean {
  return work.skipped.includes(packageKey(item));
}

/** The results the host is held to: without what was skipped on purpose. */
export function countedResults(work: HostWork): UpdateResult[] {
  return work.results.filter((result) => !isSkipped(work, result));
}

/** `manager`: of its updates alone. */
export function unfinished(work: HostWork, manager?: string): UpdateResult[] {
  return countedResults(work).filter(
    (result) => !updateStates[result.state].isGood && (manager === undefined || result.manager === manager),
  );
}

/** Another package manager has changed the host in this attempt: its restart and its verification are due. */
export function hasChanged({ results }: HostWork): boolean {
  return results.some(({ state }) => updateStates[state].isChanged);
}

export function changeOf(results: readonly UpdateResult[], whenNothing: Change): Change {
  const changed = results.filter((result) => updateStates[result.state].isChanged);
  const failed = results.filter((result) => !updateStates[result.state].isGood);
  if (failed.length > 0) return changed.length > 0 ? 'partial' : 'none';
  if (changed.length > 0) return 'installed';
  return results.length > 0 ? 'none' : whenNothing;
}

export function describeUnfinished(bad: readonly UpdateResult[]): string {
  const shown = bad.slice(0, 3).map((item) => {
    const version = item.now === null ? 'not installed' : `at ${item.now}`;
    return `${item.name} is ${version} (${item.message ?? item.state})`;
  });
  const more = bad.length > 3 ? ` and ${bad.length - 3} more` : '';
  return `not all updates were installed: ${shown.join(', ')}${more}`;
}
