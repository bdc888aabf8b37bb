import type { JobResult } from '../../domain/job.ts';
import type { UpdateResult } from '../../domain/outcome.ts';
import type { PlannedUpdate } from '../../domain/plan.ts';
import { packageKey } from '../../domain/update.ts';
import { linesOf, type Sections } from '../contract/sections.ts';
import { compareRpmVersions } from '../versions/rpm.ts';
import { readInstalled } from './installed.ts';

/** The outcome of each planned update, by what rpm's database says. */
export function readInstall(
  manager: string,
  result: JobResult,
  planned: readonly PlannedUpdate[],
  attempted: readonly PlannedUpdate[],
): readonly UpdateResult[] {
  const sections = new Map(Object.entries(result.sections));
  const installed = new Map(readInstalled(manager, sections).map((item) => [packageKey(item), item]));
  const tried = new Map(attempted.map((update) => [packageKey(update), update]));
  const failing = failingScripts(sections);
  return planned.map((item): UpdateResult => {
    const { name, arch, slot, from, to } = item;
    const update = tried.get(packageKey(item));
    const now = installed.get(packageKey(item));
    const message = failing.get(name);
    const base = {
      ...{ manager, name, arch, ...(slot === undefined ? {} : { slot }), from, to, now: now?.version ?? null },
      ...(message === undefined ? {} : { message }),
    };
    if (now === undefined) return { ...base, state: from === null || slot !== undefined ? missing(update) : 'removed' };
    if (now.state === 'broken') return { ...base, state: 'broken' };
    if (now.version === to && update === undefined) return { ...base, state: 'already' };
    if (now.version === to) return { ...base, state: message === undefined ? 'installed' : 'broken' };
    const isAhead = compareRpmVersions(now.version, to) > 0;
    if (isAhead && (update === undefined || now.version === update.to)) return { ...base, state: 'superseded' };
    return { ...base, state: missing(update) };
  });
}

function missing(update: PlannedUpdate | undefined): 'failed' | 'not-installed' {
  return typeof update?.from === 'string' ? 'failed' : 'not-installed';
}

/** Lines that end with the name of the package: `Error in POSTIN scriptlet in rpm package NAME`: rpm goes on after most of them, and the package is in. */
function failingScripts(sections: Sections): ReadonlyMap<string, string> {
  return new Map(
    linesOf(sections, 'rpm-failing').flatMap((line): [string, string][] => {
      const at = line.lastIndexOf(' ');
      return at < 0 ? [] : [[line.slice(at + 1), line.slice(0, 500)]];
    }),
  );
}
