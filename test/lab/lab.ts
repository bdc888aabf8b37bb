import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { claim, cleanUp, supervisorPid, sweep } from './cleanup.ts';
import { ask } from './control.ts';
import { fettleWords, startInLab } from './controller.ts';
import type { Controlled, RunOptions } from './controller.ts';
import { LabHost } from './lab-host.ts';
import { LabRepo } from './lab-repo.ts';
import { makeControllerNetwork } from './network.ts';
import { hostSpecOf, inventoryOf, profileOf } from './options.ts';
import type { LabOptions } from './options.ts';
import { placesOf } from './places.ts';
import type { LabPlaces } from './places.ts';
import { prepare } from './prepare.ts';
import { Archive } from './repository/archive.ts';
import { run } from './shell.ts';
import type { CommandResult } from './shell.ts';
import type { HostStatus, LabSpec } from './spec.ts';

export interface SshOptions {
  /** A terminal on the host, so that the login counts as a person's. */
  readonly terminal?: boolean;
  readonly user?: string;
  readonly input?: string;
  readonly connectTimeoutSec?: number;
}

/** A fleet that is up. It ends with `await using`, or with the process that started it. */
export class Lab implements AsyncDisposable {
  readonly name: string;
  readonly inventoryPath: string;
  /** The private key that `root`, `patch` and `guest` accept on every host. */
  readonly keyPath: string;
  /** The host keys as they were when the lab started, or at the last `trustHostKeys`. */
  readonly knownHostsPath: string;
  /** The ledger that fettle is given. */
  readonly ledgerPath: string;
  readonly stateDir: string;
  readonly repo: LabRepo;
  readonly #places: LabPlaces;
  readonly #hosts: ReadonlyMap<string, LabHost>;

  constructor(places: LabPlaces, spec: LabSpec, archive: Archive) {
    this.#places = places;
    this.name = places.name;
    this.inventoryPath = places.inventoryFile;
    this.keyPath = places.keyFile;
    this.knownHostsPath = places.knownHostsFile;
    this.ledgerPath = places.ledgerFile;
    this.stateDir = places.stateDir;
    this.repo = new LabRepo(archive);
    this.#hosts = new Map(spec.hosts.map((host) => [host.name, new LabHost(places, host)]));
  }

