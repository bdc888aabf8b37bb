import { FettleError } from '../../../domain/error.ts';
import type { ExitName } from '../../../domain/exit.ts';
import type { Invocation } from '../../invocation/command.ts';
import type { Context } from '../../invocation/context.ts';
import { openRecord, sealed } from '../../frame/open-ledger.ts';
import { isQuery, wrongKind } from '../../frame/run-kinds.ts';

/** Gives the lease of a host up. What goes on on the host goes on; a job there still guards it against others. */
export async function run({ arguments: given, options }: Invocation, context: Context): Promise<ExitName> {
  const name = given[0] ?? '';
  await using ledger = await openRecord(options, context);
  const found = await ledger.findRun(options.run);
  const { run: id } = found;
  // The making of a plan holds a host while its package lists are fetched.
  if (isQuery(found) && found.kind !== 'plan') throw wrongKind(found, 'holds no host that could be given up');
  const state = await ledger.runState(id);
  const host = state?.hosts.find((item) => item.host === name);
  if (host === undefined) {
    throw new FettleError('usage', `run ${id} has no host ${name}`, {
      hint: `see its hosts with: fettle run show ${id}`,
    });
  }
  const reason = sealed(options.reason) ?? 'no reason given';
  const { operator } = context;
  await ledger.append([{ type: 'host.abandoned', run: id, host: host.host, hostId: host.hostId, operator, reason }]);
  await ledger.abandonLease(id, host.hostId);
  context.console.message(`run ${id} has given up ${name}`);
  return 'ok';
}
