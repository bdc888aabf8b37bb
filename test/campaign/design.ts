import type { Flavour } from '../lab/base.ts';
import type { Fault, Step } from './fault.ts';
import { steps } from './fault.ts';
import { faults } from './faults/registry.ts';
import { selected } from './fleet.ts';
import type { SelectedHost } from './fleet.ts';
import { Random } from './random.ts';

/** One fault at one step where it can strike. */
export interface Cell {
  readonly fault: Fault;
  readonly step: Step;
}

/** What a seed stands for. */
export interface Design extends Cell {
  readonly seed: number;
  readonly victim: SelectedHost;
  readonly flavour: Flavour;
  /** Time from the beginning of the step to the strike. */
  readonly delayMs: number;
}

/** How long a step lasts on an idle machine, about: a strike falls somewhere inside. */
const usualMs: Readonly<Record<Step, number>> = {
  connect: 60,
  preflight: 600,
  refresh: 700,
  before_host: 400,
  install: 3_500,
  before_reboot: 400,
  reboot: 3_000,
  verify: 1_500,
  after_host: 400,
};

/** Every fault at every step it can strike, faults side by side so that any run of seeds meets many of them. */
export function allCells(): readonly Cell[] {
  return steps.flatMap((step) =>
    faults
      .filter((fault) => fault.at.includes(step) && fault.isUnavailable?.() === undefined)
      .map((fault) => ({ fault, step })),
  );
}

/**
 * Seeds 1 to N, N being the number of cells, take every cell once in a shuffled order that is always the same; the next
 * N take them once more, with other victims and moments.
 */
export function designOf(seed: number): Design {
  const cells = shuffled(allCells(), new Random(Math.ceil(seed / allCells().length)));
  const cell = cells[(seed - 1) % cells.length];
  if (cell === undefined) throw new RangeError(`no trial has the number ${seed}`);
  const random = new Random(seed);
  const victim = random.oneOf(selected);
  const flavour = random.next() < 0.6 ? 'plain' : 'systemd';
  // Early moments are met more often: a step that is over is no step to strike in.
  const delayMs = Math.round(random.next() ** 2 * 0.8 * usualMs[cell.step]);
  return { ...cell, seed, victim, flavour: cell.fault.victim?.flavour ?? flavour, delayMs };
}

function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  const mixed = [...items];
  for (let at = mixed.length - 1; at > 0; at -= 1) {
    const other = random.between(0, at);
    const [a, b] = [mixed[at], mixed[other]];
    if (a !== undefined && b !== undefined) [mixed[at], mixed[other]] = [b, a];
  }
  return mixed;
}
