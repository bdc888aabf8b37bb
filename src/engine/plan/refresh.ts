import { asFettleError } from '../../domain/error.ts';
import type { Host } from '../../domain/host.ts';
import type { InstallSettings } from '../../domain/playbook.ts';
import type { HostScan } from '../../domain/scan.ts';
import { emit } from '../context.ts';
import type { HostContext, RunContext } from '../context.ts';
import { leaseRequest } from '../run-leases.ts';
import type { HostPort } from '../connection/host-port.ts';
import { managerJob } from '../job/job-order.ts';
import { concludeByExit, runJob } from '../job/run-job.ts';

const refreshTimeoutMs = 15 * 60_000;

export interface RefreshInput {
  readonly context: RunContext;
  readonly host: Host;
  readonly remote: HostPort;
  readonly scan: HostScan;
  readonly install: InstallSettings;
}

export interface Refreshed {
  readonly scan: HostScan;
  /** Why the metadata stayed as old as it was; undefined when it is fresh. */
  readonly warning?: string;
}

/**
 * Fetches package metadata that is older than allowed, or whose last refresh failed, as a job under a lease of its own,
 * and scans again. A host that cannot
 * be refreshed is planned from what it has, with a warning.
 */
export async function refreshWhenStale(input: RefreshInput): Promise<Refreshed> {
  const { context, host, scan } = input;
  const { isStale, refreshFailed } = scan.metadata;
  if (!isStale && refreshFailed === undefined) return { scan };
  if (!scan.privileges.isRoot) return { scan, warning: 'stale package metadata: refreshing it needs root' };
  if (scan.active !== undefined && scan.active.run !== context.run) {
    return { scan, warning: `stale package metadata: run ${scan.active.run} is working on it` };
  }
  const request = leaseRequest(context, [host.id], refreshTimeoutMs);
  const { taken, refused } = await context.record.acquireLeases(request);
  const [lease] = taken;
  if (lease === undefined) {
    return {
      scan,
      warning: `stale package metadata: run ${refused[0]?.run ?? 'of another'} has the lease on the host`,
    };
  }
  try {
    return await refreshUnderLease(input, lease.fence);
  } finally {
    await context.record.releaseLeases([{ run: context.run, hostId: host.id, fence: lease.fence }]);
  }
}

async function refreshUnderLease(input: RefreshInput, fence: number): Promise<Refreshed> {
  const { context, host, remote, install } = input;
  const of = { run: context.run, host: host.name, hostId: host.id, attempt: 1 };
  await emit(context, [{ type: 'host.started', ...of }]);
  const problem = await refreshAll(hostContext(input, fence), install, input.scan.managers);
  context.detach.throwIfAborted();
  const reason = problem ?? 'package metadata refreshed for a plan; nothing was installed';
  await emit(context, [{ type: 'host.finished', ...of, outcome: { verdict: 'skipped', change: 'none', reason } }]);
  const scan = await remote.scan({ maxAgeMs: install.maxAgeMs, signal: context.detach });
  return problem === undefined ? { scan } : { scan, warning: `stale package metadata: ${problem}` };
}

/** The first failure in words; the other package managers are refreshed all the same. */
async function refreshAll(
  context: HostContext,
  install: InstallSettings,
  managers: readonly string[],
): Promise<string | undefined> {
  const problems: string[] = [];
  for (const manager of managers) {
    const problem = await refreshOne(context, install, manager);
    if (problem !== undefined) problems.push(problem);
    context.detach.throwIfAborted();
  }
  return problems[0];
}

async function refreshOne(
  context: HostContext,
  install: InstallSettings,
  manager: string,
): Promise<string | undefined> {
  const request = context.packageManager(manager).refreshRequest?.(install.lockWaitMs);
  if (request === undefined) return undefined;
  try {
    const end = await runJob(context, managerJob({ step: 'refresh', manager, request, timeoutMs: refreshTimeoutMs }));
    const { ok, message } = concludeByExit(end);
    return ok ? undefined : `the refresh failed${message === undefined ? '' : `: ${message}`}`;
  } catch (thrown) {
    const error = asFettleError(thrown);
    if (error.code === 'ledger') throw error;
    return `the refresh failed: ${error.message}`;
  }
}

function hostContext({ context, host, remote }: RefreshInput, fence: number): HostContext {
  return { ...context, host, remote, fence, attempt: 1 };
}
