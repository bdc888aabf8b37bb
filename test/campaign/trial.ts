import { readFile } from 'node:fs/promises';
import { decodePlan } from '../../src/config/plan/file.ts';
import type { HostPlan } from '../../src/domain/plan.ts';
import type { RunOptions } from '../lab/controller.ts';
import type { LabHost } from '../lab/lab-host.ts';
import type { Lab } from '../lab/lab.ts';
import { Scenario } from '../lab/scenario.ts';
import type { Design } from './design.ts';
import { playbook } from './fleet.ts';
import { readTruth } from './host-truth.ts';
import { installLateListener } from './late-listener.ts';
import type { HostTruth } from './host-truth.ts';
import { Random } from './random.ts';
import { RolloutProcess } from './rollout-process.ts';

/** One rollout with one fault: the fleet, the processes of fettle so far, and what was promised in the plan. */
export class Trial {
  readonly lab: Lab;
  readonly scenario: Scenario;
  readonly design: Design;
  readonly random: Random;
  /** Every rollout process of the trial, the one that was struck first. */
  readonly processes: RolloutProcess[] = [];
  /** Every host as it was before the rollout. */
  readonly before: ReadonlyMap<string, HostTruth>;
  readonly plans: readonly HostPlan[];
  /** Events of processes before this index may be missing from the ledger: an older copy was put back. */
  forgottenProcesses = 0;
  /** Given to every process that starts from now on. */
  runOptions: RunOptions = {};

  private constructor(parts: Pick<Trial, 'lab' | 'scenario' | 'design' | 'before' | 'plans'>) {
    this.lab = parts.lab;
    this.scenario = parts.scenario;
    this.design = parts.design;
    this.before = parts.before;
    this.plans = parts.plans;
    this.random = new Random(parts.design.seed ^ 0x5eed);
  }

  static async prepare(lab: Lab, design: Design): Promise<Trial> {
    await installLateListener(lab.host(design.victim));
    const scenario = await Scenario.start(lab, playbook);
    await scenario.makePlan();
    const before = new Map<string, HostTruth>();
    for (const host of lab.hosts) before.set(host.name, await readTruth(host));
    const plan = decodePlan(await readFile(scenario.plan));
    return new Trial({ lab, scenario, design, before, plans: plan.hosts });
  }

  get victim(): LabHost {
    return this.lab.host(this.design.victim);
  }

  /** The rollout process that was started last. */
  get fettle(): RolloutProcess {
    const last = this.processes.at(-1);
    if (last === undefined) throw new Error('no rollout was started yet');
    return last;
  }

  /** The run's id as the first process told it. */
  get run(): string | undefined {
    for (const { events } of this.processes) {
      const opening = events.find((event) => event.type === 'run.started');
      if (opening !== undefined) return opening.run;
    }
    return undefined;
  }

  apply(options: RunOptions = {}): RolloutProcess {
    return this.start(['apply', this.scenario.plan, '--jsonl'], options);
  }

  resume(options: RunOptions = {}): RolloutProcess {
    return this.start(['run', 'resume', '--jsonl'], options);
  }

  start(words: readonly string[], options: RunOptions): RolloutProcess {
    const started = new RolloutProcess(this.scenario.spawn(words, { ...this.runOptions, ...options }), words);
    this.processes.push(started);
    return started;
  }
}
