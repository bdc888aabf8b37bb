// What is written, with what silence means, in the words of the domain.
import { playbookDefaults } from '../../domain/playbook.ts';
import type {
  Amount,
  Budget,
  Hook,
  InstallSettings,
  Playbook,
  Policy,
  RebootSettings,
  Rollout,
  UpdateRule,
  VerifySettings,
  WaveSpec,
} from '../../domain/playbook.ts';
import { parseAmount, parsePercent } from './amount.ts';
import { parseDurationMs } from './duration.ts';
import type { WrittenPlaybook } from './schema.ts';

type Written<Key extends keyof WrittenPlaybook> = NonNullable<WrittenPlaybook[Key]>;
type WrittenRollout = Written<'rollout'>;
type WrittenBudget = NonNullable<WrittenRollout['budget']>;
type WrittenWave = NonNullable<WrittenRollout['waves']>[number];
type WrittenHook = NonNullable<Written<'hooks'>['after_host']>[number];
type WrittenRule = NonNullable<Written<'policy'>['include']>[number];

/** The playbook with its defaults. What is written must have passed the schema. */
export function settlePlaybook(written: WrittenPlaybook, sha256: string): Playbook {
  const { name, description, targets, hooks } = written;
  const { min_hosts: minHosts, max_hosts: maxHosts, max_share_of_inventory: share } = targets.guard ?? {};
  const maxSharePercent = share === undefined ? undefined : parsePercent(share);
  return {
    name,
    ...given({ description }),
    targets: { select: targets.select, guard: given({ minHosts, maxHosts, maxSharePercent }) },
    policy: settlePolicy(written.policy ?? {}),
    rollout: settleRollout(written.rollout ?? {}),
    install: settleInstall(written.install ?? {}),
    reboot: settleReboot(written.reboot),
    verify: settleVerify(written.verify ?? {}),
    hooks: {
      before_host: (hooks?.before_host ?? []).map(settleHook),
      before_reboot: (hooks?.before_reboot ?? []).map(settleHook),
      after_host: (hooks?.after_host ?? []).map(settleHook),
    },
    planExpiresMs: ms(written.plan?.expires, '7d'),
    sha256,
  };
}

type Given<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** Without the keys that are undefined. */
function given<T extends object>(values: T): Given<T> {
  const kept: Given<T> = {};
  for (const key in values) {
    const value = values[key];
    if (isGiven(value)) kept[key] = value;
  }
  return kept;
}

function isGiven<T>(value: T): value is Exclude<T, undefined> {
  return value !== undefined;
}

function ms(written: string | undefined, otherwise: string): number {
  return parseDurationMs(written ?? otherwise) ?? 0;
}

function settlePolicy(written: Written<'policy'>): Policy {
  const { include = [], exclude = [] } = written;
  return {
    include: include.map(settleRule),
    exclude: (Array.isArray(exclude) ? exclude : [exclude]).map(settleRule),
    securityOnly: written.security_only ?? false,
    includePhased: written.include_phased ?? false,
    newPackages: written.new_packages ?? 'allow',
  };
}

function settleRule({ class: updateClass, ...named }: WrittenRule): UpdateRule {
  return given({ class: updateClass, ...named });
}

function settleRollout(written: WrittenRollout): Rollout {
  const { waves } = written;
  return {
    waves: waves === undefined ? playbookDefaults.waves : waves.map(settleWave),
    concurrency: written.concurrency ?? playbookDefaults.concurrency,
    ...given({ perSource: written.per_source }),
    order: written.order ?? 'inventory',
    budget: written.budget === undefined ? playbookDefaults.budget : settleBudget(written.budget),
  };
}

function settleBudget({ max, percent, counts }: WrittenBudget): Budget {
  const limits = given({ max, percent: percent === undefined ? undefined : parsePercent(percent) });
  return { ...limits, counts: counts ?? playbookDefaults.budget.counts };
}

function settleWave(written: WrittenWave, index: number): WaveSpec {
  if (typeof written !== 'object') {
    const take = amountOf(written);
    return { name: waveName(take, index), take };
  }
  const { name, select, where, concurrency } = written;
  const take = amountOf(written.take ?? 'rest');
  const budget = written.budget === undefined ? undefined : settleBudget(written.budget);
  return { name: name ?? waveName(take, index), take, ...given({ select, where, concurrency, budget }) };
}

function amountOf(written: string | number): Amount {
  return parseAmount(written) ?? { kind: 'rest' };
}

function waveName(take: Amount, index: number): string {
  return take.kind === 'rest' ? 'rest' : `wave-${index + 1}`;
}

function settleInstall(written: Written<'install'>): InstallSettings {
  const onDrift = written.on_drift ?? 'refuse';
  return {
    timeoutMs: ms(written.timeout, '60m'),
    lockWaitMs: ms(written.lock_wait, '10m'),
    conffile: written.conffile ?? 'keep-old',
    onDrift: onDrift === 'refuse' ? 'refuse-host' : onDrift,
    restartServices: written.restart_services ?? 'report',
    maxAgeMs: ms(written.max_age, '6h'),
    ...given({ mode: written.mode }),
  };
}

function settleReboot(written: WrittenPlaybook['reboot']): RebootSettings {
  const settings = typeof written === 'string' ? { mode: written } : (written ?? {});
  const hasLimits = [settings.go_down, settings.come_back, settings.settle].some((limit) => limit !== undefined);
  return {
    mode: settings.mode ?? 'never',
    ...(settings.mode === undefined ? {} : { isWritten: true }),
    max: settings.max ?? 2,
    goDownMs: ms(settings.go_down, '120s'),
    comeBackMs: ms(settings.come_back, '600s'),
    settleMs: ms(settings.settle, '60s'),
    ...(hasLimits ? {} : { hasDefaultLimits: true }),
    ...given({ concurrency: settings.concurrency }),
    ...(settings.if_idle === true ? { ifIdle: true } : {}),
  };
}

function settleVerify(written: Written<'verify'>): VerifySettings {
  return {
    failedUnits: written.failed_units ?? 'fail',
    listeners: written.listeners ?? 'fail',
    staleProcesses: written.stale_processes ?? 'warn',
    ignore: written.ignore ?? [],
    retries: written.retries ?? 3,
    retryDelayMs: ms(written.retry_delay, '5s'),
  };
}

function settleHook({ name, local, remote, timeout, on_error: onError, runs }: WrittenHook): Hook {
  return {
    name,
    ...given({ local, remote }),
    timeoutMs: ms(timeout, '5m'),
    onError: onError ?? 'fail-host',
    runs: runs ?? 'on-success',
  };
}