  get hosts(): readonly LabHost[] {
    return [...this.#hosts.values()];
  }

  host(name: string): LabHost {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new RangeError(`the lab has no host ${name}`);
    return host;
  }

  status(): Promise<readonly HostStatus[]> {
    return ask(this.#places.controlSocket, { verb: 'status' });
  }

  /** OpenSSH's own client on a host, independent of fettle; as root unless told otherwise. */
  ssh(name: string, command: string, options: SshOptions = {}): Promise<CommandResult> {
    const settings = [
      `UserKnownHostsFile=${this.#places.trueKnownHostsFile}`,
      'GlobalKnownHostsFile=/dev/null',
      'StrictHostKeyChecking=yes',
      'BatchMode=yes',
      `ConnectTimeout=${options.connectTimeoutSec ?? 10}`,
      'KexAlgorithms=curve25519-sha256',
      'LogLevel=ERROR',
    ].flatMap((setting) => ['-o', setting]);
    const terminal = options.terminal === true ? ['-tt'] : [];
    const who = [...terminal, '-F', 'none', '-i', this.keyPath, '-l', options.user ?? 'root', this.host(name).address];
    return startInLab(this.#places, ['ssh', ...settings, ...who, '--', command], { input: options.input ?? '' }).done();
  }

  /** The trimmed output of a command that must succeed on a host. */
  async tell(name: string, command: string): Promise<string> {
    const { code, stdout, stderr } = await this.ssh(name, command);
    if (code !== 0) throw new Error(`${name}: ${command} ended with ${code}: ${stderr.trim()}`);
    return stdout.trim();
  }

  /** `Status-Abbrev version` of a package as dpkg-query says, e.g. `ii 1.0-1`; undefined where it is not known. */
  async packageState(name: string, packageName: string): Promise<string | undefined> {
    const format = "'${db:Status-Abbrev}|${Version}'";
    const { code, stdout } = await this.ssh(name, `dpkg-query -W -f ${format} ${packageName}`);
    return code === 0 ? stdout.replace(/ *\|/, ' ') : undefined;
  }

  /** How often the postinst of a package has begun to configure since the lab started; of one version, or of all. */
  async postinstRuns(name: string, packageName: string, version?: string): Promise<number> {
    const lines = (await this.tell(name, 'cat /var/lib/fettle-lab/postinst.log')).split('\n');
    return lines.filter((line) => {
      const [ranName, ranVersion] = line.split(' ');
      return ranName === packageName && (version === undefined || ranVersion === version);
    }).length;
  }

  /** Writes the host keys of now into `knownHostsPath`, as an administrator would. */
  async trustHostKeys(): Promise<void> {
    await copyFile(this.#places.trueKnownHostsFile, this.knownHostsPath);
  }

  /** Runs fettle from source on the controller and waits for its end. */
  run(argv: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    return this.spawn(argv, options).done();
  }

  /** Starts fettle on the controller. */
  spawn(argv: readonly string[], options: RunOptions = {}): Controlled {
    return startInLab(this.#places, fettleWords(argv), options);
  }

  /** Runs any program on the controller. */
  exec(words: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    return startInLab(this.#places, words, options).done();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await ask(this.#places.controlSocket, { verb: 'down' }).catch(() => cleanUp(this.#places));
  }
}

/**
 * Builds what is missing and starts a fleet; resolves when every host answers. The name gets the process id behind it,
 * so that two runs of one test do not meet, unless the lab `stays` when this process ends.
 * @throws Error when a lab of that name is up, or a host does not start.
 */
export async function startLab(options: LabOptions & { readonly stays?: boolean }): Promise<Lab> {
  const stays = options.stays === true;
  const name = stays ? options.name : `${options.name}-${process.pid}`;
  const places = placesOf(name);
  await sweep();
  if ((await supervisorPid(places)) !== undefined) throw new Error(`the lab ${name} is up already`);
  await cleanUp(places);
  await claim(places, stays);
  try {
    const { spec, archiveDir } = await specOf(name, options);
    const archive = await makeState(places, { options, spec, archiveDir });
    await makeControllerNetwork(places);
    await startSupervisor(places, stays);
    const lab = new Lab(places, spec, archive);
    await lab.trustHostKeys();
    await Promise.all(lab.hosts.map((host) => host.waitUntilStarted()));
    return lab;
  } catch (error) {
    await cleanUp(places);
    throw error;
  }
}

async function specOf(name: string, options: LabOptions): Promise<{ spec: LabSpec; archiveDir: string }> {
  const profiles = options.hosts.map(profileOf);
  const { archiveDir, architecture, layers } = await prepare(profiles);
  const hosts = options.hosts.map((host, index) => hostSpecOf(host, index, layers[index] ?? []));
  return { spec: { name, architecture, hosts }, archiveDir };
}

/** Opens a lab that another process has started. @throws Error when there is none of that name. */
export async function openLab(name: string): Promise<Lab> {
  const places = placesOf(name);
  if ((await supervisorPid(places)) === undefined) throw new Error(`the lab ${name} is not up`);
  const spec: unknown = JSON.parse(await readFile(places.specFile, 'utf8'));
  if (!isLabSpec(spec)) throw new Error(`${places.specFile} is no lab`);
  return new Lab(places, spec, await Archive.open(join(places.stateDir, 'archive'), spec.architecture));
}

function isLabSpec(value: unknown): value is LabSpec {
  return typeof value === 'object' && value !== null && 'hosts' in value && 'architecture' in value;
}

interface StateParts {
  readonly options: LabOptions;
  readonly spec: LabSpec;
  readonly archiveDir: string;
}

async function makeState(places: LabPlaces, { options, spec, archiveDir }: StateParts): Promise<Archive> {
  const archive = join(places.stateDir, 'archive');
  await mkdir(places.homeDir, { recursive: true });
  await mkdir(archive);
  await mkdir(join(places.cgroup, 'controller'), { recursive: true });
  for (const name of ['public', 'key', 'index.json']) await run(['cp', '-a', join(archiveDir, name), archive]);
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'fettle lab', '-f', places.keyFile]);
  await writeFile(places.inventoryFile, inventoryOf(places, options));
  await writeFile(places.specFile, JSON.stringify(spec));
  return Archive.open(archive, spec.architecture);
}

/** The supervisor's standard input is a pipe of this process, unless the lab shall stay. */
async function startSupervisor(places: LabPlaces, stays: boolean): Promise<void> {
  const log = openSync(places.supervisorLog, 'a');
  const program = [process.execPath, join(import.meta.dirname, 'supervisor.ts'), places.specFile];
  const words = [`--net=/run/netns/${places.netns}`, ...program, ...(stays ? ['--stays'] : [])];
  const child = spawn('nsenter', words, { detached: true, stdio: [stays ? 'ignore' : 'pipe', 'pipe', log] });
  closeSync(log);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  child.stdout?.once('data', () => resolve(true));
  child.once('exit', () => resolve(false));
  const isReady = await promise;
  if (!isReady) {
    const said = await readFile(places.supervisorLog, 'utf8').catch(() => '');
    throw new Error(`the lab ${places.name} did not start: ${said.trim()}`);
  }
  child.stdout?.destroy();
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
}

/** Ends a lab from outside, whatever state it is in. */
export async function endLab(name: string): Promise<void> {
  const places = placesOf(name);
  if ((await supervisorPid(places)) !== undefined) {
    await ask(places.controlSocket, { verb: 'down' }).catch(() => undefined);
  }
  await cleanUp(places);
}
