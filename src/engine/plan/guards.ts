import { FettleError } from '../../domain/error.ts';
import { switchedOff, type Host } from '../../domain/host.ts';
import type { PlanAbsence } from '../../domain/plan.ts';
import type { Playbook } from '../../domain/playbook.ts';

export interface GuardInput {
  readonly playbook: Playbook;
  /** Hosts selected. */
  readonly selected: number;
  /** Hosts in the inventory, for the share. */
  readonly inventorySize: number;
}

/** Holds the selection against the playbook's guards before any host is contacted; `FettleError('usage')`, exit 2. */
export function checkGuards({ playbook, selected, inventorySize }: GuardInput): void {
  const { minHosts, maxHosts, maxSharePercent } = playbook.targets.guard;
  const hint = 'narrow targets.select or --limit, or change targets.guard of the playbook';
  if (selected === 0) {
    throw new FettleError('usage', `${playbook.targets.select} selects no host`, {
      hint: 'an empty selection is an error; list hosts with `fettle inventory list PATTERN`',
    });
  }
  if (minHosts !== undefined && selected < minHosts) {
    throw new FettleError('usage', `${count(selected)} selected, but the playbook requires at least ${minHosts}`, {
      hint,
    });
  }
  if (maxHosts !== undefined && selected > maxHosts) {
    throw new FettleError('usage', `${count(selected)} selected, but the playbook allows at most ${maxHosts}`, {
      hint,
    });
  }
  if (maxSharePercent !== undefined && selected * 100 > inventorySize * maxSharePercent) {
    const share = `${selected} of ${inventorySize} hosts of the inventory`;
    throw new FettleError('usage', `${share} selected, but the playbook allows at most ${maxSharePercent} %`, { hint });
  }
}

function count(hosts: number): string {
  return hosts === 1 ? '1 host' : `${hosts} hosts`;
}

/** Undefined when the host takes part; a host switched off by its own variables is not even contacted. */
export function disabledAbsence(host: Host, nowMs: number): PlanAbsence | undefined {
  const reason = switchedOff(host.patch, nowMs);
  return reason === undefined ? undefined : { host: host.name, hostId: host.id, kind: 'disabled', reason };
}
