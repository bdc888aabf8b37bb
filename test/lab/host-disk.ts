import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hostDirOf } from './places.ts';
import type { LabPlaces } from './places.ts';
import { run } from './shell.ts';
import type { HostSpec } from './spec.ts';

const patchUid = 1000;
const guestUid = 1001;

/** Makes the file system a host writes to, with what is the host's own, and the files `host/enter.sh` reads. */
export async function makeDisk(places: LabPlaces, host: HostSpec): Promise<void> {
  const directory = hostDirOf(places, host.name);
  const disk = join(directory, 'disk');
  await mkdir(disk, { recursive: true });
  await mkdir(join(directory, 'root'));
  await run(['mount', '-t', 'tmpfs', '-o', `size=${host.diskMib}m,mode=755`, `fettle-lab-${host.name}`, disk]);
  await mkdir(join(disk, 'work'));
  await writeFile(join(directory, 'name'), host.name);
  await writeFile(join(directory, 'flavour'), host.flavour);
  await writeFile(join(directory, 'lower'), host.layers.join(':'));
  await seed(places, host, join(disk, 'upper'));
}

async function seed(places: LabPlaces, host: HostSpec, upper: string): Promise<void> {
  const key = await readFile(`${places.keyFile}.pub`);
  await directoryAt(upper, 0o755);
  const put = (path: string, content: string | Buffer, mode = 0o644): Promise<void> =>
    fileAt(join(upper, path), content, mode);
  await put('etc/hostname', `${host.name}\n`);
  await put('etc/hosts', `127.0.0.1 localhost\n${host.address} ${host.name}\n`);
  await put('etc/machine-id', `${host.machineId}\n`, 0o444);
  await directoryAt(join(upper, 'etc/sudoers.d'), 0o750);
  const tag = host.sudo === 'nopasswd' ? 'NOPASSWD: ' : '';
  await put('etc/sudoers.d/patch', `patch ALL=(ALL:ALL) ${tag}ALL\n`, 0o440);
  await authorize(upper, 'root', { uid: 0, key });
  await authorize(upper, 'home/patch', { uid: patchUid, key });
  await authorize(upper, 'home/guest', { uid: guestUid, key });
  await makeHostKey(upper, host.name);
  for (const [path, content] of Object.entries(host.files)) await put(path, content);
  await ageMetadata(host, upper);
}

/** Where package managers keep the lists that they fetched. */
const listPlaces = ['var/lib/apt/lists', 'var/cache/dnf', 'var/cache/libdnf5'];

/** Files of a layer are as old as the layer itself, which is kept for days; those of the host are as old as it asks for. */
async function ageMetadata({ layers, metadataAgeMs }: HostSpec, upper: string): Promise<void> {
  const seenAt = new Date(Date.now() - metadataAgeMs);
  for (const place of listPlaces) {
    const sources = layers.map((layer) => join(layer, place)).filter((path) => existsSync(path));
    if (sources.length === 0) continue;
    await directoryAt(join(upper, place), 0o755);
    for (const lists of sources) {
      // What an upper layer has deleted stands in the way of its original: cp goes on without it, and complains.
      await run(['cp', '-a', '--no-clobber', `${lists}/.`, join(upper, place)]).catch(() => undefined);
    }
    await run(['find', join(upper, place), '-exec', 'touch', '-d', seenAt.toISOString(), '{}', '+']);
  }
}

interface Account {
  readonly uid: number;
  readonly key: Buffer;
}

async function authorize(upper: string, home: string, { uid, key }: Account): Promise<void> {
  await directoryAt(join(upper, home), uid === 0 ? 0o700 : 0o755);
  await directoryAt(join(upper, home, '.ssh'), 0o700);
  await fileAt(join(upper, home, '.ssh/authorized_keys'), key, 0o600);
  for (const path of [home, `${home}/.ssh`, `${home}/.ssh/authorized_keys`]) await chown(join(upper, path), uid, uid);
}

/** Gives a host a new key. It counts from the next start of sshd. */
export async function makeHostKey(upper: string, hostName: string): Promise<void> {
  const path = join(upper, 'etc/ssh/ssh_host_ed25519_key');
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  await rm(`${path}.pub`, { force: true });
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', `root@${hostName}`, '-f', path]);
}

/** The lines of known_hosts for the keys these hosts have now. */
export async function knownHostsOf(places: LabPlaces, hosts: readonly HostSpec[]): Promise<string> {
  const lines = hosts.map(async (host) => {
    const path = join(hostDirOf(places, host.name), 'disk/upper/etc/ssh/ssh_host_ed25519_key.pub');
    const [type = '', key = ''] = (await readFile(path, 'utf8')).split(' ');
    return `${host.address} ${type} ${key}\n`;
  });
  return (await Promise.all(lines)).join('');
}

async function directoryAt(path: string, mode: number): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, mode);
}

async function fileAt(path: string, content: string | Buffer, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await writeFile(path, content);
  await chmod(path, mode);
}
