// Shows from system calls that each commit is on the disk before its side effect: node bench/synced.ts     needs root
import { missingForLab } from '../test/lab/requirements.ts';
import type { Proof } from '../test/lab/synced/proof.ts';
import { startScene } from '../test/lab/synced/scene.ts';
import { noStrace, proofsOf, titleOf, traceRun } from '../test/lab/synced/traced-run.ts';
import { machineFacts, markdownTable, median, writeResult } from './report.ts';

interface Row {
  readonly host: string;
  readonly effect: string;
  readonly event: string;
  /** Seconds since the first sync of the table. */
  readonly syncedSec: number;
  readonly begunSec: number;
  readonly gapMs: number;
  readonly violation: string;
}

function rowsOf(proofs: readonly Proof[]): readonly Row[] {
  const firstSec = Math.min(...proofs.map(({ sync }) => sync?.endedSec ?? Number.POSITIVE_INFINITY));
  return proofs.map(({ effect, event, sync, violation }) => {
    const syncedSec = sync?.endedSec ?? Number.NaN;
    const begunSec = (effect.begun ?? effect.before).startedSec;
    return {
      host: effect.host,
      effect: titleOf(effect),
      event: event === undefined ? 'none' : `${event.seq} ${event.type}`,
      syncedSec: syncedSec - firstSec,
      begunSec: begunSec - firstSec,
      gapMs: (begunSec - syncedSec) * 1_000,
      violation: violation ?? '',
    };
  });
}

function tableOf(rows: readonly Row[]): string {
  const headers = [
    'host',
    'side effect',
    'event committed',
    'sync returned, s',
    'first byte or call, s',
    'gap, ms',
    '',
  ];
  return markdownTable(
    headers,
    rows.map(({ host, effect, event, syncedSec, begunSec, gapMs, violation }) => [
      host,
      effect,
      event,
      syncedSec.toFixed(6),
      begunSec.toFixed(6),
      gapMs.toFixed(3),
      violation,
    ]),
  );
}

async function main(): Promise<number> {
  const missing = [noStrace() || [], await missingForLab()].flat();
  if (missing.length > 0) throw new Error(missing.join('; '));
  const { lab, plan } = await startScene();
  await using _lab = lab;
  const rows = rowsOf(proofsOf(await traceRun(lab, ['apply', plan])));
  const violations = rows.filter(({ violation }) => violation !== '').length;
  const gaps = rows.map(({ gapMs }) => gapMs);
  process.stdout.write(`${tableOf(rows)}\n\n`);
  process.stdout.write(`${rows.length} side effects, ${violations} before their sync; `);
  process.stdout.write(`smallest gap ${Math.min(...gaps).toFixed(3)} ms, median ${median(gaps).toFixed(3)} ms\n`);
  await writeResult('synced', { machine: await machineFacts(), rows, violations });
  return violations === 0 && rows.length > 0 ? 0 : 1;
}

process.exitCode = await main();
