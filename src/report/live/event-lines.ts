// One event as one line for logs and pipes.
import { formatDuration, shortHash } from '../../base/format.ts';
import { countedHostNames } from '../../base/host-names.ts';
import { cleanLine, plural } from '../../base/text.ts';
import type { LiveEvent, RunEvent, StepName } from '../../domain/event.ts';
import { scanPhrase } from '../tables/scan-row.ts';

/** Steps that change the host are always reported, the others from `-v` on. */
const telling: ReadonlySet<StepName> = new Set(['repair', 'install', 'restart', 'reboot']);

const ofPackageManager: ReadonlySet<StepName> = new Set(['refresh', 'repair', 'install']);

/** Undefined where there is nothing to report at this level. */
export function eventLine(event: RunEvent | LiveEvent, verbose: number): string | undefined {
  const text = 'host' in event && event.host !== undefined ? hostText(event, verbose) : runText(event);
  if (text === undefined) return undefined;
  return 'host' in event && event.host !== undefined
    ? `[${cleanLine(event.host)}] ${cleanLine(text)}`
    : cleanLine(text);
}

function runText(event: RunEvent | LiveEvent): string | undefined {
  switch (event.type) {
    case 'run.started': {
      const plan = event.planSha256 === undefined ? '' : `, plan ${shortHash(event.planSha256)}`;
      const playbook = event.playbook === undefined ? '' : `, playbook ${event.playbook}`;
      return `${event.kind} ${event.run}: ${plural(event.hosts.length, 'host')}${playbook}${plan}`;
    }
    case 'run.resumed':
      return `run ${event.run} continues`;
    case 'run.stopping':
      return `stopping: ${event.message}`;
    case 'run.detached':
      return event.hosts.length === 0 ? event.message : `${event.message}: ${countedHostNames(event.hosts)}`;
    case 'wave.started':
      return `wave ${event.wave + 1} (${event.name}) started: ${countedHostNames(event.hosts)}`;
    case 'wave.finished':
      return `wave ${event.wave + 1} (${event.name}) ended`;
    case 'plan.created':
      return `plan ${shortHash(event.sha256)}: ${plural(event.updates, 'update')} on ${plural(event.hosts, 'host')}`;
    case 'note':
      return event.level === 'warn' ? `warning: ${event.message}` : event.message;
    default:
      return undefined;
  }
}

function hostText(event: RunEvent | LiveEvent, verbose: number): string | undefined {
  switch (event.type) {
    case 'host.started':
      return event.attempt > 1 ? `started, attempt ${event.attempt}` : 'started';
    case 'host.scanned':
      return event.purpose === 'scan' ? scanPhrase(event.scan) : undefined;
    case 'step.started':
      return telling.has(event.step) || verbose > 0 ? `${event.step}${partOf(event)}` : undefined;
    case 'step.finished':
      return stepEnd(event, verbose);
    case 'update.finished':
      return verbose > 0 ? countStates(event.results) : undefined;
    case 'host.rebooted':
      return `rebooted${event.downMs === 0 ? '' : `, down for ${formatDuration(event.downMs)}`}, boot id ${event.bootIdAfter}`;
    case 'host.verified':
      return verbose > 0 ? `verified with ${plural(event.findings.length, 'finding')}` : undefined;
    case 'host.finished':
      return `${event.outcome.verdict}: ${event.outcome.reason}`;
    case 'host.abandoned':
      return `abandoned by ${event.operator.user}: ${event.reason}`;
    case 'note':
      return event.level === 'warn' ? `warning: ${event.message}` : event.message;
    case 'live.note':
      return event.note;
    default:
      return undefined;
  }
}

function stepEnd(event: Extract<RunEvent, { readonly type: 'step.finished' }>, verbose: number): string | undefined {
  const { step, ok, error, message, exitCode } = event;
  if (ok) return verbose > 0 ? `${step}${partOf(event)} done` : undefined;
  const why = error?.message ?? message ?? (exitCode === undefined ? 'no result' : `exit ${exitCode}`);
  return `${step}${partOf(event)} failed: ${why}`;
}

/** The package manager of a step that is one's; of a hook its name, which is anybody's text. */
function partOf({ step, name }: { readonly step: StepName; readonly name?: string }): string {
  if (name === undefined) return '';
  return ofPackageManager.has(step) ? ` by ${name}` : ` "${name}"`;
}

function countStates(results: readonly { readonly state: string }[]): string {
  const counts = Map.groupBy(results, (result) => result.state);
  return [...counts].map(([state, group]) => `${plural(group.length, 'package')} ${state}`).join(', ');
}
