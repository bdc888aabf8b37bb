// What must be true after any fault, judged by the hosts and the ledger's rows. Every function answers with what is not.
import { canonicalize } from './canonical.ts';
import { exitViolations } from './exit-rule.ts';
import { bystander, selected } from './fleet.ts';
import { readTruth } from './host-truth.ts';
import type { HostTruth } from './host-truth.ts';
import { readEvents } from './record.ts';
import type { RecordedEvent } from './record.ts';
import type { Trial } from './trial.ts';

/** While the fault may still hold: what fettle says must be true, and nothing beyond the budget may have begun. */
export async function violationsUnderTheFault(trial: Trial): Promise<readonly string[]> {
  const recorded = await recordOf(trial);
  return [
    ...(await verdictViolations(trial, recorded)),
    ...missingEvents(trial, recorded),
    ...(await exitViolations(trial, recorded)),
  ];
}

/** After the fault was healed and the run resumed to its end. */
export async function violationsAtTheEnd(trial: Trial): Promise<readonly string[]> {
  const recorded = await recordOf(trial);
  return [
    ...(await ledgerViolations(trial)),
    ...missingEvents(trial, recorded),
    ...budgetViolations(trial, recorded),
    ...(await exitViolations(trial, recorded)),
    ...(await hostViolations(trial, recorded)),
    ...(await bystanderViolations(trial, recorded)),
  ];
}

/** Nothing where there is no ledger yet; a ledger that cannot be read is judged by `ledger verify`. */
async function recordOf(trial: Trial): Promise<readonly RecordedEvent[]> {
  try {
    return readEvents(trial.lab.ledgerPath);
  } catch {
    return [];
  }
}

async function ledgerViolations(trial: Trial): Promise<readonly string[]> {
  const { code, stdout, stderr } = await trial.lab.run(['ledger', 'verify']);
  return code === 0 ? [] : [`ledger verify ends with ${code}: ${`${stdout}${stderr}`.trim().slice(-300)}`];
}

/** An event that was shown was committed before: it must be there, whatever happened since. */
function missingEvents(trial: Trial, recorded: readonly RecordedEvent[]): readonly string[] {
  const known = new Set(recorded.map(({ event }) => canonicalize(event)));
  return trial.processes
    .slice(trial.forgottenProcesses)
    .flatMap(({ events, words }) =>
      events
        .filter((event) => event.type !== 'host.scanned' && !known.has(canonicalize(event)))
        .map((event) => `${words.join(' ')} showed ${event.type} that the ledger lacks: ${canonicalize(event)}`),
    );
}

/** Every verdict that stands in the ledger now is held against the host. */
async function verdictViolations(trial: Trial, recorded: readonly RecordedEvent[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [host, verdict] of lastVerdicts(recorded)) {
    const { state } = await trial.lab.host(host).status();
    if (state !== 'on') continue;
    const truth = await readTruth(trial.lab.host(host));
    if (verdict === 'verified') found.push(...notAsPlanned(trial, host, truth).map((what) => `verified, but ${what}`));
    if (verdict === 'unreachable' && installJobs(recorded, host).some((job) => truth.jobs.includes(job))) {
      found.push(`${host} is called unreachable although an install was begun there`);
    }
  }
  return found;
}

function lastVerdicts(recorded: readonly RecordedEvent[]): ReadonlyMap<string, string> {
  const verdicts = new Map<string, string>();
  for (const { event } of recorded) {
    if (event.type === 'host.started') verdicts.delete(event.host);
    if (event.type === 'host.finished') verdicts.set(event.host, event.outcome.verdict);
  }
  return verdicts;
}

/** Those that the record names; whether one ever reached the host is for the host to say. */
function installJobs(recorded: readonly RecordedEvent[], host: string): readonly string[] {
  return recorded.flatMap(({ event }) =>
    event.type === 'step.started' && event.host === host && event.step === 'install' && event.job !== undefined
      ? [event.job]
      : [],
  );
}

function notAsPlanned(trial: Trial, host: string, truth: HostTruth): readonly string[] {
  const plan = trial.plans.find((item) => item.host === host);
  const updates = plan?.updates ?? [];
  const wrong = updates.flatMap(({ name, to }) => {
    const { status, version } = truth.packages.get(name) ?? { status: 'absent', version: '' };
    return status === 'ii' && version === to ? [] : [`${host} has ${name} ${status} ${version}, planned was ${to}`];
  });
  const mustReboot = plan?.reboot.expected === true;
  const hasRebooted = truth.bootId !== trial.before.get(host)?.bootId;
  return mustReboot && !hasRebooted ? [...wrong, `${host} did not reboot`] : wrong;
}

