import { readEvents } from './record.ts';
import type { RecordedEvent } from './record.ts';
import type { Trial } from './trial.ts';

/** A trial for whoever has to find out what went wrong: the ledger's events in short, the processes' last words. */
export async function storyOf(trial: Trial): Promise<readonly string[]> {
  const events = eventsOf(trial);
  const firstMs = events[0]?.timeMs ?? 0;
  const told = events.map(
    ({ timeMs, event }) => `${((timeMs - firstMs) / 1_000).toFixed(2).padStart(7)} ${tell(event)}`,
  );
  const said = await Promise.all(
    trial.processes.map(async (process, index) => {
      const { code, stderr } = await process.done();
      return `[${index}] fettle ${process.words.slice(0, 2).join(' ')} ended with ${code}: ${stderr.trim().slice(-900)}`;
    }),
  );
  return [...told, ...said.flatMap((text) => text.split('\n'))];
}

function eventsOf(trial: Trial): readonly RecordedEvent[] {
  try {
    return readEvents(trial.lab.ledgerPath);
  } catch {
    return [];
  }
}

function tell(event: RecordedEvent['event']): string {
  const host = 'host' in event ? ` ${event.host ?? ''}` : '';
  switch (event.type) {
    case 'step.started':
      return `${event.type}${host} ${event.step} ${event.job ?? ''}`;
    case 'step.finished':
      return `${event.type}${host} ${event.step} ${event.ok ? 'ok' : 'not ok'} ${event.message ?? ''}`;
    case 'host.finished':
      return `${event.type}${host} ${event.outcome.verdict}: ${event.outcome.reason}`;
    case 'run.finished':
      return `${event.type} ${event.exitName}: ${event.reasons.join('; ')}`;
    case 'run.started':
    case 'run.resumed':
      return `${event.type} by ${event.operator.pid}`;
    case 'run.stopping':
    case 'note':
      return `${event.type}${host} ${event.message}`;
    default:
      return `${event.type}${host}`;
  }
}
