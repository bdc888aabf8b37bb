import type { EventSink, LiveEvent, RunEvent } from '../../src/domain/event.ts';
import type { HostPlan, Plan } from '../../src/domain/plan.ts';
import type { HostRunState, RunRecord } from '../../src/domain/record.ts';
import { engineLimits } from '../../src/engine/context.ts';
import type { HostRunContext } from '../../src/engine/context.ts';
import type { HostTask } from '../../src/engine/host/host-state.ts';
import { EventLog } from '../../src/engine/event-log.ts';
import { spawnLocal } from '../../src/engine/local-command.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeRemote } from './fake-machine.ts';
import { packageManagerNamed } from '../../src/managers/registry.ts';
import type { FakeMachine, Gate } from './fake-machine.ts';
import { MemoryRecord } from './memory-record.ts';
import { fakeHost, opening, operator, planOf } from './rollout-fixture.ts';

export class ListSink implements EventSink {
  readonly events: (RunEvent | LiveEvent)[] = [];

  event(event: RunEvent | LiveEvent): void {
    this.events.push(event);
  }
}

export interface HostFixture {
  readonly machine: FakeMachine;
  readonly record?: RunRecord;
  readonly gate?: Gate;
  readonly attempt?: number;
  readonly state?: HostRunState | undefined;
  readonly plan?: Plan;
  readonly hostPlan?: Partial<HostPlan>;
  readonly patch?: Parameters<typeof fakeHost>[1];
  readonly stop?: AbortSignal;
  readonly detach?: AbortSignal;
  readonly isController?: boolean;
}

/** The record of a run as it is when the work on its first host begins. */
export function begunRecord(host: string): MemoryRecord {
  const record = new MemoryRecord();
  record.events.push(opening('run1', [host]), {
    type: 'host.started',
    run: 'run1',
    host,
    hostId: host,
    attempt: 1,
  });
  return record;
}

export function hostContext(fixture: HostFixture): HostRunContext {
  const { machine } = fixture;
  const host = fakeHost(machine.name, fixture.patch);
  const record = fixture.record ?? new MemoryRecord();
  return {
    run: 'run1',
    operator,
    clock: new FakeClock(),
    log: new EventLog(record, new ListSink()),
    record,
    stop: fixture.stop ?? new AbortController().signal,
    detach: fixture.detach ?? new AbortController().signal,
    packageManager: packageManagerNamed,
    spawnLocal,
    limits: engineLimits,
    host,
    remote: new FakeRemote(host, machine, fixture.gate),
    attempt: fixture.attempt ?? 1,
    fence: 0,
    own: { facts: {}, recognises: () => Promise.resolve(fixture.isController ?? false) },
    rebootSlot: () => Promise.resolve({ [Symbol.dispose]: () => undefined }),
  };
}

export async function hostTask(fixture: HostFixture): Promise<HostTask> {
  const context = hostContext(fixture);
  const plan = fixture.plan ?? planOf([[fixture.machine.name]]);
  const [planned] = plan.hosts;
  if (planned === undefined) throw new Error('the plan has no host');
  const { state } = fixture;
  const recorded = await context.record.recordedFacts('run1', context.host.id);
  return {
    context,
    plan,
    hostPlan: { ...planned, ...fixture.hostPlan },
    ...(state === undefined ? {} : { state }),
    ...(state === undefined || recorded === undefined ? {} : { recorded }),
  };
}
