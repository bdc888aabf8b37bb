// The frame of every run that looks at hosts and changes nothing: ledger, reporter, transports, start and end.
import { toErrorRecord } from '../../domain/error.ts';
import type { RunEvent, RunKind } from '../../domain/event.ts';
import { worstExit, type ExitName } from '../../domain/exit.ts';
import type { Host } from '../../domain/host.ts';
import type { RunContext } from '../../engine/context.ts';
import { unshown } from '../../engine/event-log.ts';
import { checkFields } from '../../report/text/json.ts';
import { openReporter } from '../../report/live/registry.ts';
import type { Context } from '../invocation/context.ts';
import { exitNameOf } from '../invocation/exit.ts';
import { checkDescriptors, fittingAtOnce, oneSession } from './descriptors.ts';
import type { Options } from '../invocation/options.ts';
import { resolveRoutes, readOnlyContext, openCommandTransports, remoteOpener, type OpenRemote } from './connections.ts';
import { openRecord, runFinished, runStarted, type LedgerToRecord } from './open-ledger.ts';

export interface ReadOnlyRun {
  readonly context: RunContext;
  readonly ledger: LedgerToRecord;
  readonly remote: OpenRemote;
  readonly concurrency: number;
  /** Names and addresses of the jump hosts on the way to each host. */
  readonly routes: ReadonlyMap<string, readonly string[]>;
}

interface ReadOnlyEnd {
  readonly exitName: ExitName;
  /** Hosts by how they ended, for the record. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface ReadOnlyRequest {
  readonly kind: RunKind;
  readonly hosts: readonly Host[];
  readonly options: Partial<Options>;
  /** What `--json` may name. */
  readonly jsonFields: readonly string[];
  /** Does the looking; what it prints comes after the progress is over. */
  readonly action: (readOnly: ReadOnlyRun) => Promise<ReadOnlyEnd & { readonly print?: () => void | Promise<void> }>;
}

export const defaultConcurrency = 20;

export async function runReadOnly(request: ReadOnlyRequest, context: Context): Promise<ExitName> {
  const { kind, hosts, options } = request;
  checkFields(request.jsonFields, options.json);
  checkDescriptors(context);
  const run = context.newId();
  await using transports = openCommandTransports(options, context);
  const routes = await resolveRoutes(hosts, transports);
  const wanted = options.concurrency ?? defaultConcurrency;
  const concurrency = await fittingAtOnce(wanted, { hosts, transports, use: oneSession }, context);
  await using ledger = await openRecord(options, context);
  const reporter = await openReporter(options, context.output);
  let print: (() => void | Promise<void>) | undefined;
  let name: ExitName;
  using _ = context.interruptions.takeCharge('query');
  try {
    const engine = readOnlyContext({ run, record: ledger, sink: reporter }, context);
    const { log } = engine;
    const commit = (event: RunEvent): Promise<void> => log.append([event], engine.detach);
    await commit(runStarted({ run, kind, hosts, options }, context));
    try {
      const end = await request.action({
        context: engine,
        ledger,
        remote: remoteOpener(transports, context),
        concurrency,
        routes,
      });
      const asked = context.interruptions.exitName() ?? end.exitName;
      if (log.displayFailure === undefined) await commit(runFinished(run, asked, end.counts));
      const { displayFailure: failure } = log;
      name = failure === undefined ? asked : worstExit([asked, 'internal']);
      if (failure !== undefined) await ledger.append([runFinished(run, name, end.counts, [unshown(failure)])]);
      if (failure !== undefined) context.console.warn(`fettle: ${unshown(failure)}`);
      print = end.print;
    } catch (error) {
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
