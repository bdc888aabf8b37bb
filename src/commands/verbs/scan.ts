import type { FettleError } from '../../domain/error.ts';
import type { ExitName } from '../../domain/exit.ts';
import { fanOutExit } from '../../engine/fleet/exit.ts';
import { scanHosts, type ScanResult } from '../../engine/fleet/scan.ts';
import { sharedRows, type ScanRow } from '../../report/tables/scan-row.ts';
import { packageManagerNamed } from '../../managers/registry.ts';
import { renderScan, scanJson } from '../../report/tables/scan.ts';
import type { Invocation } from '../invocation/command.ts';
import { readDuration } from '../invocation/times.ts';
import type { Context, ReadContext } from '../invocation/context.ts';
import { readRun, type RunRequest } from '../invocation/request.ts';
import { loadFleet } from '../frame/selected-hosts.ts';
import { queryHosts } from '../frame/host-results.ts';

/** Hosts fetch their lists about once a day by themselves. */
const defaultMaxAgeMs = 36 * 3_600_000;

interface ScanRequest extends RunRequest {
  readonly pattern: string;
  readonly maxAgeMs: number;
  readonly detailedExitcode: boolean;
}

export function read(invocation: Invocation, context: ReadContext): ScanRequest {
  const [pattern = 'all'] = invocation.arguments;
  const { maxAge, detailedExitcode = false } = invocation.options;
  const maxAgeMs = readDuration(maxAge, '--max-age') ?? defaultMaxAgeMs;
  return { ...readRun(invocation, context, scanJson), pattern, maxAgeMs, detailedExitcode };
}

/** Scans every host and records what is missing. Hosts whose own metadata is old are stale: never clean. */
export async function run(request: ScanRequest, context: Context): Promise<ExitName> {
  const { pattern, maxAgeMs } = request;
  const { hosts } = await loadFleet(request, context, pattern);
  return queryHosts<ScanRow>(
    {
      kind: 'scan',
      hosts,
      request,
      shape: scanJson,
      isWell: isWellScanned,
      render: renderScan,
      query: async (readOnly) => {
        const rows: ScanRow[] = [];
        const rowOf = sharedRows();
        const ends: { error?: FettleError }[] = [];
        const found = new Set<string>();
        const onResult = (result: ScanResult): void => {
          if ('scan' in result) for (const manager of result.scan.managers) found.add(manager);
          rows.push(rowOf(result));
          ends.push('error' in result ? { error: result.error } : {});
        };
        await scanHosts(hosts, { ...readOnly, maxAgeMs, onResult });
        noteUntested(found, context);
        const failed = ends.filter((end) => end.error !== undefined).length;
        const exitName = scanExit(fanOutExit(ends), rows, request);
        return { rows, exitName, counts: { scanned: rows.length - failed, failed } };
      },
    },
    context,
  );
}

function noteUntested(found: ReadonlySet<string>, { console }: Context): void {
  const untested = [...found].filter((name) => packageManagerNamed(name).isUntested).toSorted();
  if (untested.length === 0) return;
  console.message(`note: no real ${untested.join(', ')} was part of fettle's tests; docs/tested.md says what stood in`);
}

function scanExit(reached: ExitName, rows: readonly ScanRow[], request: ScanRequest): ExitName {
  if (reached !== 'ok') return reached;
  const scanned = rows.filter((row) => row.state === 'scanned');
  if (scanned.some((row) => row.isIncomplete)) return 'partial';
  if (request.detailedExitcode && scanned.some((row) => row.security + row.other > 0)) return 'changes';
  if (scanned.some((row) => row.problems.length > 0)) return 'partial';
  return scanned.some((row) => row.isStale) ? 'unverified' : 'ok';
}

/** Pending updates and reboots are an answer like any other; a gap in it is not. */
function isWellScanned(row: ScanRow): boolean {
  return row.state === 'scanned' && !row.isIncomplete && !row.isStale && row.problems.length === 0 && row.broken === 0;
}
