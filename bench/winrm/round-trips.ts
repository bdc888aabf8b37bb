// How often a scan and a command wait for the way to a host, with the simulated Windows host behind a long way.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runScript } from '../../src/remote/launch.ts';
import { probeScript } from '../../src/remote/scripts.ts';
import { windowsAccount, type WindowsFleet } from '../../test/support/windows/fleet.ts';
import type { ServerStats } from '../../test/support/winrm-server/server-stats.ts';
import { DelayingRelay } from './delaying-relay.ts';
import { openSession, portOf } from './lab-host.ts';

/** There and back: so long that what a busy machine adds does not count. */
const delayMs = 1_000;
const rounds = 3;
const warmCommands = 5;

export interface RoundTrips {
  /** Of the login: what comes before the first operation. */
  readonly login: number;
  /** Requests after the login, polls left out. */
  readonly requests: number;
  /** Requests for output after the first one: as many as the host takes its time. */
  readonly polls: number;
  /** All of them, by what the delay added to the time that was not the host's own. */
  readonly byDelay: number;
}

interface Tally {
  readonly requests: number;
  readonly logins: number;
  readonly polls: number;
  /** Of the client and of the way. */
  readonly ms: number;
}

/** A whole `fettle scan`, from its start to its end. */
export async function measureScan(fleet: WindowsFleet, directory: string, cli: string): Promise<RoundTrips> {
  return measure(fleet, async (port, count) => {
    const inventory = join(directory, 'inventory.yaml');
    await writeFile(inventory, inventoryOf([port]));
    await count(() => scanWith([cli], inventory, directory));
  });
}

/** One command on a session that has run one before; what is given is one of many. */
export async function measureCommand(fleet: WindowsFleet, directory: string): Promise<RoundTrips> {
  const work: Work = async (port, count) => {
    await using session = await openSession(port, directory);
    const command = async (): Promise<unknown> => runScript(session, probeScript(), { verb: 'boot' });
    await command();
    await count(async () => {
      for (let index = 0; index < warmCommands; index += 1) await command();
    });
  };
  return measure(fleet, work, warmCommands);
}

/** What is done inside of `count` is what is measured. */
type Work = (port: number, count: (part: () => Promise<void>) => Promise<void>) => Promise<void>;

/** The same with the delay and without it, several times: what else the machine does only ever adds to a time. */
async function measure(fleet: WindowsFleet, work: Work, parts = 1): Promise<RoundTrips> {
  const [near, far]: [Tally[], Tally[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    near.push(await tally(fleet, work, 0));
    far.push(await tally(fleet, work, delayMs));
  }
  const quickest = (tallies: readonly Tally[]): Tally =>
    tallies.reduce((one, other) => (other.ms < one.ms ? other : one));
  const { requests, logins, polls, ms } = quickest(far);
  return {
    login: logins / parts,
    requests: (requests - logins - polls) / parts,
    polls: polls / parts,
    byDelay: (ms - quickest(near).ms) / delayMs / parts,
  };
}

async function tally(fleet: WindowsFleet, work: Work, delay: number): Promise<Tally> {
  const stats = fleet.members[0]?.server.stats;
  if (stats === undefined) throw new Error('there is no host');
  await using relay = await DelayingRelay.to(portOf(fleet), delay);
  let result: Tally | undefined;
  await work(relay.port, async (part) => {
    const before = { ...seen(stats), hostMs: relay.hostMs };
    const startedMs = performance.now();
    await part();
    const ms = performance.now() - startedMs - (relay.hostMs - before.hostMs);
    const after = seen(stats);
    const requests = after.requests - before.requests;
    result = {
      requests,
      logins: requests - (after.operations - before.operations),
      polls: after.receives - before.receives - (after.commands - before.commands),
      ms,
    };
  });
  if (result === undefined) throw new Error('nothing was counted');
  process.stderr.write(`${result.requests} requests, ${delay} ms away: ${(result.ms / 1_000).toFixed(1)} s\n`);
  return result;
}

function seen({
  requests,
  operations,
}: ServerStats): Record<'requests' | 'operations' | 'receives' | 'commands', number> {
  const named = (wanted: string): number => operations.filter(({ name }) => name === wanted).length;
  return { requests, operations: operations.length, receives: named('Receive'), commands: named('Command') };
}

/** Hosts on loopback, a port each, over sealed HTTP. */
export function inventoryOf(ports: readonly number[]): string {
  const { user, password } = windowsAccount;
  const vars = {
    ansible_connection: 'winrm',
    ansible_winrm_scheme: 'http',
    ansible_host: '127.0.0.1',
    ansible_user: user,
    ansible_password: password,
    // The hosts share the processors with fettle: each waits for all the others.
    ansible_timeout: 60,
    ansible_winrm_read_timeout_sec: 600,
  };
  const hosts = Object.fromEntries(
    ports.map((port, index) => [`w${String(index + 1).padStart(3, '0')}`, { ansible_port: port }]),
  );
  return JSON.stringify({ all: { vars, hosts } });
}

/** Runs `fettle scan`; `words` are the arguments of node, the program among them. Throws where a host was not scanned. */
export async function scanWith(
  words: readonly string[],
  inventory: string,
  directory: string,
  { more = [], env = {} }: { readonly more?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const ledger = join(directory, 'ledger.db');
  const line = ['scan', '-i', inventory, '--ledger', ledger, '--progress', 'none', ...more];
  const child = spawn(process.execPath, [...words, ...line], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: directory, NODE_COMPILE_CACHE: join(directory, 'compile-cache'), ...env },
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(-2_000)));
  const [code] = (await once(child, 'close')) as unknown[];
  if (code !== 0) throw new Error(`the scan ended with ${String(code)}: ${said}`);
}
