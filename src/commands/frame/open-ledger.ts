// The ledger as commands open it, and the frame every recorded run has.
import { hostScriptsSha256 } from '../../remote/host-scripts.ts';
import type { Host } from '../../domain/host.ts';
import type { RunEvent, RunKind, RunStarted } from '../../domain/event.ts';
import { exitCodes, type ExitName } from '../../domain/exit.ts';
import { labelSets } from '../../domain/labels.ts';
import type { LedgerReader } from '../../domain/ledger-reader.ts';
import type { RunControl, RunRecord } from '../../domain/record.ts';
import { defaultLedgerPath } from '../../ledger/store/path.ts';
import { Ledger, openLedger, type LedgerOptions } from '../../ledger/ledger.ts';
import { commandLine } from '../invocation/command-line.ts';
import { announcer } from './announce-head.ts';
import { openUpgradeView, upgradeLine, type UpgradedFile } from './ledger-upgrade.ts';
import type { Context } from '../invocation/context.ts';
import type { LedgerRequest, NoteRequest } from '../invocation/request.ts';

/** What a command that only reports depends on. */
export type LedgerToRead = LedgerReader & AsyncDisposable;

/** What a command that records depends on. */
export type LedgerToRecord = RunRecord & RunControl & LedgerReader & AsyncDisposable;

/** Still being opened: what is asked of it waits. */
export type OpeningLedger = LedgerToRecord & {
  /** Rejects with `ledger` where it cannot be opened. */
  readonly opened: Promise<unknown>;
};

export function ledgerPath({ ledger }: LedgerRequest, context: Context): string {
  const { env, uid } = context;
  return ledger ?? defaultLedgerPath({ env, uid, homeDir: () => context.homeDir });
}

/** To write in; made when it is not there. */
export function openRecord(request: LedgerRequest, context: Context): Promise<LedgerToRecord> {
  return openFile(request, context, 'write');
}

/** To write in, without waiting until it is open. */
export function beginRecord(request: LedgerRequest, context: Context): OpeningLedger {
  // Without a view: the reporter of the run may draw already.
  const onUpgrade = upgradeLine(upgradedFile(request, 'write', context), context);
  const ledger = new Ledger(toWrite({ ...fileOf(request, context), onUpgrade }, request, context));
  // Whatever uses the ledger gets the error.
  ledger.opened.catch(() => undefined);
  return ledger;
}

/** To read from; a ledger that is not there is an error with a hint. */
export function openToRead(request: LedgerRequest, context: Context): Promise<LedgerToRead> {
  return openFile(request, context, 'read');
}

/** The file itself, for its upkeep: to check it, copy it, or make its tables again. */
export async function openFile(request: LedgerRequest, context: Context, access: 'read' | 'write'): Promise<Ledger> {
  using upgrade = openUpgradeView(upgradedFile(request, access, context), context);
  const file = { ...fileOf(request, context), onUpgrade: upgrade.show };
  return await openLedger(access === 'read' ? { ...file, readonly: true } : toWrite(file, request, context));
}

function toWrite(file: LedgerOptions, request: LedgerRequest, context: Context): LedgerOptions {
  return { ...file, announce: announcer(context, request.verbose > 0) };
}

function fileOf(request: LedgerRequest, context: Context): LedgerOptions {
  return { path: ledgerPath(request, context), clock: context.clock, thread: context.takeLedgerThread?.() };
}

function upgradedFile(request: LedgerRequest, access: 'read' | 'write', context: Context): UpgradedFile {
  return { path: ledgerPath(request, context), access, quiet: request.quiet };
}

export interface RunFrame {
  readonly run: string;
  readonly kind: RunKind;
  readonly hosts: readonly Host[];
  readonly request: NoteRequest;
}

export function runStarted(frame: RunFrame, context: Context): RunStarted {
  const { ticket, reason } = frame.request;
  return {
    type: 'run.started',
    run: frame.run,
    kind: frame.kind,
    operator: context.operator,
    fettleVersion: context.version,
    scriptsSha256: hostScriptsSha256(),
    argv: commandLine(context.command),
    hosts: frame.hosts.map((host) => host.name),
    labels: labelSets(frame.hosts),
    ...(ticket === undefined ? {} : { ticket }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** The end of a run that changed nothing on hosts. */
export function runFinished(
  run: string,
  exitName: ExitName,
  counts: Readonly<Record<string, number>>,
  reasons: readonly string[] = [],
): Extract<RunEvent, { readonly type: 'run.finished' }> {
  return { type: 'run.finished', run, exitCode: exitCodes[exitName], exitName, reasons, counts };
}
