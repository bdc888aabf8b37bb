import type { AdmissionControl, AdmissionPhase } from '../../domain/admission.ts';
import { FettleError } from '../../domain/error.ts';
import type { Host } from '../../domain/host.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { HostPlan, Plan } from '../../domain/plan.ts';
import type { HostRunState, RunState } from '../../domain/record.ts';
import { reachedBehind } from '../../domain/wave.ts';
import type { HostPort } from '../connection/host-port.ts';
import { resumeMode } from '../host/host-run.ts';
import type { CheckedHost } from '../host/host-state.ts';

/** One host of a rollout while it lasts. */
export interface RolloutHost {
  readonly host: Host;
  readonly hostPlan: HostPlan;
  readonly attempt: number;
  /** Hosts that are reached through this one. */
  readonly after: readonly string[];
  readonly state: HostRunState | undefined;
  wave: number;
  isController: boolean;
  phase: AdmissionPhase;
  outcome: Outcome | undefined;
  fence: number;
  /** Aborted when the lease of the host is lost: its work here ends at once. */
  readonly lost: AbortController;
  /** The attempt is committed. */
  isStarted: boolean;
  isRefreshed: boolean;
  /** What its check found; a whole scan, so it is kept only for hosts whose turn comes soon, and until then. */
  checked: CheckedHost | undefined;
  remote: HostPort | undefined;
  /** Notified of every phase. */
  admission: AdmissionControl | undefined;
  /** Resolved when a reboot slot is given. */
  grantReboot: (() => void) | undefined;
}

export interface MembersInput {
  readonly plan: Plan;
  readonly hosts: ReadonlyMap<string, Host>;
  readonly reachedThrough: ReadonlyMap<string, readonly string[]>;
  readonly state?: RunState;
}

/**
 * The hosts of the plan in the order of admission; what an earlier process finished is over already. Throws
 * `FettleError('config')` where the inventory lost a host.
 */
export function membersOf(input: MembersInput): RolloutHost[] {
  const states = new Map(input.state?.hosts.map((state) => [state.hostId, state]));
  const plans = new Map(input.plan.hosts.map((hostPlan) => [hostPlan.host, hostPlan]));
  const jumps = new Set([...input.reachedThrough.values()].flat());
  const ordered = input.plan.waves.flatMap((wave, index) => wave.hosts.map((name) => ({ name, index })));
  return ordered.flatMap(({ name, index }) => {
    const hostPlan = plans.get(name);
    if (hostPlan === undefined) return [];
    const host = input.hosts.get(name);
    if (host === undefined) {
      throw new FettleError('config', `the plan lists ${name}, which is not in the inventory`, {
        hint: 'pass the inventory from which the plan was made',
      });
    }
    const behind = jumps.has(name) ? [...reachedBehind(name, input.reachedThrough)] : [];
    const after = behind.filter((other) => plans.has(other));
    return [memberOf({ host, hostPlan, after, wave: index, state: states.get(hostPlan.hostId) })];
  });
}

type MemberInput = Pick<RolloutHost, 'host' | 'hostPlan' | 'after' | 'wave' | 'state'>;

function memberOf(input: MemberInput): RolloutHost {
  const { state } = input;
  const mode = state === undefined ? 'start' : resumeMode(state);
  const known = state?.attempt ?? 0;
  return {
    ...input,
    attempt: mode === 'retry' || mode === 'start' ? known + 1 : known,
    isController: false,
    phase: mode === 'done' ? 'done' : 'waiting',
    outcome: mode === 'done' ? state?.outcome : undefined,
    fence: 0,
    lost: new AbortController(),
    isStarted: mode === 'continue',
    isRefreshed: false,
    checked: undefined,
    remote: undefined,
    admission: undefined,
    grantReboot: undefined,
  };
}

export function setPhase(member: RolloutHost, phase: AdmissionPhase, outcome?: Outcome): void {
  member.phase = phase;
  if (outcome !== undefined) member.outcome = outcome;
  member.admission?.change(member.host.name, phase, outcome);
}

/** An earlier process began to change the host in this attempt: it goes on at once, whatever its wave. */
export function isInFlight(member: RolloutHost): boolean {
  if (member.phase === 'done' || member.state?.attempt !== member.attempt) return false;
  const changing = ['install', 'restart', 'reboot', 'verify'];
  const { doneSteps, openSteps } = member.state;
  return (
    doneSteps.some((step) => changing.includes(step)) ||
    openSteps.some((open) => open.attempt === member.attempt && changing.includes(open.step))
  );
}
