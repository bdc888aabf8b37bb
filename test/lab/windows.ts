// Simulated Windows hosts in a lab: a network namespace on the lab's bridge, in it WinRM at an address for each host.
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { readModel } from '../support/windows/disk.ts';
import { buildEngine } from '../support/windows/engine.ts';
import type { WindowsModel } from '../support/windows/model.ts';
import { startInLab } from './controller.ts';
import type { Controlled } from './controller.ts';
import type { Lab } from './lab.ts';
import { makeHostNetwork, setLink } from './network.ts';
import { hostSpecOf } from './options.ts';
import { hostNetnsOf, placesOf, prefixLength } from './places.ts';
import type { LabPlaces } from './places.ts';
import { run } from './shell.ts';
import type { HostSpec } from './spec.ts';
import type { WindowsReport, WindowsSettings } from './windows-program.ts';

export interface WindowsOptions {
  readonly name: string;
  /** Differences from a patched-last-month Server 2022. */
  readonly model?: Partial<WindowsModel>;
}

/** Behind the addresses of the lab's own hosts. */
const firstIndex = 150;

/** Windows hosts that have joined a lab. They end with `await using`, with their lab, or with this process. */
export class WindowsMembers implements AsyncDisposable {
  readonly #places: LabPlaces;
  readonly #specs: ReadonlyMap<string, HostSpec>;
  readonly #directories: WindowsReport['directories'];
  readonly #program: Controlled;

  constructor(places: LabPlaces, specs: readonly HostSpec[], program: Controlled, report: WindowsReport) {
    this.#places = places;
    this.#specs = new Map(specs.map((spec) => [spec.name, spec]));
    this.#program = program;
    this.#directories = report.directories;
  }

  get names(): readonly string[] {
    return [...this.#specs.keys()];
  }

  /** What a host is at this moment, as its own engine processes see it. */
  model(name: string): WindowsModel {
    return readModel(this.#directory(name));
  }

  /** Installations of each update that the host's own history has, by KB number. */
  installations(name: string): Readonly<Record<string, number>> {
    const { history, updates } = this.model(name);
    const counts: Record<string, number> = {};
    for (const { updateId, operation } of history) {
      const kb = updates.find(({ id }) => id === updateId)?.kb[0];
      const word = kb === undefined ? updateId : `KB${kb}`;
      if (operation === 1) counts[word] = (counts[word] ?? 0) + 1;
    }
    return counts;
  }

  /** Tasks and files that fettle has left on a host beyond what it documents: its search, tombstones and locks. */
  async leftBehind(name: string): Promise<readonly string[]> {
    const drive = join(this.#directory(name), 'c');
    const own = join(drive, 'Program Files', 'fettle');
    const [documented, jobs, temporary] = await Promise.all(
      [own, join(own, 'jobs'), join(drive, 'Windows', 'TEMP')].map((path) => readdir(path)),
    );
    const isDocumented = /^(?:jobs|collected|scan|[a-z]+\.lock)$/;
    return [
      ...Object.keys(this.model(name).tasks).filter((task) => task !== 'fettle-scan'),
      ...(documented ?? []).filter((file) => !isDocumented.test(file)),
      ...(jobs ?? []),
      ...(temporary ?? []),
    ];
  }

  /** Cuts every connection to a host; what runs on it goes on. Answers how many connections it has had so far. */
  async dropConnections(name: string): Promise<number> {
    const answers = (): RegExpMatchArray[] => [...this.#program.stdout.matchAll(/^dropped \S+ (\d+)$/gm)];
    const known = answers().length;
    this.#program.write(`${name}\n`);
    await this.#program.waitForText(new RegExp(`(?:^dropped [^]*){${known + 1}}`, 'm'));
    return Number(answers().at(-1)?.[1]);
  }

  /** Pulls the cable of all of them for a while. */
  async cutNetwork(forMs: number): Promise<void> {
    const [cabled] = this.#specs.values();
    if (cabled === undefined) return;
    await setLink(this.#places, cabled, false);
    await sleep(forMs);
    await setLink(this.#places, cabled, true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#program.endInput();
    await this.#program.done();
  }

  #directory(name: string): string {
    const directory = this.#directories[name];
    if (directory === undefined) throw new RangeError(`the lab has no Windows host ${name}`);
    return directory;
  }
}

/** Starts Windows hosts in a lab and writes them into its inventory, beside a group `linux` of the hosts it had. */
export async function joinWindows(lab: Lab, options: readonly WindowsOptions[]): Promise<WindowsMembers> {
  buildEngine();
  const places = placesOf(lab.name);
  const specs = options.map(({ name }, index) => hostSpecOf({ name }, firstIndex + index, []));
  const netns = await makeNetwork(places, specs);
  const words = [
    'nsenter',
    `--net=/run/netns/${netns}`,
    process.execPath,
    join(import.meta.dirname, 'windows-program.ts'),
  ];
  const program = startInLab(places, words, { keepsInput: true, env: { TMPDIR: places.stateDir } });
  const settings = options.map(({ model = {} }, index): WindowsSettings => ({ ...pick(specs[index]), model }));
  program.write(`${JSON.stringify(settings)}\n`);
  await program.waitForText(/^{.*}$/m);
  const report = JSON.parse(program.stdout) as WindowsReport;
  await writeInventory(lab, report);
  return new WindowsMembers(places, specs, program, report);
}

function pick(spec: HostSpec | undefined): Pick<HostSpec, 'name' | 'address'> {
  return { name: spec?.name ?? '', address: spec?.address ?? '' };
}

/** One cable for all of them; each has an address of its own. */
async function makeNetwork(places: LabPlaces, [first, ...others]: readonly HostSpec[]): Promise<string> {
  if (first === undefined) throw new RangeError('no Windows host was named');
  await makeHostNetwork(places, first);
  const netns = hostNetnsOf(places, first.name);
  for (const { address } of others) {
    await run(['ip', '-n', netns, 'addr', 'add', `${address}/${prefixLength}`, 'dev', 'eth0']);
  }
  return netns;
}

async function writeInventory(lab: Lab, { inventory }: WindowsReport): Promise<void> {
  const { all } = parse(await readFile(lab.inventoryPath, 'utf8')) as { all: object };
  const { windows } = parse(inventory) as { windows: object };
  await writeFile(lab.inventoryPath, stringify({ all: { children: { linux: all, windows } } }));
}
