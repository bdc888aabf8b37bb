// Snaps of a host, and what is asked and read of them, for tests of its scripts.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JobResult } from '../../../src/domain/job.ts';
import type { UpdateResult } from '../../../src/domain/outcome.ts';
import type { PlannedUpdate } from '../../../src/domain/plan.ts';
import type { ScanMoment } from '../../../src/managers/contract/package-manager.ts';
import type { Sections } from '../../../src/managers/contract/sections.ts';
import { snap } from '../../../src/managers/snap/snap.ts';
import { parseFrame } from '../../../src/remote/frame.ts';
import { followJob, startJob } from '../../../src/remote/jobs.ts';
import type { StartOptions } from '../../../src/remote/jobs.ts';
import { runScript } from '../../../src/remote/launch.ts';
import { probeScript } from '../../../src/remote/scripts.ts';
import { ended } from '../hook-job.ts';
import type { SnapHost } from './host.ts';
import type { InstalledSnap } from './snapd.ts';

export const firefox: InstalledSnap = {
  ...{ name: 'firefox', version: '145.0-2', revision: '7298', tracking: 'latest/stable', publisher: 'mozilla' },
  offered: { version: '146.0-1', revision: '7355', size: 293_847_552 },
};
export const core: InstalledSnap = {
  ...{ name: 'core22', version: '20251105', revision: '2163', tracking: 'latest/stable', publisher: 'canonical' },
  type: 'base',
};
export const mysql: InstalledSnap = {
  ...{ name: 'mysql', version: '8.0.43', revision: '180', tracking: '8.0/stable', publisher: 'canonical' },
  offered: { version: '8.0.44', revision: '186', size: 160_000_000 },
};
export const moment = { collectedMs: 0, maxAgeMs: 0, facts: { osId: 'ubuntu' } } as ScanMoment;

function planned({ name, version, revision, offered }: InstalledSnap): PlannedUpdate {
  const to = offered ?? { version, revision };
  return {
    ...{ manager: 'snap', name, arch: '', from: `${version} (${revision})`, to: `${to.version} (${to.revision})` },
    ...{ class: 'unknown', origins: [], isKernel: false, reason: 'included', untried: false },
  };
}

export async function ask(host: SnapHost, verb: string, snaps: readonly InstalledSnap[] = []): Promise<Sections> {
  const managers = ['snap'];
  const fields = verb === 'simulate' ? { managers: 'snap' } : {};
  const { rows = [] } = snap.simulateRequest(snaps.map(planned));
  const request = { verb, managers, fields, ...(rows.length === 0 ? {} : { rows }) };
  const { stdout, stderr } = await runScript(host, probeScript(request), request);
  assert.equal(stderr.toString(), '');
  return parseFrame(stdout);
}

export function job(kind: 'install' | 'repair', snaps: readonly InstalledSnap[], lockWaitMs = 60_000): StartOptions {
  const settings = { lockWaitMs, conffile: 'keep-old', onDrift: 'refuse-host' } as never;
  const updates = snaps.map(planned);
  const request = kind === 'install' ? snap.installRequest(updates, settings) : snap.repairRequest?.(updates, settings);
  const controller = 'jump';
  return { job: `r1-${kind}-1`, kind, run: 'R1', controller, fence: 1, manager: 'snap', request: request ?? {} };
}

export async function done(host: SnapHost, start: StartOptions): Promise<JobResult> {
  await startJob(host, start);
  const { result, log } = await ended(host, start.job);
  assert.ok(result !== undefined, log.toString());
  return result;
}

export function outcomes(result: JobResult, snaps: readonly InstalledSnap[]): readonly Outcome[] {
  const updates = snaps.map(planned);
  return snap.readInstall(result, updates, updates).map(({ name, now, state, message }) => ({
    ...{ name, now, state },
    ...(message === undefined ? {} : { message }),
  }));
}

type Outcome = Pick<UpdateResult, 'name' | 'now' | 'state' | 'message'>;

/** Until the job has written this into its log. */
export async function logs(host: SnapHost, name: string, words: string): Promise<void> {
  for (let log = ''; !log.includes(words);) {
    const news = await followJob(host, name, 0, { waitSec: 5, maxBytes: 1024 * 1024 });
    log = news.log.toString();
    assert.equal(news.status.phase, 'running', log);
  }
}

/** Until the job says that it is at this. */
export async function notes(host: SnapHost, name: string, words: string): Promise<string> {
  for (;;) {
    const { status } = await followJob(host, name, 0, { waitSec: 0, maxBytes: 1 });
    if (status.note?.includes(words) === true) return status.note;
    assert.ok(['claimed', 'running'].includes(status.phase), `it ended without ${words}`);
  }
}

export function runnerOf(host: SnapHost, name: string): number {
  return Number(readFileSync(join(host.jobs, name, 'started', 'state'), 'utf8').split(' ')[0]);
}

/** The process id of the client that watches a change for the job. */
export async function clientOf(host: SnapHost, name: string): Promise<number> {
  const session = String(runnerOf(host, name));
  for (;;) {
    for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      const [stat, command] = [readProcess(pid, 'stat'), readProcess(pid, 'cmdline')];
      const [, , , inSession] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (inSession === session && command.includes('snap\0watch\0')) return Number(pid);
    }
    await followJob(host, name, 0, { waitSec: 0, maxBytes: 1 });
  }
}

/** Empty where the process is gone. */
function readProcess(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

export const foreign = {
  kind: 'auto-refresh',
  summary: 'Auto-refresh 2 snaps',
  names: ['core22', 'firefox'],
  tasks: ['a', 'b'],
};
/** What a host has in progress for ever that never reaches its store. */
export const device = {
  kind: 'become-operational',
  summary: 'Initialize device',
  names: [],
  tasks: ['Request device serial'],
};
