import { asFettleError, toErrorRecord } from '../../domain/error.ts';
import { hookSha256 } from '../../domain/hook-hash.ts';
import type { Host } from '../../domain/host.ts';
import { judgeIdentities } from '../../domain/identity.ts';
import { reachedThrough, viaOf } from '../../domain/jump.ts';
import type { HostPlan, Plan, PlanAbsence, PlannedHook, PlannedWave } from '../../domain/plan.ts';
import type { Hook, HookWhen, Playbook } from '../../domain/playbook.ts';
import { markUntried, partitionWaves } from '../../domain/wave.ts';
import { verdictOfError } from '../../domain/outcome.ts';
import { emit } from '../context.ts';
import type { OwnMachine } from '../own-machine.ts';
import { disabledAbsence } from './guards.ts';
import { planHost } from './plan-host.ts';
import type { PlannedHost } from './plan-host.ts';
import { foldWarnings } from './warnings.ts';
import { forEachHost, type FanOut } from '../fleet/for-each-host.ts';
import { unscanned } from '../fleet/scan-events.ts';

export interface PlanOrder extends FanOut {
  readonly playbook: Playbook;
  /** Selected and limited, in inventory order. */
  readonly hosts: readonly Host[];
  /** Inventory names a pattern means, for `select` of waves. */
  readonly select: (pattern: string) => ReadonlySet<string>;
  readonly limit?: string;
  /** Of the plan, a ULID. */
  readonly id: string;
  /** Of the order within waves. */
  readonly seed: number;
  readonly fettleVersion: string;
  /** False: metadata is taken as it is, however old. */
  readonly mayRefresh: boolean;
  readonly own: OwnMachine;
  /** Names and addresses of jump hosts on the way to a host, as its transport knows them. */
  readonly configuredJumps?: (host: string) => readonly string[];
  /** Called as each host settles. */
  readonly onHost?: (host: string) => void;
}

/**
 * Freezes what shall be installed where. Contacts every enabled host, refreshes stale metadata where it may, and holds
 * each host's updates against its own package manager; changes nothing else. Guards are judged before. Throws `config`
 * when a host falls in no wave, `ledger` when nothing can be recorded.
 */
export async function makePlan(order: PlanOrder): Promise<Plan> {
  const { hosts, context } = order;
  checkManagers(order);
  const createdMs = context.clock.now();
  const disabled = hosts.flatMap((host) => disabledAbsence(host, createdMs) ?? []);
  const isDisabled = new Set(disabled.map((item) => item.host));
  const { planned, failed } = await visitHosts(order, (host) => !isDisabled.has(host.name));
  const identities = judgeIdentities(
    planned.map((item) => item.machine),
    order.own.facts,
  );
  const duplicates = identities.duplicates.map(({ host, reason }) => absenceOf(order, host, 'duplicate', reason));
  const isDuplicate = new Set(duplicates.map((item) => item.host));
  const taking = planned.filter((item) => !isDuplicate.has(item.host.name));
  const via = reachedThrough(order.hosts, order.configuredJumps);
  const waves = planWaves(order, taking, { via, controller: identities.controller[0] });
  return {
    ...constantPart(order, createdMs),
    waves,
    hosts: markUntried(
      taking.map((item) => ({ ...item.hostPlan, wave: waveOf(waves, item.host.name), ...viaOf(via, item.host.name) })),
    ),
    absent: inOrder(order, [...disabled, ...failed, ...duplicates]),
    warnings: [...identities.warnings, ...foldWarnings(taking)],
  };
}

/** A rule for a package manager that this version does not have would match nothing. */
function checkManagers({ playbook: { policy }, context }: PlanOrder): void {
  for (const { managers = [] } of [...policy.include, ...policy.exclude]) {
    for (const name of managers) context.packageManager(name);
  }
}

