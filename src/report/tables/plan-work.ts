// Hosts of a plan folded by equal work.
import { compareHostNames } from '../../base/host-names.ts';
import type { HostPlan, LeftOut, PlannedUpdate } from '../../domain/plan.ts';

export interface WorkGroup {
  readonly hosts: readonly HostPlan[];
  readonly example: HostPlan;
}

/** Equal: the same updates with the same words about them, removals, leftovers and reboot, on the same system. */
function workKey(host: HostPlan): string {
  const { osName, steps, updates, removals, leftOut, securityKnown, gaps, reboot, rebootSettings } = host;
  return JSON.stringify([osName, steps, updates, removals, leftOut, securityKnown, gaps, reboot, rebootSettings]);
}

/** In the order of waves, then by name; hosts with work and those without are groups of their own by their nature. */
export function groupWork(hosts: readonly HostPlan[]): WorkGroup[] {
  const sorted = hosts.toSorted((a, b) => a.wave - b.wave || compareHostNames(a.host, b.host));
  return [...Map.groupBy(sorted, workKey).values()].flatMap((group) => {
    const [example] = group;
    return example === undefined ? [] : [{ hosts: group, example }];
  });
}

export function isIdle({ wave, updates, removals, reboot }: HostPlan): boolean {
  return wave < 0 && updates.length === 0 && removals.length === 0 && !reboot.expected;
}

export type PlanClass = 'security' | 'other' | 'class unknown' | 'new packages';

/** Security first; what is not installed yet is listed separately. */
export function byClass(updates: readonly PlannedUpdate[]): [PlanClass, PlannedUpdate[]][] {
  const groups = Map.groupBy(updates, ({ from, class: kind }): PlanClass => {
    if (from === null) return 'new packages';
    return kind === 'unknown' ? 'class unknown' : kind;
  });
  const order: readonly PlanClass[] = ['security', 'other', 'class unknown', 'new packages'];
  return order.flatMap((name): [PlanClass, PlannedUpdate[]][] => {
    const group = groups.get(name);
    return group === undefined ? [] : [[name, group]];
  });
}

/** What is left out, folded by reason. */
export function byReason(leftOut: readonly LeftOut[]): [string, LeftOut[]][] {
  return [...Map.groupBy(leftOut, (item) => item.reason)];
}

export interface PlanTotals {
  readonly hosts: number;
  readonly updates: number;
  readonly security: number;
  readonly untried: number;
  readonly newPackages: number;
  readonly removals: number;
  readonly reboots: number;
  readonly downloadBytes: number;
}

export function totalsOf(hosts: readonly HostPlan[]): PlanTotals {
  const working = hosts.filter((host) => !isIdle(host));
  const updates = working.flatMap((host) => host.updates);
  return {
    hosts: working.length,
    updates: updates.length,
    security: updates.filter((update) => update.class === 'security').length,
    untried: updates.filter((update) => update.untried).length,
    newPackages: updates.filter((update) => update.from === null).length,
    removals: working.reduce((sum, host) => sum + host.removals.length, 0),
    reboots: working.filter((host) => host.reboot.expected).length,
    downloadBytes: working.reduce((sum, host) => sum + host.downloadBytes, 0),
  };
}
