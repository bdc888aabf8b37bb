// Simulated Windows hosts in one process: node test/lab/windows-program.ts, their settings as JSON on the first line of
// standard input. It prints who they are as JSON when all of them listen. Each further line is a name: every connection
// to that host is cut, and how many it has had is printed. It ends with its standard input.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { windowsModel } from '../support/windows/defaults.ts';
import { startWindowsFleet } from '../support/windows/fleet.ts';
import type { WindowsModel } from '../support/windows/model.ts';

export interface WindowsSettings {
  readonly name: string;
  readonly address: string;
  readonly model: Partial<WindowsModel>;
}

export interface WindowsReport {
  /** A group `windows`, indented by four. */
  readonly inventory: string;
  /** Where the model of each host is, by name. */
  readonly directories: Readonly<Record<string, string>>;
}

async function main(): Promise<void> {
  const input = createInterface({ input: process.stdin });
  const ended = once(input, 'close');
  const [line] = (await once(input, 'line')) as [string];
  const settings = JSON.parse(line) as readonly WindowsSettings[];
  await using fleet = await startWindowsFleet(
    settings.map(({ name }) => name),
    (wanted) => {
      const found = settings.find(({ name }) => name === wanted);
      if (found === undefined) throw new RangeError(`nobody asked for ${wanted}`);
      const { address, model } = found;
      const os = { ...windowsModel(0).os, computerName: wanted.toUpperCase() };
      return { model: { os, ...model }, server: { listen: { address, port: 5985 } } };
    },
  );
  const directories = Object.fromEntries(fleet.members.map(({ name, host }) => [name, host.directory]));
  process.stdout.write(`${JSON.stringify({ inventory: fleet.inventory, directories } satisfies WindowsReport)}\n`);
  input.on('line', (name) => {
    const server = fleet.members.find((member) => member.name === name)?.server;
    server?.dropConnections();
    process.stdout.write(`dropped ${name} ${server?.stats.connections ?? 0}\n`);
  });
  await ended;
}

await main();
