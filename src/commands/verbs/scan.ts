import type { FettleError } from '../../domain/error.ts';
import type { ExitName } from '../../domain/exit.ts';
import { fanOutExit } from '../../engine/fleet/exit.ts';
import { scanHosts, type ScanResult } from '../../engine/fleet/scan.ts';
import { sharedRows, type ScanRow } from '../../report/tables/scan-row.ts';
import { renderScan, scanJson } from '../../report/tables/scan.ts';
import type { Invocation } from '../invocation/command.ts';
import { readDuration } from '../invocation/times.ts';
import type { Context } from '../invocation/context.ts';
import { loadFleet } from '../frame/selected-hosts.ts';
import { runReadOnly } from '../frame/read-only-run.ts';
import type { Options } from '../invocation/options.ts';
import { showResults } from '../invocation/show.ts';

/** Hosts fetch their lists about once a day by themselves. */
const defaultMaxAgeMs = 36 * 3_600_000;

/** Looks at every host and records what is missing. Hosts whose own metadata is old are stale: never clean. */
export async function run(invocation: Invocation, context: Context): Promise<ExitName> {
  const { options } = invocation;
  const { hosts } = await loadFleet(invocation, context, invocation.arguments[0]);
  const maxAgeMs = readDuration(options.maxAge, '--max-age') ?? defaultMaxAgeMs;
  return runReadOnly(
    {
      kind: 'scan',
      hosts,
      options,
      jsonFields: Object.keys(scanJson.fields),
      action: async (readOnly) => {
        const rows: ScanRow[] = [];
        const rowOf = sharedRows();
        const ends: { error?: FettleError }[] = [];
        const onResult = (result: ScanResult): void => {
          rows.push(rowOf(result));
          ends.push('error' in result ? { error: result.error } : {});
        };
        await scanHosts(hosts, { ...readOnly, maxAgeMs, onResult });
        const order = new Map(hosts.map((host, index) => [host.name, index]));
        rows.sort((a, b) => (order.get(a.host) ?? 0) - (order.get(b.host) ?? 0));
        const failed = ends.filter((end) => end.error !== undefined).length;
        const exitName = scanExit(fanOutExit(ends), rows, options);
        return {
          exitName,
          counts: { scanned: rows.length - failed, failed },
          print: () => {
            if (options.jsonl === true) return;
            const text = (shown: readonly ScanRow[]): string => renderScan(shown, context.output);
            showResults({ rows, shape: scanJson, options, exitName, isWell: isWellScanned, text }, context);
          },
        };
      },
    },
    context,
  );
}

function scanExit(reached: ExitName, rows: readonly ScanRow[], options: Partial<Options>): ExitName {
  if (reached !== 'ok') return reached;
  const scanned = rows.filter((row) => row.state === 'scanned');
  if (scanned.some((row) => row.isIncomplete)) return 'partial';
  if (options.detailedExitcode === true && scanned.some((row) => row.security + row.other > 0)) return 'changes';
  if (scanned.some((row) => row.problems.length > 0)) return 'partial';
  return scanned.some((row) => row.isStale) ? 'unverified' : 'ok';
}

/** Pending updates and reboots are an answer like any other; a gap in it is not. */
function isWellScanned(row: ScanRow): boolean {
  return row.state === 'scanned' && !row.isIncomplete && !row.isStale && row.problems.length === 0 && row.broken === 0;
}
