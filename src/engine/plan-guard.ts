import { FettleError } from '../domain/error.ts';
import type { Host } from '../domain/host.ts';
import type { PlanAbsence } from '../domain/plan.ts';
import type { Playbook } from '../domain/playbook.ts';

export interface GuardInput {
  readonly playbook: Playbook;
  /** Hosts selected. */
  readonly selected: number;
  /** Hosts in the inventory, for the share. */
  readonly inventorySize: number;
}

/** Holds the selection against the playbook's guards before any host is contacted; `FettleError('usage')`, exit 2. */
export function checkGuards({ playbook, selected, inventorySize }: GuardInput): void {
  if (playbook.install.removeOldKernels !== undefined) {
    throw new FettleError('config', 'install.remove_old_kernels is not implemented', {
      hint: 'remove the key; old kernels are left where they are',
    });
  }
  const { minHosts, maxHosts, maxSharePercent } = playbook.targets.guard;
  const hint = 'narrow targets.select or --limit, or change targets.guard of the playbook';
  if (selected === 0) {
    throw new FettleError('usage', `${playbook.targets.select} selects no host`, {
      hint: 'an empty selection is an error: look with `fettle inventory list PATTERN`',
    });
  }
  if (minHosts !== undefined && selected < minHosts) {
    throw new FettleError('usage', `${count(selected)} selected, the playbook wants at least ${minHosts}`, { hint });
  }
  if (maxHosts !== undefined && selected > maxHosts) {
    throw new FettleError('usage', `${count(selected)} selected, the playbook allows at most ${maxHosts}`, { hint });
  }
  if (maxSharePercent !== undefined && selected * 100 > inventorySize * maxSharePercent) {
    const share = `${selected} of ${inventorySize} hosts of the inventory`;
    throw new FettleError('usage', `${share} selected, the playbook allows at most ${maxSharePercent} %`, { hint });
  }
}

function count(hosts: number): string {
  return hosts === 1 ? '1 host' : `${hosts} hosts`;
}

/** Undefined when the host takes part; a host switched off by its own variables is not even contacted. */
export function disabledAbsence(host: Host, nowMs: number): PlanAbsence | undefined {
  const { enabled, disabledReason, disabledUntilMs } = host.patch;
  const because = disabledReason === undefined ? '' : `: ${disabledReason}`;
  const base = { host: host.name, hostId: host.id, kind: 'disabled' } as const;
  if (!enabled) return { ...base, reason: `switched off by patch_enabled${because}` };
  if (disabledUntilMs === undefined || disabledUntilMs <= nowMs) return undefined;
  const until = new Date(disabledUntilMs).toISOString();
  return { ...base, reason: `switched off until ${until} by patch_disabled_until${because}` };
}
