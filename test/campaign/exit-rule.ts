// The README's table of exit codes, applied to what the ledger says: independent of fettle's own rule.
import { canonicalize } from './canonical.ts';
import { selected } from './fleet.ts';
import type { RecordedEvent } from './record.ts';
import type { RolloutProcess } from './rollout-process.ts';
import type { Trial } from './trial.ts';

/** Codes of a process that was killed or asked to go. */
const killed = 137;
const interrupted = [130, 143];
const deniedCodes = ['auth', 'host-key', 'elevate'];

/** Every process that ended by itself is held against the verdicts that stood in the ledger at its end. */
export async function exitViolations(trial: Trial, recorded: readonly RecordedEvent[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const process of trial.processes.slice(trial.forgottenProcesses)) {
    if (!process.hasEnded) continue;
    const { code } = await process.done();
    const what = `fettle ${process.words.slice(0, 2).join(' ')}`;
    if (code === killed) continue;
    if (code === 1) found.push(`${what} ends with 1, a fault of its own`);
    const end = process.events.find((event) => event.type === 'run.finished');
    if (end !== undefined && end.exitCode !== code) {
      found.push(`${what} ends with ${code}, its run.finished says ${end.exitCode}`);
    }
    if (end !== undefined && !interrupted.includes(code)) {
      const expected = expectedCode(process, recorded);
      if (expected !== code) found.push(`${what} ends with ${code}; the verdicts it recorded mean ${expected}`);
    }
  }
  return found;
}

function expectedCode(process: RolloutProcess, recorded: readonly RecordedEvent[]): number {
  const verdicts = verdictsAtEnd(process, recorded);
  const isStopped = process.events.some((event) => event.type === 'run.stopping' && event.cause === 'budget');
  const codes = [...verdicts.values()];
  const opening = process.events.find((event) => event.type === 'run.started' || event.type === 'run.resumed');
  const absent = (opening?.absent ?? []).map(({ kind }) => kind);
  if (codes.some((item) => item.error === 'locked')) return 11;
  if (codes.length === selected.length && codes.every((item) => item.error === 'denied')) return 12;
  if (isStopped) return 7;
  if (codes.some(({ verdict }) => ['unhealthy', 'pending-reboot', 'pending-restart'].includes(verdict))) return 6;
  if (codes.some(({ verdict }) => ['failed', 'lost', 'drifted', 'skipped'].includes(verdict))) return 4;
  if (absent.includes('duplicate')) return 4;
  if (codes.some(({ verdict }) => verdict === 'unreachable')) return 5;
  if (absent.some((kind) => kind === 'unreachable' || kind === 'failed')) return 5;
  return 0;
}

interface Ending {
  readonly verdict: string;
  readonly error?: 'locked' | 'denied';
}

/** The last verdict of every host of the run when the process wrote its end. */
function verdictsAtEnd(process: RolloutProcess, recorded: readonly RecordedEvent[]): ReadonlyMap<string, Ending> {
  const endings = new Map<string, Ending>();
  for (const { event } of recorded.slice(0, endIndex(process, recorded))) {
    if (event.type !== 'host.finished' || event.run !== process.events[0]?.run) continue;
    const { verdict, error } = event.outcome;
    const code = error?.code ?? '';
    const isLocked = verdict === 'skipped' && code === 'lock-held';
    const kind = isLocked ? 'locked' : deniedCodes.includes(code) ? 'denied' : undefined;
    endings.set(event.host, { verdict, ...(kind === undefined ? {} : { error: kind }) });
  }
  return endings;
}

/** Where in the ledger its `run.finished` stands: the first of its words behind its opening, which has its process id. */
function endIndex(process: RolloutProcess, recorded: readonly RecordedEvent[]): number {
  const words = recorded.map(({ event }) => canonicalize(event));
  const opening = process.events.find((event) => event.type === 'run.started' || event.type === 'run.resumed');
  const end = process.events.find((event) => event.type === 'run.finished');
  const from = words.indexOf(canonicalize(opening));
  return words.indexOf(canonicalize(end), Math.max(0, from));
}
