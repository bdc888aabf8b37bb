// The fault campaign: node test/campaign/campaign.ts [--seeds 1-200] [--side-by-side 3] [--fault TEXT] [--step STEP] [--story]
import { parseArgs } from 'node:util';
import { eachOf } from '../lab/shell.ts';
import { sweep } from '../lab/cleanup.ts';
import { prepare } from '../lab/prepare.ts';
import { missingForLab } from '../lab/requirements.ts';
import { conduct } from './conduct.ts';
import type { Finding } from './conduct.ts';
import { allCells, designOf } from './design.ts';
import { coverageTable, findingLine, summary } from './findings.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: `1-${Math.max(200, allCells().length)}` },
    'side-by-side': { type: 'string', default: '3' },
    fault: { type: 'string' },
    step: { type: 'string' },
    story: { type: 'boolean', default: false },
  },
});

/** `1-200`, `7` or `3,9,12-15`. */
function seedsOf(text: string): readonly number[] {
  return text.split(',').flatMap((part) => {
    const [from = Number.NaN, to = from] = part.split('-').map(Number);
    if (!(from >= 1) || !(to >= from)) throw new RangeError(`no seeds: ${part}`);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}

async function conductSeed(seed: number): Promise<Finding> {
  const design = designOf(seed);
  try {
    return await conduct(design);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { design, exits: [], violations: [`the trial itself failed: ${message}`], seconds: 0, story: [] };
  }
}

async function main(): Promise<number> {
  const missing = await missingForLab();
  if (missing.length > 0) {
    process.stderr.write(`the campaign cannot run here: ${missing.join('; ')}\n`);
    return 1;
  }
  await sweep();
  await prepare([
    { flavour: 'plain', packages: [] },
    { flavour: 'systemd', packages: [] },
  ]);
  const wanted = seedsOf(values.seeds).filter((seed) => {
    const { fault, step } = designOf(seed);
    return (values.fault === undefined || fault.name.includes(values.fault)) && (values.step ?? step) === step;
  });
  let done = 0;
  const findings = await eachOf(wanted, Number(values['side-by-side']), async (seed) => {
    const finding = await conductSeed(seed);
    done += 1;
    process.stdout.write(`${findingLine(finding, `${done}/${wanted.length}`)}\n`);
    if (values.story || finding.violations.length > 0) {
      process.stdout.write(finding.story.map((line) => `      ${line}\n`).join(''));
    }
    return finding;
  });
  process.stdout.write(`\n${coverageTable(findings)}\n\n${summary(findings)}\n`);
  return findings.some(({ violations }) => violations.length > 0) ? 1 : 0;
}

process.exitCode = await main();
