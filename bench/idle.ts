// What a held, idle session costs fettle's process: many connections to one real sshd on loopback.
//   node --expose-gc bench/idle.ts [--sessions 1000]
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { homedir } from 'node:os';
import { CredentialGuard } from '../src/transport/credential-guard.ts';
import type { Session } from '../src/transport/session.ts';
import { SshTransport } from '../src/transport/ssh/ssh.ts';
import { eachOf } from '../test/lab/shell.ts';
import { Sshd } from '../test/support/sshd.ts';
import { bound, boundsTable, machineFacts, machineTable, markdownTable, writeResult } from './report.ts';

const { values } = parseArgs({ options: { sessions: { type: 'string', default: '1000' } } });
const count = Number(values.sessions);
/** sshd forks for each; more at once would only queue. */
const opening = 20;
/** Opened before anything is measured: they pay for code and caches. */
const first = 20;
const settleMs = 3_000;

function collected(): NodeJS.MemoryUsage {
  if (globalThis.gc === undefined) throw new Error('run it with --expose-gc');
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage();
}

async function main(): Promise<number> {
  await using sshd = await Sshd.start({ config: ['MaxStartups 1000', 'MaxSessions 10', 'LogLevel ERROR'] });
  const environment = { env: process.env, homeDir: homedir(), userName: 'root', credentials: new CredentialGuard() };
  await using transport = new SshTransport(environment);
  const host = sshd.host('held');
  const sessions: Session[] = [];
  const open = async (): Promise<void> => void sessions.push(await transport.open(host, {}));
  for (let index = 0; index < first; index += 1) await open();
  const before = collected();
  const startedMs = performance.now();
  await eachOf(
    Array.from({ length: count }, (_, index) => index),
    opening,
    open,
  );
  const openedSec = (performance.now() - startedMs) / 1_000;
  await sleep(settleMs);
  const after = collected();
  if (sessions.length !== count + first || !sessions.every(({ isAlive }) => isAlive))
    throw new Error('not all are held');
  const cpuBefore = process.cpuUsage();
  await sleep(10_000);
  const cpu = process.cpuUsage(cpuBefore);
  const perSession = {
    rssKib: (after.rss - before.rss) / 1024 / count,
    heapKib: (after.heapUsed - before.heapUsed) / 1024 / count,
    externalKib: (after.external - before.external) / 1024 / count,
  };
  const idleCpuMs = (cpu.user + cpu.system) / 1_000;
  await eachOf(sessions, opening, async (session) => session[Symbol.asyncDispose]());
  const limit = bound({ what: 'memory per idle SSH session held', limit: 110, value: perSession.rssKib, unit: 'KiB' });
  const machine = await machineFacts();
  const table = markdownTable(
    [
      'held sessions',
      'opened in s',
      'RSS KiB each',
      'JS heap KiB each',
      'outside the heap KiB each',
      'CPU ms in 10 s idle',
    ],
    [[count, openedSec, perSession.rssKib, perSession.heapKib, perSession.externalKib, idleCpuMs]],
  );
  process.stdout.write(`\n${machineTable(machine)}\n\n${table}\n\n${boundsTable([limit])}\n`);
  await writeResult('idle', { machine, sessions: count, openedSec, perSession, idleCpuMs, bounds: [limit] });
  return limit.met ? 0 : 1;
}

process.exitCode = await main();
