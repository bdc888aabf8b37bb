import type { Host } from '../../domain/host.ts';
import { viaOf } from '../../domain/jump.ts';
import { inventorySha256 } from './inventory-hash.ts';
import { withFamilyLimits } from './plan-host.ts';
import type { HostPlan, Plan } from '../../domain/plan.ts';
import type { InstallSettings, RebootSettings, VerifySettings } from '../../domain/playbook.ts';

/** A stand-alone reboot has no playbook. */
const noPlaybook = '0'.repeat(64);

export interface RebootPlanInput {
  readonly id: string;
  /** `reboot` or `shutdown`. */
  readonly name: string;
  readonly hosts: readonly Host[];
  /** `always`, or `if-needed` for those that are pending. */
  readonly settings: RebootSettings;
  readonly install: InstallSettings;
  readonly verify: VerifySettings;
  /** Hosts rebooting at once. */
  readonly concurrency: number;
  /** Hosts that may fail before the rest is left alone. */
  readonly maxFailures: number;
  readonly createdMs: number;
  readonly fettleVersion: string;
  readonly select: string;
  readonly seed: number;
  /** Host → hosts of the list that its connection passes through. */
  readonly via: ReadonlyMap<string, readonly string[]>;
}

/**
 * The plan of a stand-alone `fettle reboot` or `fettle shutdown`: no update, one wave. `applyPlan` carries it out by the machinery of every
 * other run: leases, budget, clusters, proof by boot id, verify, resume. `patch_reboot: never` holds here too.
 */
export function rebootPlan(input: RebootPlanInput): Plan {
  const { hosts, name, settings, concurrency } = input;
  const budget = { max: input.maxFailures, counts: ['failed', 'unreachable', 'unverified', 'drifted'] } as const;
  const names = hosts.map((host) => host.name);
  return {
    kind: 'plan',
    version: 2,
    id: input.id,
    createdMs: input.createdMs,
    expiresMs: input.createdMs,
    fettleVersion: input.fettleVersion,
    playbook: { name, sha256: noPlaybook },
    select: input.select,
    seed: input.seed,
    concurrency,
    budget,
    waves: [{ name, hosts: names, concurrency, budget }],
    policy: { include: [], exclude: [], securityOnly: false, includePhased: false, newPackages: 'refuse' },
    install: input.install,
    reboot: { ...settings, concurrency },
    verify: input.verify,
    hooks: { before_host: [], before_reboot: [], after_host: [] },
    hosts: hosts.map((host) => ({
      ...hostPlanOf(host, { ...withFamilyLimits(host, settings), isWritten: true }),
      ...viaOf(input.via, host.name),
    })),
    absent: [],
    warnings: [],
  };
}

function hostPlanOf(host: Host, rebootSettings: RebootSettings): HostPlan {
  return {
    host: host.name,
    hostId: host.id,
    wave: 0,
    managers: [],
    steps: [],
    osName: '',
    updates: [],
    removals: [],
    leftOut: [],
    securityKnown: true,
    downloadBytes: 0,
    reboot: { expected: true, reasons: [] },
    rebootSettings,
    inventorySha256: inventorySha256(host),
    clusters: host.patch.clusters,
  };
}
