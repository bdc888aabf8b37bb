import { FettleError } from '../../../domain/error.ts';
import type { ExitName } from '../../../domain/exit.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context, ReadContext } from '../../invocation/context.ts';
import { readLedger, readNotes, type LedgerRequest } from '../../invocation/request.ts';
import { openRecord } from '../../frame/open-ledger.ts';
import { isQuery, wrongKind } from '../../frame/run-kinds.ts';

interface RunAbandonRequest extends LedgerRequest {
  readonly host: string;
  /** Undefined: the latest that worked on hosts. */
  readonly run: string | undefined;
  readonly reason: string;
}

export function read(invocation: Invocation, context: ReadContext): RunAbandonRequest {
  const [host = ''] = invocation.arguments;
  const { reason = 'no reason given' } = readNotes(invocation);
  return { ...readLedger(invocation, context), host, run: invocation.options.run, reason };
}

/** Releases the lease of a host. A job that runs on the host keeps running and still guards it against other runs. */
export async function run(request: RunAbandonRequest, context: Context): Promise<ExitName> {
  const { host: name, reason } = request;
  await using ledger = await openRecord(request, context);
  const found = await ledger.findRun(request.run);
  const { run: id } = found;
  // A planning run leases a host while its package lists are fetched.
  if (isQuery(found) && found.kind !== 'plan') throw wrongKind(found, 'leases no host that could be released');
  const state = await ledger.runState(id);
  const host = state?.hosts.find((item) => item.host === name);
  if (host === undefined) {
    throw new FettleError('usage', `run ${id} has no host ${name}`, {
      hint: `list its hosts with: fettle run show ${id}`,
    });
  }
  const { operator } = context;
  await ledger.append([{ type: 'host.abandoned', run: id, host: host.host, hostId: host.hostId, operator, reason }]);
  await ledger.abandonLease(id, host.hostId);
  context.console.message(`released ${name} from run ${id}`);
  return 'ok';
}
