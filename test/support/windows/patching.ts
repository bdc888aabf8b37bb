// Scans and installations on a simulated Windows host, as the manager asks for them and reads them, without the engine.
import assert from 'node:assert/strict';
import type { JobResult } from '../../../src/domain/job.ts';
import type { UpdateResult } from '../../../src/domain/outcome.ts';
import type { PlannedUpdate } from '../../../src/domain/plan.ts';
import type { HostScan } from '../../../src/domain/scan.ts';
import type { Simulation } from '../../../src/domain/simulation.ts';
import type { Update } from '../../../src/domain/update.ts';
import type { PackageManager } from '../../../src/managers/contract/package-manager.ts';
import type { Sections } from '../../../src/managers/contract/sections.ts';
import { readHostScan } from '../../../src/managers/host-scan.ts';
import { packageManagerNamed } from '../../../src/managers/registry.ts';
import { parseFrame } from '../../../src/remote/frame.ts';
import { followJob, startJob } from '../../../src/remote/jobs.ts';
import { runScript } from '../../../src/remote/launch.ts';
import type { ScriptInput, ScriptRequest } from '../../../src/remote/script.ts';
import { probeScript } from '../../../src/remote/scripts.ts';
import { createWindowsHost } from './host.ts';
import type { WindowsHost } from './host.ts';
import type { WindowsModel } from './model.ts';
import { WindowsSession } from './session.ts';

const quick = { pause_ms: 10, wait: 240 };

export function host(updates: WindowsModel['updates'], model: Partial<WindowsModel> = {}): WindowsHost {
  return createWindowsHost({ model: { updates, ...model } });
}

export async function ask(windows: WindowsHost, request: ScriptRequest): Promise<Sections> {
  const fields = { ...quick, ...request.fields };
  return parseFrame((await runScript(new WindowsSession(windows), probeScript(), { ...request, fields })).stdout);
}

export async function scan(windows: WindowsHost, fields: Record<string, string | number> = {}): Promise<HostScan> {
  const sections = await ask(windows, { verb: 'probe', fields });
  return readHostScan(sections, { collectedMs: Date.now(), maxAgeMs: 86_400_000 });
}

/** All of one package manager. */
export async function simulate(windows: WindowsHost, updates: readonly Update[]): Promise<Simulation> {
  const manager = managerOf(updates);
  const request = { ...manager.simulateRequest(updates), verb: 'simulate', managers: [manager.name] };
  return manager.parseSimulation(await ask(windows, request));
}

function managerOf(updates: readonly Update[]): PackageManager {
  const names = [...new Set(updates.map((update) => update.manager))];
  assert.equal(names.length, 1, names.join());
  return packageManagerNamed(names[0] ?? '');
}

export const settings = {
  timeoutMs: 3_600_000,
  lockWaitMs: 0,
  conffile: 'keep-old',
  onDrift: 'refuse-host',
  restartServices: 'never',
  maxAgeMs: 86_400_000,
} as const;

export function planned({ manager, name, arch, from, to, class: of, origins, isKernel }: Update): PlannedUpdate {
  return { manager, name, arch, from, to, class: of, origins, isKernel, reason: 'wanted', untried: false };
}

export interface Installed {
  readonly result: JobResult;
  readonly log: string;
  readonly updates: () => readonly UpdateResult[];
}

let jobs = 0;

export async function work(
  windows: WindowsHost,
  kind: 'install' | 'refresh' | 'repair',
  request: ScriptInput,
  manager = 'windows-update',
): Promise<Installed> {
  const session = new WindowsSession(windows);
  jobs += 1;
  const job = `r1-w-${kind}-${jobs}`;
  const fields = { ...request.fields, pause_ms: 10 };
  await startJob(session, {
    job,
    kind,
    run: 'R1',
    controller: 'c',
    fence: 1,
    manager,
    request: { ...request, fields },
  });
  let [offset, log] = [0, ''];
  for (;;) {
    const news = await followJob(session, job, offset, { waitSec: 10, maxBytes: 1_048_576 });
    offset = news.offset;
    log += news.log.toString();
    if (news.result !== undefined && news.log.length === 0) {
      return { result: news.result, log, updates: () => [] };
    }
    assert.ok(['claimed', 'running', 'done'].includes(news.status.phase), `${news.status.phase}: ${log}`);
  }
}

export async function install(
  windows: WindowsHost,
  updates: readonly Update[],
  more: Record<string, string> = {},
): Promise<Installed> {
  const plan = updates.map(planned);
  const manager = managerOf(updates);
  const request = manager.installRequest(plan, settings);
  const input = { ...request, fields: { ...request.fields, ...more } };
  const done = await work(windows, 'install', input, manager.name);
  return { ...done, updates: () => manager.readInstall(done.result, plan, plan) };
}

export function states(results: readonly UpdateResult[]): readonly string[] {
  return results.map((item) => `${item.name} ${item.state}`);
}

export const free = (found: HostScan): readonly Update[] =>
  found.updates.filter((update) => update.heldBack === undefined);
export const history = (windows: WindowsHost): readonly string[] =>
  windows
    .model()
    .history.map((entry) => /\((KB\d+)\)/.exec(entry.title)?.[1] ?? entry.title)
    .toReversed();

export async function createAgent(wanted: Partial<WindowsModel['agent']>): Promise<{ agent: WindowsModel['agent'] }> {
  await using plain = host([]);
  return { agent: { ...plain.model().agent, ...wanted } };
}
