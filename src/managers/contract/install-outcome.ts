import type { UpdateResult } from '../../domain/outcome.ts';
import type { PlannedUpdate } from '../../domain/plan.ts';
import type { InstalledPackage } from '../../domain/update.ts';
import { packageKey } from '../../domain/update.ts';

/** What an install is judged by, besides what was planned. */
export interface InstallEvidence {
  /** What the package database lists afterwards; undefined where it has no such package. */
  readonly installed: (item: PlannedUpdate) => InstalledPackage | undefined;
  /** What the job was sent. */
  readonly attempted: readonly PlannedUpdate[];
  /** Absent where versions have no order. */
  readonly compare?: (left: string, right: string) => number;
  /** Absent: equal as text. */
  readonly isSame?: (left: string, right: string) => boolean;
  /** What the package manager printed about a package, by its name. */
  readonly messages?: ReadonlyMap<string, string>;
}

/** The outcome of each planned update: by the package database, never by an exit code. */
export function judgeInstall(planned: readonly PlannedUpdate[], evidence: InstallEvidence): readonly UpdateResult[] {
  const tried = new Map(evidence.attempted.map((update) => [packageKey(update), update]));
  return planned.map((item): UpdateResult => {
    const { manager, name, arch, slot, from, to } = item;
    const now = evidence.installed(item);
    const message = evidence.messages?.get(name);
    return {
      ...{ manager, name, arch, ...(slot === undefined ? {} : { slot }), from, to, now: now?.version ?? null },
      ...(message === undefined ? {} : { message }),
      state: stateOf(item, now, tried.get(packageKey(item)), evidence),
    };
  });
}

function stateOf(
  { slot, from, to }: PlannedUpdate,
  now: InstalledPackage | undefined,
  update: PlannedUpdate | undefined,
  { compare, isSame = (left, right) => left === right }: InstallEvidence,
): UpdateResult['state'] {
  const missing = typeof update?.from === 'string' ? 'failed' : 'not-installed';
  if (now === undefined) return from === null || slot !== undefined ? missing : 'removed';
  if (now.state === 'broken') return 'broken';
  if (isSame(now.version, to)) return update === undefined ? 'already' : 'installed';
  const isAttempted = update !== undefined && isSame(now.version, update.to);
  const isSuperseded =
    compare === undefined ? isAttempted : compare(now.version, to) > 0 && (update === undefined || isAttempted);
  return isSuperseded ? 'superseded' : missing;
}
