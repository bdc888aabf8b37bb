import { setTimeout as sleep } from 'node:timers/promises';
import { startLab } from '../lab/lab.ts';
import { nativeArchitecture } from '../lab/mirror.ts';
import type { Design } from './design.ts';
import type { Struck } from './fault.ts';
import { fleetOf } from './fleet.ts';
import { violationsAtTheEnd, violationsUnderTheFault } from './invariants.ts';
import type { RolloutProcess } from './rollout-process.ts';
import { storyOf } from './story.ts';
import { Trial } from './trial.ts';

/** How one trial ended. */
export interface Finding {
  readonly design: Design;
  /** The step that was open on the victim when the fault struck; undefined where it did not come to that. */
  readonly struckIn?: string;
  /** Exit codes of the rollout processes in their order. */
  readonly exits: readonly number[];
  /** Invariants that did not hold, in words. */
  readonly violations: readonly string[];
  readonly seconds: number;
  /** What happened, event by event, and what each process said at its end. */
  readonly story: readonly string[];
}

const usualPatienceMs = 150_000;
const letGoMs = 30_000;
const maxResumes = 4;

/** Builds a fleet, rolls out, strikes, resumes until the end, and judges. Throws only where the trial itself fails. */
export async function conduct(design: Design): Promise<Finding> {
  const startedMs = performance.now();
  const { fault, flavour, victim } = design;
  const architecture = await nativeArchitecture();
  const hosts = fleetOf({ victim, flavour, architecture, extra: fault.victim ?? {} });
  await using lab = await startLab({ name: `trial${design.seed}`, hosts });
  await fault.beforePlan?.(lab);
  const trial = await Trial.prepare(lab, design);
  await fault.beforeApply?.(trial);
  const fettle = trial.apply();
  const [struck] = await Promise.all([strike(trial, fettle), fault.meanwhile?.(trial)]);
  const violations = [...(await endOf(fettle, fault.patienceMs ?? usualPatienceMs))];
  if (struck !== undefined) {
    violations.push(...(await violationsUnderTheFault(trial)));
    await struck.heal();
    violations.push(...(await resumeToTheEnd(trial)));
  }
  violations.push(...(await violationsAtTheEnd(trial)));
  const exits = await Promise.all(trial.processes.map(async (item) => (await item.done()).code));
  return {
    design,
    ...(struck === undefined ? {} : { struckIn: struck.step }),
    exits,
    violations,
    seconds: (performance.now() - startedMs) / 1_000,
    story: await storyOf(trial),
  };
}

interface Strike {
  readonly step: string;
  readonly heal: () => Promise<void>;
}

/** Waits for the step, then for the moment in it. Undefined where the rollout ended before. */
async function strike(trial: Trial, fettle: RolloutProcess): Promise<Strike | undefined> {
  const { fault, step, victim, delayMs } = trial.design;
  const isReached = await fettle.until(() => fettle.openSteps(victim).includes(step));
  if (!isReached) return undefined;
  await sleep(delayMs);
  const open = fettle.openSteps(victim).at(-1);
  if (open === undefined && fettle.hasEnded) return undefined;
  const struck = await fault.strike(trial);
  return { step: open ?? 'between', heal: healOnce(struck) };
}

/** The fault heals by itself after its time, or when asked to; whichever comes first. */
function healOnce({ heal, afterMs }: Struck): () => Promise<void> {
  let healing: Promise<void> | undefined;
  const once = (): Promise<void> => (healing ??= heal?.() ?? Promise.resolve());
  const timer = afterMs === undefined ? undefined : setTimeout(() => void once().catch(() => undefined), afterMs);
  return async () => {
    clearTimeout(timer);
    await once();
  };
}

/** An operator who has waited long enough ends it; one that does not even let go then is at fault. */
async function endOf(fettle: RolloutProcess, patienceMs: number): Promise<readonly string[]> {
  if (await fettle.endsWithin(patienceMs)) return [];
  fettle.kill('SIGTERM');
  if (await fettle.endsWithin(letGoMs)) return [];
  fettle.kill('SIGKILL');
  await fettle.done();
  return [`fettle ${fettle.words.join(' ')} did not let go within ${letGoMs / 1_000} s of SIGTERM`];
}

/** What an operator does when the trouble is over: `run resume` until it says that all is well. */
async function resumeToTheEnd(trial: Trial): Promise<readonly string[]> {
  for (let tries = 0; tries < maxResumes; tries += 1) {
    const resumed = trial.run === undefined || trial.forgottenProcesses > 0 ? await goOn(trial) : trial.resume();
    const late = await endOf(resumed, usualPatienceMs);
    const { code, stderr } = await resumed.done();
    if (late.length > 0) return late;
    if (code === 0) return [];
    if (tries === maxResumes - 1)
      return [`after ${maxResumes} resumes fettle still ends with ${code}: ${tail(stderr)}`];
  }
  return [];
}

/** Where the ledger may not know the run: it is resumed if it does, else the plan is applied anew. */
async function goOn(trial: Trial): Promise<RolloutProcess> {
  const { stdout } = await trial.scenario.fettle(['run', 'list', '--json']);
  return /"kind": ?"apply"/.test(stdout) ? trial.resume() : trial.apply();
}

function tail(text: string): string {
  return text.trim().split('\n').slice(-6).join(' | ').slice(-700);
}
