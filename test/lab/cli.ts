// A fleet to play with: npm run lab -- up|status|down|reset|power-off|power-on|cut|restore
import { parseArgs } from 'node:util';
import { endLab, openLab, startLab } from './lab.ts';
import type { Lab } from './lab.ts';
import { knownLabs, sweep } from './cleanup.ts';
import { playFleet } from './fleet.ts';
import { nativeArchitecture } from './mirror.ts';
import { placesOf } from './places.ts';
import { missingForLab } from './requirements.ts';

const usage = `usage: npm run lab -- COMMAND [HOST] [--name NAME] [--hosts N]

  up         build what is missing and start a fleet of --hosts N (7) that stays
  status     what runs, and how to talk to it
  reset      the same fleet anew, as it was when it was started first
  down       stop a fleet and leave nothing behind; with --all every fleet
  power-off HOST | power-on HOST
  cut HOST [--mode link|silent|to-host|from-host] | restore HOST
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: 'string', default: 'play' },
    hosts: { type: 'string' },
    mode: { type: 'string', default: 'silent' },
    all: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const [command = 'help', hostName = ''] = positionals;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function up(count: number): Promise<void> {
  const startedMs = performance.now();
  const lab = await startLab({
    name: values.name,
    hosts: playFleet(count, await nativeArchitecture()),
    stays: true,
  });
  say(`${values.name}: ${lab.hosts.length} hosts up in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  await status(lab);
}

async function status(lab: Lab): Promise<void> {
  for (const host of await lab.status()) {
    const cut = host.cut === undefined ? '' : `, network cut (${host.cut})`;
    say(`  ${host.name.padEnd(12)} ${host.address.padEnd(11)} ${host.flavour.padEnd(8)} ${host.state}${cut}`);
  }
  const inside = `ip netns exec ${placesOf(values.name).netns}`;
  const first = lab.hosts[0];
  const keys = `-i ${lab.keyPath} -o UserKnownHostsFile=${lab.knownHostsPath}`;
  say('\nThe fleet has a network of its own; go in with');
  say(`  ${inside} env FETTLE_LEDGER=${lab.ledgerPath} npm run fettle -- scan -i ${lab.inventoryPath}`);
  say(`  ${inside} ssh -F none ${keys} root@${first?.address ?? ''}`);
}

/** As many hosts as are asked for, else as many as there are, else one of each kind. */
async function wishedHosts(): Promise<number> {
  const count = Number(values.hosts ?? (await currentHosts()) ?? 7);
  if (!Number.isInteger(count) || count < 1 || count > 250) throw new Error('--hosts is a number from 1 to 250');
  return count;
}

async function currentHosts(): Promise<number | undefined> {
  if (command !== 'reset') return undefined;
  return openLab(values.name).then(
    (lab) => lab.hosts.length,
    () => undefined,
  );
}

async function down(): Promise<void> {
  for (const name of values.all ? await knownLabs() : [values.name]) {
    await endLab(name);
    say(`${name}: down`);
  }
  for (const name of await sweep()) say(`${name}: left over from a crash, cleared away`);
}

async function change(): Promise<void> {
  const host = (await openLab(values.name)).host(hostName);
  if (command === 'power-off') await host.powerOff();
  if (command === 'power-on') await host.powerOn();
  if (command === 'restore') await host.restoreNetwork();
  if (command === 'cut') {
    const mode = (['link', 'silent', 'to-host', 'from-host'] as const).find((item) => item === values.mode);
    if (mode === undefined) throw new Error(`no way to cut: ${values.mode}`);
    await host.cutNetwork(mode);
  }
  say(`${hostName}: ${command} done`);
}

async function main(): Promise<number> {
  if (values.help || command === 'help') {
    say(usage);
    return 0;
  }
  const missing = await missingForLab();
  if (missing.length > 0) throw new Error(missing.join('\n     '));
  switch (command) {
    case 'up':
      await up(await wishedHosts());
      return 0;
    case 'reset': {
      const count = await wishedHosts();
      await endLab(values.name);
      await up(count);
      return 0;
    }
    case 'status':
      await status(await openLab(values.name));
      return 0;
    case 'down':
      await down();
      return 0;
    case 'power-off':
    case 'power-on':
    case 'cut':
    case 'restore':
      await change();
      return 0;
    default:
      process.stderr.write(`lab: no command ${command}\n${usage}`);
      return 2;
  }
}

// A reader that has seen enough is no error.
process.stdout.on('error', () => process.exit(0));
try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`lab: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