/** Everything but the answers of the hosts. */
function constantPart(order: PlanOrder, createdMs: number): Omit<Plan, 'waves' | 'hosts' | 'absent' | 'warnings'> {
  const { playbook } = order;
  const { policy, install, reboot, verify, rollout } = playbook;
  return {
    kind: 'plan',
    version: 2,
    id: order.id,
    createdMs,
    expiresMs: createdMs + playbook.planExpiresMs,
    fettleVersion: order.fettleVersion,
    playbook: { name: playbook.name, sha256: playbook.sha256 },
    select: playbook.targets.select,
    ...(order.limit === undefined ? {} : { limit: order.limit }),
    seed: order.seed,
    concurrency: rollout.concurrency,
    ...(rollout.perSource === undefined ? {} : { perSource: rollout.perSource }),
    budget: rollout.budget,
    policy,
    install,
    reboot,
    verify,
    hooks: freezeHooks(playbook.hooks),
  };
}

interface Visited {
  readonly planned: readonly PlannedHost[];
  readonly failed: readonly PlanAbsence[];
}

async function visitHosts(order: PlanOrder, isEnabled: (host: Host) => boolean): Promise<Visited> {
  const { context } = order;
  const planned = new Map<string, PlannedHost>();
  const failed: PlanAbsence[] = [];
  await forEachHost(order.hosts.filter(isEnabled), order, async (host) => {
    context.stop.throwIfAborted();
    try {
      planned.set(host.name, await planHost(order, host));
    } catch (thrown) {
      const error = asFettleError(thrown);
      if (error.code === 'ledger' || context.detach.aborted) throw error;
      await emit(context, [unscanned(context, host, error)]);
      const kind = verdictOfError(error);
      failed.push({ ...absenceOf(order, host.name, kind, error.message), error: toErrorRecord(error) });
    }
    order.onHost?.(host.name);
  });
  return { planned: order.hosts.flatMap((host) => planned.get(host.name) ?? []), failed };
}

function absenceOf(order: PlanOrder, name: string, kind: PlanAbsence['kind'], reason: string): PlanAbsence {
  const hostId = order.hosts.find((host) => host.name === name)?.id ?? name;
  return { host: name, hostId, kind, reason };
}

function inOrder(order: PlanOrder, absences: readonly PlanAbsence[]): PlanAbsence[] {
  const place = new Map(order.hosts.map((host, index) => [host.name, index]));
  return absences.toSorted((a, b) => (place.get(a.host) ?? 0) - (place.get(b.host) ?? 0));
}

/** True when `apply` has something to do on it: updates, or a reboot that the playbook wants and the host waits for. */
export function hasWork(host: Pick<HostPlan, 'updates' | 'removals' | 'reboot'>): boolean {
  return host.updates.length > 0 || host.removals.length > 0 || host.reboot.expected;
}

/** True when updates may be missing from its plan: the host could not name all of them. */
export function hasGaps({ gaps = [] }: Pick<HostPlan, 'gaps'>): boolean {
  return gaps.length > 0;
}

interface Surroundings {
  readonly via: ReadonlyMap<string, readonly string[]>;
  readonly controller: string | undefined;
}

function planWaves(order: PlanOrder, taking: readonly PlannedHost[], { via, controller }: Surroundings): PlannedWave[] {
  const working = taking.filter((item) => hasWork(item.hostPlan)).map((item) => item.host);
  const own = working.some((host) => host.name === controller) ? controller : undefined;
  return partitionWaves({
    hosts: working,
    rollout: order.playbook.rollout,
    seed: order.seed,
    select: order.select,
    reachedThrough: via,
    ...(own === undefined ? {} : { controller: own }),
  });
}

function waveOf(waves: readonly PlannedWave[], host: string): number {
  return waves.findIndex((wave) => wave.hosts.includes(host));
}

function freezeHooks(hooks: Playbook['hooks']): Record<HookWhen, readonly PlannedHook[]> {
  const freeze = (list: readonly Hook[]): PlannedHook[] => list.map((hook) => ({ ...hook, sha256: hookSha256(hook) }));
  return {
    before_host: freeze(hooks.before_host),
    before_reboot: freeze(hooks.before_reboot),
    after_host: freeze(hooks.after_host),
  };
}
