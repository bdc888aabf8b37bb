import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { placesOf, stateRoot } from './places.ts';
import type { LabPlaces } from './places.ts';
import { capture, run } from './shell.ts';

/** In the environment of lab tests: who runs them. */
export const runnerVariable = 'FETTLE_LAB_RUNNER';

/** Removes everything a lab has on this machine, whatever state it is in. Nothing to do is fine. */
export async function cleanUp(places: LabPlaces): Promise<void> {
  await killSupervisor(places);
  await killGroup(places.cgroup);
  await unmountAll(places.stateDir);
  for (const name of await namespacesOf(places)) await unlessGone(`/run/netns/${name}`, ['ip', 'netns', 'del', name]);
  await removeGroup(places.cgroup);
  await rm(places.stateDir, { recursive: true, force: true });
}

/** Names of labs that have a directory. */
export async function knownLabs(): Promise<readonly string[]> {
  return (await readdir(stateRoot).catch((): string[] => [])).sort();
}

/**
 * Clears away what crashed labs have left, and names them. A lab is left alone while the process that started it lives,
 * and one that stays while its supervisor lives.
 */
export async function sweep(): Promise<readonly string[]> {
  const swept: string[] = [];
  for (const name of await knownLabs()) {
    const places = placesOf(name);
    const owner = await readFile(places.ownerFile, 'utf8').catch(() => '');
    if (owner === '' ? await isYoung(places.stateDir) : await isOwnerAlive(owner)) continue;
    const stays = owner.split(' ')[2] === 'stays';
    if (!stays) await supervisorEnd(places);
    else if ((await supervisorPid(places)) !== undefined) continue;
    await cleanUp(places);
    swept.push(name);
  }
  return swept;
}

/** Says that this process is starting a lab. */
export async function claim(places: LabPlaces, stays: boolean): Promise<void> {
  await mkdir(places.stateDir, { recursive: true });
  const start = await processStart(process.pid);
  const runner = process.env[runnerVariable] ?? '-';
  await writeFile(places.ownerFile, `${process.pid} ${start} ${stays ? 'stays' : 'attached'} ${runner}`);
}

/** Names of the labs that tests under this test runner have up. */
export async function labsOfRunner(runner: string): Promise<readonly string[]> {
  const owned: string[] = [];
  for (const name of await knownLabs()) {
    const owner = await readFile(placesOf(name).ownerFile, 'utf8').catch(() => '');
    if (owner.split(' ')[3] === runner) owned.push(name);
  }
  return owned;
}

async function isYoung(directory: string): Promise<boolean> {
  const status = await stat(directory).catch(() => undefined);
  // One that has vanished meanwhile was cleared away by somebody else.
  return status === undefined || Date.now() - status.mtimeMs < 10_000;
}

async function isOwnerAlive(owner: string): Promise<boolean> {
  const [pid = '', start] = owner.split(' ');
  return (await processStart(Number(pid))) === start;
}

/** Field 22 of /proc/PID/stat: with it a process id is unique. Empty where there is no such process. */
async function processStart(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

/** A supervisor whose owner is gone takes its lab down by itself; it gets the time for that. */
async function supervisorEnd(places: LabPlaces): Promise<void> {
  const deadlineMs = performance.now() + 15_000;
  while ((await supervisorPid(places)) !== undefined && performance.now() < deadlineMs) await sleep(50);
}

/** The process id of a lab's supervisor, if it lives: the number in the file alone proves nothing. */
export async function supervisorPid(places: LabPlaces): Promise<number | undefined> {
  const text = await readFile(join(places.stateDir, 'supervisor.pid'), 'utf8').catch(() => '');
  const pid = Number(text.trim());
  if (!(pid > 0)) return undefined;
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  return words.includes(places.specFile) ? pid : undefined;
}

async function killSupervisor(places: LabPlaces): Promise<void> {
  const pid = await supervisorPid(places);
  if (pid === undefined || pid === process.pid) return;
  process.kill(pid, 'SIGKILL');
  while ((await supervisorPid(places)) !== undefined) await sleep(20);
}

/** cgroups(7): writing to cgroup.kill ends every process below, however it tried to get away. */
async function killGroup(group: string): Promise<void> {
  if (!existsSync(group)) return;
  await writeFile(join(group, 'cgroup.kill'), '1').catch(() => undefined);
  const deadlineMs = performance.now() + 20_000;
  while (performance.now() < deadlineMs) {
    const events = await readFile(join(group, 'cgroup.events'), 'utf8').catch(() => 'populated 0');
    if (events.includes('populated 0')) return;
    await sleep(20);
  }
  throw new Error(`processes in ${group} do not end`);
}

async function removeGroup(group: string): Promise<void> {
  for (const entry of await readdir(group, { withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) await removeGroup(join(group, entry.name));
  }
  await rmdir(group).catch((error: unknown) => {
    if (existsSync(group)) throw error;
  });
}

async function unmountAll(directory: string): Promise<void> {
  for (const mount of await mountsBelow(directory)) {
    await run(['umount', mount]).catch(() => capture(['umount', '-l', mount]));
  }
  const left = await mountsBelow(directory);
  if (left.length > 0) throw new Error(`cannot be unmounted: ${left.join(', ')}`);
}

/** Mount points, the latest first. */
async function mountsBelow(directory: string): Promise<readonly string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  const mounts = lines.map((line) => line.split(' ')[4] ?? '');
  return mounts.filter((path) => path.startsWith(`${directory}/`)).toReversed();
}

/** Two processes may clear away the same leftovers at once. */
async function unlessGone(path: string, command: readonly string[]): Promise<void> {
  await run(command).catch((error: unknown) => {
    if (existsSync(path)) throw error;
  });
}

async function namespacesOf(places: LabPlaces): Promise<readonly string[]> {
  const names = await readdir('/run/netns').catch(() => []);
  return names.filter((name) => name === places.netns || name.startsWith(`${places.netns}.`));
}
