// Scans and installations on a simulated Windows host, as the manager asks for them and reads them, without the engine.
import assert from 'node:assert/strict';
import type { JobResult } from '../../src/domain/job.ts';
import type { UpdateResult } from '../../src/domain/outcome.ts';
import type { HostPlan, PlannedUpdate } from '../../src/domain/plan.ts';
import type { HostScan } from '../../src/domain/scan.ts';
import type { Simulation } from '../../src/domain/simulation.ts';
import type { Update } from '../../src/domain/update.ts';
import type { Sections } from '../../src/managers/contract/manager.ts';
import { windowsUpdate } from '../../src/managers/windows-update/windows-update.ts';
import { parseFrame } from '../../src/remote/frame.ts';
import { followJob, startJob } from '../../src/remote/jobs.ts';
import { runScript } from '../../src/remote/launch.ts';
import type { ScriptInput, ScriptRequest } from '../../src/remote/script.ts';
import { probeScript } from '../../src/remote/scripts.ts';
import { createWindowsHost } from './windows-host.ts';
import type { WindowsHost } from './windows-host.ts';
import type { WindowsModel } from './windows-model.ts';
import { WindowsSession } from './windows-session.ts';

const quick = { pause_ms: 10, wait: 240 };

export function host(updates: WindowsModel['updates'], model: Partial<WindowsModel> = {}): WindowsHost {
  return createWindowsHost({ model: { updates, ...model } });
}

export async function ask(windows: WindowsHost, request: ScriptRequest): Promise<Sections> {
  const fields = { ...quick, ...request.fields };
  return parseFrame((await runScript(new WindowsSession(windows), probeScript(), { ...request, fields })).stdout);
}

export async function scan(windows: WindowsHost, fields: Record<string, string | number> = {}): Promise<HostScan> {
  return windowsUpdate.parseScan(await ask(windows, { verb: 'probe', fields }), Date.now(), 86_400_000);
}

export async function simulate(windows: WindowsHost, updates: readonly Update[]): Promise<Simulation> {
  return windowsUpdate.parseSimulation(await ask(windows, windowsUpdate.simulateRequest(updates)));
}

export const settings = {
  timeoutMs: 3_600_000,
  lockWaitMs: 0,
  conffile: 'keep-old',
  onDrift: 'refuse-host',
  restartServices: 'never',
  maxAgeMs: 86_400_000,
} as const;

export function planned({ name, arch, from, to, class: of, origins, isKernel }: Update): PlannedUpdate {
  return { name, arch, from, to, class: of, origins, isKernel, reason: 'wanted', untried: false };
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
): Promise<Installed> {
  const session = new WindowsSession(windows);
  jobs += 1;
  const job = `r1-w-${kind}-${jobs}`;
  const fields = { ...request.fields, pause_ms: 10 };
  await startJob(session, { job, kind, run: 'R1', controller: 'c', fence: 1, request: { ...request, fields } });
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
  const request = windowsUpdate.installRequest(plan, settings);
  const done = await work(windows, 'install', { ...request, fields: { ...request.fields, ...more } });
  const hostPlan = { updates: plan } as const satisfies Pick<HostPlan, 'updates'>;
  return { ...done, updates: () => windowsUpdate.readInstall(done.result, { ...emptyPlan, ...hostPlan }, plan) };
}

const emptyPlan: HostPlan = {
  host: 'win01',
  hostId: 'h',
  wave: 0,
  manager: 'windows-update',
  osName: '',
  updates: [],
  removals: [],
  leftOut: [],
  securityKnown: true,
  downloadBytes: 0,
  reboot: { expected: false, reasons: [] },
  rebootSettings: { mode: 'if-needed', max: 2, goDownMs: 1, comeBackMs: 1, settleMs: 1 },
  inventorySha256: '',
  clusters: [],
};

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
