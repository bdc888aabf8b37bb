import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { ExitName } from '../../domain/exit.ts';
import { FettleError, toErrorRecord } from '../../domain/error.ts';
import { refuseNetworkFileSystem } from '../../ledger/store/path.ts';
import { doctorJson, renderDoctor, type DoctorRow } from '../../report/tables/ledger-upkeep.ts';
import type { Invocation } from '../invocation/command.ts';
import { systemLogTrouble } from '../frame/announce-head.ts';
import type { Context, ReadContext } from '../invocation/context.ts';
import {
  readLedger,
  readOutput,
  readSelection,
  type LedgerRequest,
  type OutputRequest,
  type SelectionRequest,
} from '../invocation/request.ts';
import { loadFleet } from '../frame/selected-hosts.ts';
import { ledgerPath, openFile } from '../frame/open-ledger.ts';
import { showResults } from '../invocation/show.ts';

const runProgram = promisify(execFile);

interface DoctorRequest extends SelectionRequest, LedgerRequest, OutputRequest {}

export function read(invocation: Invocation, context: ReadContext): DoctorRequest {
  return {
    ...readSelection(invocation, context),
    ...readLedger(invocation, context),
    ...readOutput(invocation, doctorJson),
  };
}

/** This machine, not the hosts: what fettle needs here and what it would use. */
export async function run(request: DoctorRequest, context: Context): Promise<ExitName> {
  const checks: DoctorRow[] = [
    { check: 'Node.js', state: 'ok', message: context.nodeVersion },
    await checkSsh(),
    checkAgent(context),
    await checkLedger(request, context),
    await checkSystemLog(),
    await checkInventory(request, context),
  ];
  const failed = checks.filter((check) => check.state === 'failed');
  const isLedger = failed.some((check) => check.check === 'ledger');
  const exitName = isLedger ? 'ledger' : failed.length > 0 ? 'usage' : 'ok';
  const isWell = (check: DoctorRow): boolean => check.state === 'ok';
  const text = (shown: readonly DoctorRow[]): string => renderDoctor(shown, context.output);
  showResults({ rows: checks, shape: doctorJson, request, exitName, isWell, text }, context);
  return exitName;
}

async function checkSsh(): Promise<DoctorRow> {
  try {
    const { stderr } = await runProgram('ssh', ['-V']);
    return { check: 'OpenSSH', state: 'ok', message: stderr.trim() };
  } catch {
    const message = 'ssh is not installed; without it, only part of ~/.ssh/config is supported';
    return { check: 'OpenSSH', state: 'warning', message };
  }
}

function checkAgent({ env }: Context): DoctorRow {
  const socket = env['SSH_AUTH_SOCK'];
  return socket === undefined || socket === ''
    ? { check: 'ssh-agent', state: 'warning', message: 'none (SSH_AUTH_SOCK is not set); keys are read from files' }
    : { check: 'ssh-agent', state: 'ok', message: socket };
}

async function checkLedger(request: LedgerRequest, context: Context): Promise<DoctorRow> {
  const path = ledgerPath(request, context);
  if (!(await isThere(path))) return checkNewLedger(path);
  try {
    await using ledger = await openFile(request, context, 'read');
    const { events, head } = await ledger.stats();
    const [damage] = await ledger.checkFile();
    return damage === undefined
      ? { check: 'ledger', state: 'ok', message: `${path}, ${events} events, head ${head.slice(0, 24)}…` }
      : { check: 'ledger', state: 'failed', message: `${path} is damaged: ${damage}`, hint: 'restore a backup' };
  } catch (error) {
    return failedLedger(error);
  }
}

function failedLedger(error: unknown): DoctorRow {
  const { message, hint } = toErrorRecord(error);
  return { check: 'ledger', state: 'failed', message, ...(hint === undefined ? {} : { hint }) };
}

/** The first recorded run creates it, if the nearest existing directory is writable. */
async function checkNewLedger(path: string): Promise<DoctorRow> {
  let directory = dirname(path);
  while (!(await isThere(directory)) && dirname(directory) !== directory) directory = dirname(directory);
  try {
    refuseNetworkFileSystem(directory);
    await access(directory, constants.W_OK);
  } catch (error) {
    if (error instanceof FettleError) return failedLedger(error);
    const hint = 'choose another path with --ledger or FETTLE_LEDGER';
    return {
      check: 'ledger',
      state: 'failed',
      message: `${path} cannot be created: ${directory} is not writable`,
      hint,
    };
  }
  return { check: 'ledger', state: 'warning', message: `${path} does not exist yet; the first scan creates it` };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function checkSystemLog(): Promise<DoctorRow> {
  const trouble = await systemLogTrouble();
  return trouble === undefined
    ? { check: 'system log', state: 'ok', message: 'chain heads are written to it' }
    : {
        check: 'system log',
        state: 'warning',
        message: `${trouble}; chain heads are kept beside the ledger only`,
      };
}

async function checkInventory(request: SelectionRequest, context: Context): Promise<DoctorRow> {
  try {
    const { hosts } = await loadFleet(request, context);
    return { check: 'inventory', state: 'ok', message: `${hosts.length} hosts` };
  } catch (error) {
    return { check: 'inventory', state: 'warning', message: toErrorRecord(error).message.split('\n')[0] ?? '' };
  }
}
