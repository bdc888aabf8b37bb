// Runs the hosts of one lab; started inside the lab's network namespace.
//   node test/lab/supervisor.ts SPEC [--stays]
// Without --stays it lives as long as its standard input is open, so that a lab dies with the test that made it.
import { readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cleanUp } from './cleanup.ts';
import { serveControl } from './control.ts';
import { knownHostsOf, makeDisk } from './host-disk.ts';
import { Machine } from './machine.ts';
import { makeHostNetwork } from './network.ts';
import { placesOf } from './places.ts';
import type { LabPlaces } from './places.ts';
import { eachOf } from './shell.ts';
import type { Answer, LabSpec, Request } from './spec.ts';

const instancesPath = '/proc/sys/fs/inotify/max_user_instances';

class Supervisor {
  readonly #places: LabPlaces;
  readonly #machines: ReadonlyMap<string, Machine>;
  #up: Promise<void> = Promise.resolve();
  #down: Promise<void> | undefined;

  constructor(spec: LabSpec) {
    this.#places = placesOf(spec.name);
    this.#machines = new Map(
      spec.hosts.map((host) => [host.name, new Machine(this.#places, host, () => this.#writeKnownHosts())]),
    );
  }

  up(): Promise<void> {
    this.#up = this.#startAll();
    return this.#up;
  }

  async #startAll(): Promise<void> {
    const machines = [...this.#machines.values()];
    await eachOf(machines, 4, async ({ spec }) => {
      if (this.#down !== undefined) throw new Error('the lab goes down again');
      await makeDisk(this.#places, spec);
      await makeHostNetwork(this.#places, spec);
    });
    await this.#writeKnownHosts();
    await eachOf(machines, 8, (machine) => machine.powerOn());
    await serveControl(this.#places.controlSocket, (request) => this.#answer(request));
  }

  get isEnding(): boolean {
    return this.#down !== undefined;
  }

  down(): Promise<void> {
    this.#down ??= this.#endAll();
    return this.#down;
  }

  /** What is being made while the end comes is waited for, else it would be left behind. */
  async #endAll(): Promise<void> {
    const machines = [...this.#machines.values()];
    await Promise.all(machines.map((machine) => machine.end()));
    await this.#up.catch(() => undefined);
    await Promise.all(machines.map((machine) => machine.end()));
    await cleanUp(this.#places);
  }

  async #answer(request: Request): Promise<Answer> {
    if (request.verb === 'down') {
      await this.down();
      // Long enough for the answer to leave.
      setTimeout(() => process.exit(0), 50);
    } else if (request.verb !== 'status') await this.#act(request, this.#machine(request.host));
    return { ok: true, hosts: [...this.#machines.values()].map((machine) => machine.status()) };
  }

  async #act(request: Exclude<Request, { verb: 'status' | 'down' }>, machine: Machine): Promise<void> {
    switch (request.verb) {
      case 'power-off':
        return machine.powerOff();
      case 'power-on':
        return machine.powerOn();
      case 'await-ssh':
        return machine.awaitSsh();
      case 'cut':
        return machine.cutNetwork(request.mode, request.forMs);
      case 'restore':
        return machine.restoreNetwork();
      case 'on-reboot':
        machine.behaviour = request.behaviour;
        return undefined;
      case 'new-host-key':
        return machine.newHostKey();
    }
  }

  async #writeKnownHosts(): Promise<void> {
    const hosts = [...this.#machines.values()].map((machine) => machine.spec);
    await writeFile(this.#places.trueKnownHostsFile, await knownHostsOf(this.#places, hosts));
  }

  #machine(name: string): Machine {
    const machine = this.#machines.get(name);
    if (machine === undefined) throw new Error(`it has no host ${name}`);
    return machine;
  }
}

function isLabSpec(value: unknown): value is LabSpec {
  return typeof value === 'object' && value !== null && 'name' in value && 'hosts' in value;
}

/** A dozen systemds need more than the usual 128. */
async function raiseInotifyLimit(): Promise<void> {
  if (Number(await readFile(instancesPath, 'utf8')) < 8192) await writeFile(instancesPath, '8192');
}

async function main(): Promise<void> {
  const [specFile = '', ...words] = process.argv.slice(2);
  const spec: unknown = JSON.parse(await readFile(specFile, 'utf8'));
  if (!isLabSpec(spec)) throw new Error(`${specFile} is no lab`);
  const places = placesOf(spec.name);
  await writeFile(join(places.stateDir, 'supervisor.pid'), String(process.pid));
  const supervisor = new Supervisor(spec);
  const leave = (): void => void supervisor.down().then(() => process.exit(0), fail);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, leave);
  if (!words.includes('--stays')) process.stdin.on('close', leave).on('error', leave).resume();
  await raiseInotifyLimit();
  try {
    await supervisor.up();
    process.stdout.write(`ready in ${await readlink('/proc/self/ns/net')}\n`);
  } catch (error) {
    // Whoever started it reads why, and then clears away what is left.
    if (!supervisor.isEnding) fail(error);
  }
}

function fail(error: unknown): never {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
}

await main();
