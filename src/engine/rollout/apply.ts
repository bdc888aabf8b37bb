import pLimit from 'p-limit';
import { exitCodes, worstExit } from '../../domain/exit.ts';
import type { ExitName } from '../../domain/exit.ts';
import { toErrorRecord } from '../../domain/error.ts';
import type { Operator, RunEvent, RunStarted } from '../../domain/event.ts';
import type { Host } from '../../domain/host.ts';
import { judgeIdentities } from '../../domain/identity.ts';
import type { NamedMachine } from '../../domain/identity.ts';
import type { Plan } from '../../domain/plan.ts';
import type { RunState } from '../../domain/record.ts';
import { engineLimits } from '../context.ts';
import type { EngineLimits, RunContext } from '../context.ts';
import type { HostPort } from '../connection/host-port.ts';
import type { OwnMachine } from '../own-machine.ts';
import { Rollout } from './rollout.ts';
import { unshown, type EventLog } from '../event-log.ts';
import { membersOf } from './rollout-host.ts';
import type { RunResult } from './result.ts';

export interface ApplyOptions extends Pick<
  RunContext,
  'operator' | 'clock' | 'log' | 'record' | 'stop' | 'detach' | 'packageManager' | 'spawnLocal'
> {
  /** Committed before anything else; names the run. */
  readonly opening: RunStarted | Extract<RunEvent, { readonly type: 'run.resumed' }>;
  readonly plan: Plan;
  /** By inventory name; every host of the plan. */
  readonly hosts: ReadonlyMap<string, Host>;
  readonly openRemote: (host: Host) => HostPort;
  /** Host → hosts of the inventory its connection passes through. */
  readonly reachedThrough: ReadonlyMap<string, readonly string[]>;
  readonly own: OwnMachine;
  /** How the process ends when `stop` or `detach` came from a signal. */
  readonly interruptedAs: () => ExitName | undefined;
  readonly limits?: EngineLimits;
  /** Processes that had the run in hand and are gone. */
  readonly gone?: readonly Operator[];
  /** Where an earlier process left the run. */
  readonly state?: RunState;
}

/**
 * Carries out a plan: leases, a check of every host before the first wave, then waves within the budget.
 * Rejects with `FettleError('ledger')` only where the run could not even be recorded as begun; afterwards every end is
 * a result.
 */
export async function applyPlan(options: ApplyOptions): Promise<RunResult> {
  const { log } = options;
  await using rollout = new Rollout(rolloutOptions(options));
  await log.append([options.opening], options.detach);
  try {
    if (await rollout.takeLeases()) {
      await rollout.goOn();
      await checkAll(rollout, options);
      await rollout.throughWaves();
    }
    const end = (): Promise<void> =>
      finish(rollout, options, withDisplay(rollout.result(options.interruptedAs()), log));
    const before = log.displayFailure;
    await rollout.attempt(end);
    // The end itself could not be shown: the last word of the record is how the process exits.
    if (before === undefined && log.displayFailure !== undefined) await rollout.attempt(end);
  } catch (error) {
    await rollout.attempt(() => closeBroken(rollout, options, error));
    throw error;
  } finally {
    await rollout.attempt(() => rollout.releaseLeases());
  }
  return withDisplay(rollout.result(options.interruptedAs()), log);
}

/** Events that could not be shown are a fault of fettle, whatever became of the hosts; the record has it too. */
function withDisplay(result: RunResult, { displayFailure }: EventLog): RunResult {
  if (displayFailure === undefined) return result;
  const exitName = worstExit([result.exitName, 'internal']);
  return { ...result, exitName, reasons: [unshown(displayFailure), ...result.reasons] };
}

/** No error leaves a run open: what was not foreseen ends it as `internal`. */
async function closeBroken(rollout: Rollout, { opening }: ApplyOptions, error: unknown): Promise<void> {
  const { message } = toErrorRecord(error);
  const { counts } = rollout.result(undefined);
  const exit = { exitCode: exitCodes.internal, exitName: 'internal', reasons: [message], counts };
  await rollout.emit([{ type: 'run.finished', run: opening.run, ...exit }]);
}

function rolloutOptions(options: ApplyOptions): ConstructorParameters<typeof Rollout>[0] {
  return {
    ...options,
    run: options.opening.run,
    limits: options.limits ?? engineLimits,
    members: membersOf(options),
    leftWave: options.state?.openWave,
  };
}

/** Every host is checked before the first wave, so that all drift is shown before anything is changed. */
async function checkAll(rollout: Rollout, options: ApplyOptions): Promise<void> {
  const waiting = rollout.members.filter((member) => member.phase === 'waiting');
  const limit = pLimit(Math.max(1, options.plan.concurrency));
  const atSource = turnsOfSources(options.plan.perSource);
  const machines: NamedMachine[] = [];
  await Promise.all(
    waiting.map((member, index) =>
      atSource(member.hostPlan.source, () =>
        limit(async () => {
          const machine = await rollout.check(member, index < options.plan.concurrency);
          if (machine !== undefined) machines.push(machine);
        }),
      ),
    ),
  );
  const order = new Map(waiting.map((member, index) => [member.host.name, index]));
  machines.sort((a, b) => (order.get(a.host) ?? 0) - (order.get(b.host) ?? 0));
  await rollout.place(judgeIdentities(machines, options.own.facts));
}

/** A check searches or refreshes at the update server of the host: `per_source` spares that server here too. */
function turnsOfSources(perSource: number | undefined) {
  const turns = new Map<string, ReturnType<typeof pLimit>>();
  return (source: string | undefined, action: () => Promise<void>): Promise<void> => {
    if (source === undefined || perSource === undefined) return action();
    const turn = turns.get(source) ?? pLimit(perSource);
    turns.set(source, turn);
    return turn(action);
  };
}

async function finish(rollout: Rollout, options: ApplyOptions, result: RunResult): Promise<void> {
  const { run } = options.opening;
  if (rollout.isDetached) {
    const hosts = [...result.outcomes].filter(([, outcome]) => outcome.verdict === 'detached').map(([host]) => host);
    const message = `detached; jobs already started on hosts keep running; resume with: fettle run resume ${run}`;
    await rollout.emit([{ type: 'run.detached', run, hosts, message }]);
    return;
  }
  const { exitName, reasons, counts } = result;
  await rollout.emit([{ type: 'run.finished', run, exitCode: exitCodes[exitName], exitName, reasons, counts }]);
}
