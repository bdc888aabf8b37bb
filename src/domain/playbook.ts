import type { RebootMode } from './host.ts';
import type { UpdateClass } from './update.ts';

/** `25%` or a number; `rest` takes what is left. */
export type Amount =
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'percent'; readonly percent: number }
  | { readonly kind: 'rest' };

export interface Budget {
  /** Spent when the count *exceeds* it. With both, the smaller holds. */
  readonly max?: number;
  /** Of the hosts of the run (of the wave, for a wave's own budget), rounded down. */
  readonly percent?: number;
  /** `percent` never comes to fewer than this. */
  readonly atLeast?: number;
  readonly counts: readonly BudgetClass[];
}

export type BudgetClass = 'failed' | 'unreachable' | 'unverified' | 'drifted';

export interface WaveSpec {
  readonly name: string;
  /** Inventory pattern and/or variable match that narrows the hosts this wave may take. */
  readonly select?: string;
  readonly where?: Readonly<Record<string, string | number | boolean>>;
  readonly take: Amount;
  readonly concurrency?: number;
  /** Besides the run's; the first of several waves has one of 0 unless it is given another. */
  readonly budget?: Budget;
}

export interface UpdateRule {
  readonly class?: UpdateClass | 'any';
  /** Names of package managers. */
  readonly managers?: readonly string[];
  /** Globs on package names; KB numbers and update ids of Windows Update. */
  readonly packages?: readonly string[];
  /** Globs on titles, whatever their case. */
  readonly titles?: readonly string[];
  /** Windows Update's classifications: `security`, `critical`, `rollup`, `driver` … */
  readonly classifications?: readonly string[];
  /** The publisher's own words, whatever their case: `critical`, `important`, `moderate`, `low`. */
  readonly severities?: readonly string[];
}

export interface Policy {
  /** Empty = everything. */
  readonly include: readonly UpdateRule[];
  readonly exclude: readonly UpdateRule[];
  readonly securityOnly: boolean;
  /** Held packages are never updated; phased updates only where included. */
  readonly includePhased: boolean;
  readonly newPackages: 'allow' | 'refuse';
}

export type OnDrift = 'refuse-host' | 'skip-package' | 'supersede';

export interface InstallSettings {
  /** When it has passed, the job is reported as still running, never killed. */
  readonly timeoutMs: number;
  readonly lockWaitMs: number;
  readonly conffile: 'keep-old' | 'take-new';
  readonly onDrift: OnDrift;
  /** Windows: `download` installs nothing, `cached` downloads nothing; absent = both. */
  readonly mode?: 'download' | 'cached';
  readonly restartServices: 'never' | 'report' | 'stale';
  /** Metadata older than this is refreshed by `plan`. */
  readonly maxAgeMs: number;
}

export interface RebootSettings {
  readonly mode: RebootMode;
  /** True where the playbook or `patch_reboot` names the mode: what is pending because of it is then intended (exit 0). */
  readonly isWritten?: boolean;
  readonly max: number;
  readonly goDownMs: number;
  readonly comeBackMs: number;
  readonly settleMs: number;
  /** No limits are set: a host whose system takes longer by its nature gets longer ones. */
  readonly hasDefaultLimits?: true;
  /** Hosts rebooting at once. */
  readonly concurrency?: number;
  /** Left alone while a user is logged on. */
  readonly ifIdle?: true;
  /** Shut down instead, once, and not queried afterwards. */
  readonly power?: 'off';
}

export interface VerifySettings {
  readonly failedUnits: 'fail' | 'warn' | 'ignore';
  readonly listeners: 'fail' | 'warn' | 'ignore';
  readonly staleProcesses: 'fail' | 'warn' | 'ignore';
  /** Globs on units and listeners to leave out. */
  readonly ignore: readonly string[];
  readonly retries: number;
  readonly retryDelayMs: number;
}

export type HookWhen = 'before_host' | 'before_reboot' | 'after_host';

export interface Hook {
  readonly name: string;
  /** An argument list for the controller; `{{host}}` in an argument is replaced by the inventory name. */
  readonly local?: readonly string[];
  /** Script text for the host, run by `sh`. */
  readonly remote?: string;
  readonly timeoutMs: number;
  readonly onError: 'fail-host' | 'warn';
  /** Only for `after_host`: also when the host failed. */
  readonly runs: 'always' | 'on-success';
}

export interface Playbook {
  readonly name: string;
  readonly description?: string;
  readonly targets: {
    readonly select: string;
    readonly guard: { readonly minHosts?: number; readonly maxHosts?: number; readonly maxSharePercent?: number };
  };
  readonly policy: Policy;
  readonly rollout: Rollout;
  readonly install: InstallSettings;
  readonly reboot: RebootSettings;
  readonly verify: VerifySettings;
  readonly hooks: Readonly<Record<HookWhen, readonly Hook[]>>;
  /** How long a plan made from this playbook may be applied. */
  readonly planExpiresMs: number;
  /** SHA-256 of the file's bytes, hex. */
  readonly sha256: string;
}

export interface Rollout {
  readonly waves: readonly WaveSpec[];
  readonly concurrency: number;
  /** Hosts at once of one update server. */
  readonly perSource?: number;
  readonly order: 'inventory' | 'shuffle';
  readonly budget: Budget;
}

/** What a silent playbook means. */
export const playbookDefaults = {
  waves: [
    { name: 'first', take: { kind: 'count', count: 1 } },
    { name: 'ten-percent', take: { kind: 'percent', percent: 10 } },
    { name: 'rest', take: { kind: 'rest' } },
  ],
  concurrency: 20,
  budget: { percent: 5, atLeast: 1, counts: ['failed', 'unreachable', 'unverified', 'drifted'] },
} as const satisfies { waves: readonly WaveSpec[]; concurrency: number; budget: Budget };