/** How the selected hosts must be when all is over. */
async function hostViolations(trial: Trial, recorded: readonly RecordedEvent[]): Promise<readonly string[]> {
  const found: string[] = [];
  const verdicts = lastVerdicts(recorded);
  for (const host of selected) {
    const verdict = verdicts.get(host);
    if (verdict !== 'verified') found.push(`${host} ends as ${verdict ?? 'open'}`);
    const truth = await readTruth(trial.lab.host(host));
    found.push(...notAsPlanned(trial, host, truth));
    found.push(...unwellPackages(host, truth), ...repeatedPostinsts(trial, host, { truth, recorded }));
    for (const path of truth.leftovers.filter((item) => !isOfForgottenRun(item, recorded))) {
      found.push(`${host}: left behind ${path}`);
    }
    for (const process of truth.processes) found.push(`${host}: still running ${process}`);
    for (const unit of truth.units) found.push(`${host}: still loaded ${unit}`);
    if (!truth.hooks.includes('after_host')) found.push(`${host}: the after_host hook never ran`);
  }
  return found;
}

/** A job of a run that the ledger does not know may be somebody else's: it is swept when it is a week old. */
function isOfForgottenRun(path: string, recorded: readonly RecordedEvent[]): boolean {
  const run = /^\/var\/lib\/fettle-jobs\/jobs\/([0-9a-z]{26})-/.exec(path)?.[1]?.toUpperCase();
  return run !== undefined && !recorded.some(({ event }) => event.type === 'run.started' && event.run === run);
}

function unwellPackages(host: string, truth: HostTruth): readonly string[] {
  return [...truth.packages]
    .filter(([, { status }]) => !['ii', 'hi', 'rc', 'un', 'pn'].includes(status))
    .map(([name, { status, version }]) => `${host}: ${name} ${version} is left ${status}`);
}

interface HostEvidence {
  readonly truth: HostTruth;
  readonly recorded: readonly RecordedEvent[];
}

/** A postinst of a planned version runs once for each attempt that installed, and once for each recorded repair. */
function repeatedPostinsts(trial: Trial, host: string, { truth, recorded }: HostEvidence): readonly string[] {
  const jobs = new Set<string>();
  for (const { event } of recorded) {
    if (event.type !== 'step.started' || event.host !== host || event.job === undefined) continue;
    if (event.step === 'install' || event.step === 'repair') jobs.add(event.job);
  }
  const updates = trial.plans.find((item) => item.host === host)?.updates ?? [];
  return updates.flatMap(({ name, to }) => {
    const runs = truth.postinsts.filter((line) => line === `${name} ${to}`).length;
    const allowed = Math.max(1, jobs.size);
    return runs > allowed ? [`${host}: the postinst of ${name} ran ${runs} times in ${jobs.size} recorded jobs`] : [];
  });
}

const bad = ['failed', 'unreachable', 'lost', 'drifted', 'unhealthy'];

/**
 * The playbook allows no bad host in the first wave and one in all. Beyond that, and after `run.stopping`, no install
 * begins on a host that was not in flight, until the run is resumed.
 */
function budgetViolations(trial: Trial, recorded: readonly RecordedEvent[]): readonly string[] {
  const waves = new Map(trial.plans.map(({ host, wave }) => [host, wave]));
  const found: string[] = [];
  const spent = new Set<string>();
  const inFlight = new Set<string>();
  let isStopping = false;
  // Before the first wave every host is looked at; that puts none in flight.
  let hasWaves = false;
  for (const { event } of recorded) {
    if (event.type === 'run.resumed' || event.type === 'run.started') {
      hasWaves = false;
      isStopping = false;
      spent.clear();
      inFlight.clear();
    }
    if (event.type === 'wave.started') hasWaves = true;
    if (event.type === 'run.stopping') isStopping = true;
    if (event.type === 'host.finished') {
      inFlight.delete(event.host);
      if (bad.includes(event.outcome.verdict)) spent.add(event.host);
    }
    if (event.type !== 'step.started') continue;
    const isFirstWave = waves.get(event.host) === 0;
    const isSpent = spent.size > 1 || (!isFirstWave && [...spent].some((host) => waves.get(host) === 0));
    if (event.step === 'install' && (isStopping || isSpent) && !inFlight.has(event.host)) {
      found.push(`${event.host}: an install began after the budget was spent or the rollout stopped`);
    }
    if (hasWaves) inFlight.add(event.host);
  }
  return found;
}

async function bystanderViolations(trial: Trial, recorded: readonly RecordedEvent[]): Promise<readonly string[]> {
  const truth = await readTruth(trial.lab.host(bystander));
  const before = trial.before.get(bystander);
  const found: string[] = [];
  if (truth.jobs.length > 0 || truth.leftovers.length > 0)
    found.push('something was run on a host outside the selection');
  if (truth.bootId !== before?.bootId) found.push('a host outside the selection was rebooted');
  if (JSON.stringify([...truth.packages]) !== JSON.stringify([...(before?.packages ?? [])]))
    found.push('a host outside the selection was patched');
  if (recorded.some(({ event }) => 'host' in event && event.host === bystander)) {
    found.push('the ledger has events of a host outside the selection');
  }
  return found;
}
