import { FettleError, toErrorRecord } from '../../domain/error.ts';
import type { RunEvent } from '../../domain/event.ts';
import type { ExitName } from '../../domain/exit.ts';
import type { Host } from '../../domain/host.ts';
import type { LedgerReader } from '../../domain/ledger-reader.ts';
import { renderWake, wakeJson, type WakeRow } from '../../report/tables/wake.ts';
import { sendWake, wakePort } from '../../transport/wake.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context, ReadContext } from '../invocation/context.ts';
import {
  readLedger,
  readNotes,
  readOutput,
  readSelection,
  type LedgerRequest,
  type NoteRequest,
  type OutputRequest,
  type SelectionRequest,
} from '../invocation/request.ts';
import { loadFleet } from '../frame/selected-hosts.ts';
import { queryHosts } from '../frame/host-results.ts';

const broadcastAddress = '255.255.255.255';

interface WakeRequest extends SelectionRequest, LedgerRequest, NoteRequest, OutputRequest {
  readonly pattern: string;
  readonly port: number;
}

export function read(invocation: Invocation, context: ReadContext): WakeRequest {
  const [pattern = 'all'] = invocation.arguments;
  const { port = wakePort } = invocation.options;
  if (port > 65_535) {
    throw new FettleError('usage', `--port ${port} is not a UDP port`, { hint: 'give a number from 1 to 65535' });
  }
  return {
    ...readSelection(invocation, context),
    ...readLedger(invocation, context),
    ...readNotes(invocation),
    ...readOutput(invocation, wakeJson),
    pattern,
    port,
  };
}

/** Wakes hosts that are off by packets to their network cards, one after the other in the order of the inventory. */
export async function run(request: WakeRequest, context: Context): Promise<ExitName> {
  const { pattern, port } = request;
  const { hosts } = await loadFleet(request, context, pattern);
  return queryHosts<WakeRow>(
    {
      kind: 'wake',
      hosts,
      request,
      shape: wakeJson,
      isWell: (row) => row.error === undefined,
      render: renderWake,
      query: async ({ ledger, context: { run: id } }) => {
        const rows: WakeRow[] = [];
        for (const host of hosts) {
          if (context.interruptions.stop.aborted) break;
          const row = await wake(host, ledger, port);
          await ledger.append(wakeEvents(id, host, row));
          rows.push(row);
        }
        const failed = rows.filter((row) => row.error !== undefined).length;
        return { rows, exitName: failed === 0 ? 'ok' : 'partial', counts: { sent: rows.length - failed, failed } };
      },
    },
    context,
  );
}

/** A packet has no answer: only that it was sent can be recorded. */
function wakeEvents(id: string, host: Host, { error }: WakeRow): RunEvent[] {
  const of = { run: id, host: host.name, hostId: host.id, attempt: 1 };
  if (error === undefined) return [{ type: 'host.started', ...of }];
  const { message: reason, hint } = error;
  const outcome = { verdict: 'failed', change: 'none', reason, ...(hint === undefined ? {} : { hint }) } as const;
  return [{ type: 'host.finished', ...of, outcome: { ...outcome, error: toErrorRecord(error) } }];
}

async function wake(host: Host, ledger: LedgerReader, port: number): Promise<WakeRow> {
  const address = host.patch.wakeAddress ?? broadcastAddress;
  try {
    const macs = host.patch.macs ?? (await knownMacs(host, ledger));
    if (macs.length === 0) {
      throw new FettleError('config', `no hardware address of ${host.name} is known`, {
        hint: 'set patch_mac, or scan the host while it is up (only Windows reports its adapters)',
      });
    }
    await sendWake({ macs, address, port });
    return { host: host.name, address, macs };
  } catch (error) {
    if (error instanceof FettleError && error.code !== 'ledger') return { host: host.name, address, macs: [], error };
    throw error;
  }
}

/** Of the adapters in its last scan. */
async function knownMacs(host: Host, ledger: LedgerReader): Promise<readonly string[]> {
  const inventory = await ledger.inventoryOf(host.id);
  const macs = (inventory?.adapters ?? []).map(({ mac }) => mac.replace(/[:-]/g, '').toLowerCase());
  return [...new Set(macs.filter((mac) => /^[0-9a-f]{12}$/.test(mac)))];
}
