import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { ExitName } from '../domain/exit.ts';
import { toErrorRecord } from '../domain/error.ts';
import { doctorJson, renderDoctor, type DoctorRow } from '../report/upkeep-tables.ts';
import type { Invocation } from './command.ts';
import type { Context } from './context.ts';
import { loadFleet } from './fleet.ts';
import { ledgerPath, openToRead } from './record.ts';
import { show } from './show.ts';

const runProgram = promisify(execFile);

/** This machine, not the hosts: what fettle needs here and what it would use. */
export async function run(invocation: Invocation, context: Context): Promise<ExitName> {
  const checks: DoctorRow[] = [
    { check: 'Node.js', state: 'ok', message: context.nodeVersion },
    await checkSsh(),
    checkAgent(context),
    await checkLedger(invocation, context),
    await checkInventory(invocation, context),
  ];
  const text = (): string => renderDoctor(checks, context.output);
  show({ rows: checks, shape: doctorJson, json: invocation.options.json, text }, context);
  return checks.some((check) => check.state === 'failed') ? 'usage' : 'ok';
}

async function checkSsh(): Promise<DoctorRow> {
  try {
    const { stderr } = await runProgram('ssh', ['-V']);
    return { check: 'OpenSSH', state: 'ok', message: stderr.trim() };
  } catch {
    const message = 'the ssh program is not there; only a part of ~/.ssh/config is understood without it';
    return { check: 'OpenSSH', state: 'warning', message };
  }
}

function checkAgent({ env }: Context): DoctorRow {
  const socket = env['SSH_AUTH_SOCK'];
  return socket === undefined || socket === ''
    ? { check: 'ssh-agent', state: 'warning', message: 'none (SSH_AUTH_SOCK is not set); keys come from files' }
    : { check: 'ssh-agent', state: 'ok', message: socket };
}

async function checkLedger({ options }: Invocation, context: Context): Promise<DoctorRow> {
  const path = ledgerPath(options, context);
  try {
    await using ledger = await openToRead(options, context);
    const { events, head } = await ledger.stats();
    return { check: 'ledger', state: 'ok', message: `${path}, ${events} events, head ${head.slice(0, 24)}…` };
  } catch (error) {
    const isNew = await access(dirname(path), constants.W_OK).then(
      () => true,
      () => false,
    );
    const { message } = toErrorRecord(error);
    return isNew || message.startsWith('there is no ledger')
      ? { check: 'ledger', state: 'warning', message: `${path} is not there yet; the first scan makes it` }
      : { check: 'ledger', state: 'failed', message };
  }
}

async function checkInventory(invocation: Invocation, context: Context): Promise<DoctorRow> {
  try {
    const { hosts } = await loadFleet(invocation, context);
    return { check: 'inventory', state: 'ok', message: `${hosts.length} hosts` };
  } catch (error) {
    return { check: 'inventory', state: 'warning', message: toErrorRecord(error).message.split('\n')[0] ?? '' };
  }
}
