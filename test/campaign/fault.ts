import type { Lab } from '../lab/lab.ts';
import type { HostOptions } from '../lab/options.ts';
import type { Trial } from './trial.ts';

/** The steps of a host at which a fault can be aimed, in the order they come. */
export const steps = [
  'connect',
  'preflight',
  'refresh',
  'before_host',
  'install',
  'before_reboot',
  'reboot',
  'verify',
  'after_host',
] as const;
export type Step = (typeof steps)[number];

/** How a fault ends. */
export interface Struck {
  /** Undoes it: after `afterMs`, or when fettle has ended and what it left has been judged under the fault. */
  readonly heal?: () => Promise<void>;
  readonly afterMs?: number;
}

/** One thing that goes wrong while a rollout runs. */
export interface Fault {
  readonly name: string;
  /** Where it can strike. */
  readonly at: readonly Step[];
  /** What the victim needs besides the usual. */
  readonly victim?: Partial<HostOptions>;
  /** How long fettle may go on after the strike until the operator gives up with SIGTERM. Milliseconds. */
  readonly patienceMs?: number;
  /** Why it cannot be tried on this machine. */
  isUnavailable?(): string | undefined;
  beforePlan?(lab: Lab): Promise<void>;
  /** Done between plan and apply; `strike` is then only the moment at which it takes effect. */
  beforeApply?(trial: Trial): Promise<void>;
  /** Runs beside the rollout from its beginning. */
  meanwhile?(trial: Trial): Promise<void>;
  strike(trial: Trial): Promise<Struck>;
}
