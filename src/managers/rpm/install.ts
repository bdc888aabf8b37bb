import type { JobResult } from '../../domain/job.ts';
import type { UpdateResult } from '../../domain/outcome.ts';
import type { PlannedUpdate } from '../../domain/plan.ts';
import { packageKey } from '../../domain/update.ts';
import { judgeInstall } from '../contract/install-outcome.ts';
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
  const results = judgeInstall(planned, {
    installed: (item) => installed.get(packageKey(item)),
    attempted,
    compare: compareRpmVersions,
    messages: failingScripts(sections),
  });
  // A package whose scriptlet failed is in, and not set up.
  return results.map((item) =>
    item.state === 'installed' && item.message !== undefined ? { ...item, state: 'broken' } : item,
  );
}

/**
 * Lines that end with the name of the package: `Error in POSTIN scriptlet in rpm package NAME`. rpm goes on after most of
 * them, and the package is in.
 */
function failingScripts(sections: Sections): ReadonlyMap<string, string> {
  return new Map(
    linesOf(sections, 'rpm-failing').flatMap((line): [string, string][] => {
      const at = line.lastIndexOf(' ');
      return at < 0 ? [] : [[line.slice(at + 1), line.slice(0, 500)]];
    }),
  );
}
