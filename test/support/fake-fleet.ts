import { FettleError } from '../../src/domain/error.ts';
import type { EventSink } from '../../src/domain/event.ts';
import type { Plan } from '../../src/domain/plan.ts';
import type { RunRecord } from '../../src/domain/record.ts';
import { EventLog } from '../../src/engine/event-log.ts';
import { spawnLocal } from '../../src/engine/local-command.ts';
import type { OwnMachine } from '../../src/engine/own-machine.ts';
import { noOwnMachine } from './own-machine.ts';
import { applyPlan } from '../../src/engine/rollout/apply.ts';
import type { RunResult } from '../../src/engine/rollout/result.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeRemote } from './fake-machine.ts';
import { packageManagerNamed } from '../../src/managers/registry.ts';
import type { FakeMachine, Gate } from './fake-machine.ts';
import { ListSink } from './host-fixture.ts';
import { MemoryRecord } from './memory-record.ts';
import { fakeHost, fakeMachine, opening, operator } from './rollout-fixture.ts';

export interface RolloutCall {
  readonly record?: RunRecord;
  readonly gate?: Gate;
  readonly stop?: AbortSignal;
  readonly detach?: AbortSignal;
  readonly sink?: EventSink;
  readonly isResumed?: boolean;
  readonly own?: OwnMachine;
  readonly reachedThrough?: ReadonlyMap<string, readonly string[]>;
}

/** Machines that outlive the processes that work on them, and one record. */
export class FakeFleet {
  readonly machines: ReadonlyMap<string, FakeMachine>;
  readonly record = new MemoryRecord();
  readonly clock = new FakeClock();
  sink = new ListSink();
  /** The most remotes that were open at the same time. */
  mostConnected = 0;
  #connected = 0;

  constructor(names: readonly string[]) {
    this.machines = new Map(names.map((name) => [name, fakeMachine(name)]));
    for (const machine of this.machines.values()) machine.now = () => this.clock.now();
  }

  machine(name: string): FakeMachine {
    const machine = this.machines.get(name);
    if (machine === undefined) throw new FettleError('internal', `no machine ${name}`);
    return machine;
  }

  installsOf(name: string): number {
    return this.machine(name).ran.filter((item) => item.kind === 'install').length;
  }

  #connect(remote: FakeRemote): FakeRemote {
    this.#connected += 1;
    this.mostConnected = Math.max(this.mostConnected, this.#connected);
    remote.onDispose = () => {
      this.#connected -= 1;
    };
    return remote;
  }

  async apply(plan: Plan, call: RolloutCall = {}): Promise<RunResult> {
    const names = [...this.machines.keys()];
    const never = new AbortController().signal;
    const isKnown = this.record.ofType('run.started').some((event) => event.run === 'run1');
    if (call.isResumed === true && !isKnown) await this.record.append([opening('run1', names)]);
    const state = call.isResumed === true ? await this.record.runState('run1') : undefined;
    return applyPlan({
      opening:
        call.isResumed === true ? { type: 'run.resumed', run: 'run1', operator, argv: [] } : opening('run1', names),
      plan,
      hosts: new Map(names.map((name) => [name, fakeHost(name)])),
      operator,
      clock: this.clock,
      log: new EventLog(call.record ?? this.record, call.sink ?? this.sink),
      record: call.record ?? this.record,
      stop: call.stop ?? never,
      detach: call.detach ?? never,
      interruptedAs: () => (call.stop?.aborted || call.detach?.aborted ? 'interrupted' : undefined),
      openRemote: (host) => this.#connect(new FakeRemote(host, this.machine(host.name), call.gate)),
      packageManager: packageManagerNamed,
      spawnLocal,
      reachedThrough: call.reachedThrough ?? new Map(),
      own: call.own ?? noOwnMachine,
      ...(state === undefined ? {} : { state }),
    });
  }
}

/** A postinst that fails until somebody repairs the machine. */
export function breakInstalls(machine: FakeMachine): { repair: () => void } {
  machine.actions['install'] = (self) => {
    self.packages.set('tool', '2');
    self.broken.add('tool');
    return { exitCode: 100, verdict: 'failed', message: 'postinst of tool ended with 1' };
  };
  return {
    repair: () => {
      machine.broken.clear();
      delete machine.actions['install'];
    },
  };
}
