// What the campaign prints.
import type { Finding } from './conduct.ts';
import { allCells } from './design.ts';
import { steps } from './fault.ts';

export function findingLine(finding: Finding, progress: string): string {
  const { design, struckIn, exits, violations, seconds } = finding;
  const { seed, fault, step, flavour, victim, delayMs } = design;
  const where = struckIn === undefined ? `never struck (aimed at ${step})` : `struck in ${struckIn} +${delayMs} ms`;
  const verdict = violations.length === 0 ? 'ok' : 'BROKEN';
  const head = `${progress} seed ${seed} ${verdict}: ${fault.name}, ${where}, ${victim} (${flavour}), exits ${exits.join(' ')}`;
  return [`${head}, ${seconds.toFixed(0)} s`, ...violations.map((text) => `    ${text}`)].join('\n');
}

/** Faults by steps: how often each struck there; `·` where it cannot, `-` where it could and did not. */
export function coverageTable(findings: readonly Finding[]): string {
  const names = [...new Set(allCells().map(({ fault }) => fault.name))];
  const rows = names.map((name) => {
    const cells = steps.map((step) => {
      const struck = findings.filter(({ design, struckIn }) => design.fault.name === name && struckIn === step).length;
      const can = allCells().some(({ fault, step: other }) => fault.name === name && other === step);
      return struck > 0 ? String(struck) : can ? '-' : '·';
    });
    return `| ${name} | ${cells.join(' | ')} |`;
  });
  return [`| fault | ${steps.join(' | ')} |`, `|---|${steps.map(() => '---').join('|')}|`, ...rows].join('\n');
}

export function summary(findings: readonly Finding[]): string {
  const broken = findings.filter(({ violations }) => violations.length > 0);
  const struck = new Set(findings.map(({ design, struckIn }) => `${design.fault.name}@${struckIn}`));
  const covered = allCells().filter(({ fault, step }) => struck.has(`${fault.name}@${step}`)).length;
  const again = broken.length === 0 ? '' : `; again with --seeds ${broken.map(({ design }) => design.seed).join(',')}`;
  return `${findings.length} trials, ${broken.length} broken; ${covered} of ${allCells().length} places struck${again}`;
}
