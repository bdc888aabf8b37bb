// The frame of every recorded run that queries hosts and changes nothing: ledger, reporter, transports, start and end.
import { toErrorRecord } from '../../domain/error.ts';
import type { RunEvent, RunKind } from '../../domain/event.ts';
import { worstExit, type ExitName } from '../../domain/exit.ts';
import type { Host } from '../../domain/host.ts';
import type { HostPort } from '../../engine/connection/host-port.ts';
import type { RunContext } from '../../engine/context.ts';
import { unshown } from '../../engine/event-log.ts';
import { openReporter } from '../../report/live/registry.ts';
import type { Context } from '../invocation/context.ts';
import { exitNameOf } from '../invocation/exit.ts';
import type { HostsRequest, LedgerRequest, NoteRequest, OutputRequest } from '../invocation/request.ts';
import { openConnections, readOnlyContext, type HostConnections } from './connections.ts';
import { beginRecord, runFinished, runStarted, type LedgerToRecord } from './open-ledger.ts';

export interface ReadOnlyRun extends Pick<HostConnections, 'routes'> {
  readonly remote: (host: Host) => HostPort;
  readonly context: RunContext;
  readonly ledger: LedgerToRecord;
  readonly concurrency: number;
}

export interface ReadOnlyEnd {
  readonly exitName: ExitName;
  /** Hosts by how they ended, for the record. */
  readonly counts: Readonly<Record<string, number>>;
}

/** What a verb asks for that queries hosts; `wake` sends packets instead of logging in. */
export type QueryRequest = LedgerRequest & NoteRequest & OutputRequest & Partial<HostsRequest>;

export interface ReadOnlyOrder {
  readonly kind: RunKind;
  readonly hosts: readonly Host[];
  readonly request: QueryRequest;
  /** Nothing is done before the host concerned is logged in to: logins then go on while the ledger is opened. */
  readonly beginsWithLogin?: boolean;
  /** Queries the hosts; what it prints comes after the progress is over. */
  readonly action: (readOnly: ReadOnlyRun) => Promise<ReadOnlyEnd & { readonly print?: () => void | Promise<void> }>;
}

export const defaultConcurrency = 20;

export async function runReadOnly(
  { kind, hosts, request, action, beginsWithLogin = false }: ReadOnlyOrder,
  context: Context,
): Promise<ExitName> {
  const run = context.newId();
  const wanted = request.concurrency ?? defaultConcurrency;
  await using connections = await openConnections(hosts, request, { wanted }, context);
  const { routes, atOnce: concurrency } = connections;
  await using ledger = beginRecord(request, context);
  if (!beginsWithLogin) await ledger.opened;
  const reporter = await openReporter(request, context.output);
  let print: (() => void | Promise<void>) | undefined;
  let name: ExitName;
  using charge = new DisposableStack();
  // Until then a signal ends fettle at once: nothing has been done, and nothing can be recorded.
  const opened = ledger.opened.then(() => charge.use(context.interruptions.takeCharge('query')));
  try {
    const engine = readOnlyContext({ run, record: ledger, sink: reporter }, context);
    const { log } = engine;
    const commit = (event: RunEvent): Promise<void> => log.append([event], engine.detach);
    const begun = log.begin(opened, () => runStarted({ run, kind, hosts, request }, context), engine.detach);
    if (!beginsWithLogin) await begun;
    const remote = connections.remote(ledger, begun);
    try {
      const end = await action({ context: engine, ledger, remote, concurrency, routes });
      await begun;
      const asked = context.interruptions.exitName() ?? end.exitName;
      if (log.displayFailure === undefined) await commit(runFinished(run, asked, end.counts));
      const { displayFailure: failure } = log;
      name = failure === undefined ? asked : worstExit([asked, 'internal']);
      if (failure !== undefined) await ledger.append([runFinished(run, name, end.counts, [unshown(failure)])]);
      if (failure !== undefined) context.console.warn(`fettle: ${unshown(failure)}`);
      print = end.print;
    } catch (thrown) {
      // Without a record, whatever else failed is a consequence.
      const error: unknown = await begun.then(
        () => thrown,
        (refused: unknown) => refused,
      );
      await closeRefused(error, { run, commit }, context);
      throw error;
    }
  } finally {
    reporter.finish();
  }
  await print?.();
  return name;
}

/** A run that ends by an error is over all the same. That its end cannot be recorded either is no second error. */
async function closeRefused(
  error: unknown,
  { run, commit }: { readonly run: string; readonly commit: (event: RunEvent) => Promise<void> },
  context: Context,
): Promise<void> {
  const exitName = context.interruptions.exitName() ?? exitNameOf(error);
  await commit(runFinished(run, exitName, {}, [toErrorRecord(error).message])).catch(() => undefined);
}
