// The exact commands that come next.
import { shellWord } from '../../base/text.ts';
import type { RunKind } from '../../domain/event.ts';
import type { Standing } from './verdicts.ts';

export interface NextStepQuestion {
  readonly run: string;
  readonly kind: RunKind;
  readonly standing: Standing;
  readonly hosts: readonly string[];
}

/** Patterns longer than this are not worth typing. */
const patternLimit = 120;

/** Commands for the hosts of one group of a summary, the most useful first. */
export function nextSteps(question: NextStepQuestion): string[] {
  const { run, kind, standing, hosts } = question;
  const pattern = patternOf(hosts);
  const first = shellWord(hosts[0] ?? 'HOST');
  const isRollout = kind === 'apply' || kind === 'reboot' || kind === 'shutdown';
  const resume = `fettle run resume ${run}`;
  const logs = `fettle run logs ${first} --run ${run}`;
  switch (standing) {
    case 'lost':
      return isRollout ? [resume, logs] : [`fettle ping ${pattern}`];
    case 'detached':
    case 'in flight':
    case 'not started':
      return isRollout ? [resume] : [];
    case 'failed':
      return isRollout ? [logs, resume] : [];
    case 'unreachable':
      return isRollout ? [`fettle ping ${pattern}`, resume] : [`fettle ping ${pattern}`];
    case 'absent':
      return [`fettle ping ${pattern}`];
    case 'drifted':
      return [];
    case 'unhealthy':
      return isRollout ? [logs, `fettle verify ${pattern} --run ${run}`] : [];
    case 'pending-reboot':
      return [`fettle reboot ${pattern}`];
    case 'pending-restart':
    case 'skipped':
    case 'verified':
    case 'done':
    case 'nothing to do':
      return [];
  }
}

function patternOf(hosts: readonly string[]): string {
  const pattern = hosts.join(',');
  return pattern !== '' && pattern.length <= patternLimit ? shellWord(pattern) : 'HOSTS';
}
