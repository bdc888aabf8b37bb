import { chmod, copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contentOf, digestOf, ensureEntry } from './cache-entry.ts';
import { debianMirror, debianRelease } from './mirror.ts';
import { cacheRoot, labPassword } from './places.ts';
import { run } from './shell.ts';

/**
 * `python` is plain with Python, for tools that need it on hosts: only benchmarks have those. `dnf` is plain with dnf 4,
 * rpm and flatpak of Debian, `zypper` plain with zypper and rpm of Debian, `pacman` plain with Debian's pacman. `dnf5` is plain with dnf
 * 5, which only Debian's unstable has: on some days it cannot be installed.
 */
export type Flavour = 'plain' | 'systemd' | 'python' | 'dnf' | 'dnf5' | 'zypper' | 'pacman';

const hostFolder = join(import.meta.dirname, 'host');

const included = ['openssh-server', 'sudo', 'procps', 'iproute2'];
const systemd = ['systemd', 'systemd-sysv', 'dbus', 'libpam-systemd'];

/** What every flavour brings into its root as programs. */
const tools: Readonly<Record<string, string>> = {
  init: 'init.sh',
  uname: 'uname.sh',
  reboot: 'reboot.pl',
  'detect-virt': 'detect-virt.sh',
};

/** What a flavour has besides. */
const added: Readonly<Record<Flavour, readonly string[]>> = {
  plain: [],
  systemd: [],
  python: ['python3', 'python3-apt'],
  dnf: ['dnf', 'dnf-plugins-core', 'rpm', 'flatpak'],
  dnf5: ['dnf5', 'rpm'],
  zypper: ['zypper', 'rpm'],
  pacman: ['pacman-package-manager', 'gpg', 'gpg-agent'],
};

/** A bare Debian: debootstrap's minbase with a handful of packages. */
async function ensureDebian(release: string, packages: readonly string[]): Promise<string> {
  const path = join(cacheRoot(), `base-${digestOf([release, ...packages])}`);
  return ensureEntry(path, async (directory) => {
    const words = ['debootstrap', '--variant=minbase', `--include=${packages.join(',')}`, release];
    await run([...words, directory, await debianMirror()]);
  });
}

/** What lies under a flavour, uppermost first: a Debian with systemd, which all have in common, and the flavour's packages. */
async function ensureBase(flavour: Flavour): Promise<readonly string[]> {
  const packages = added[flavour];
  // In unstable, systemd cannot be removed once its init is installed.
  if (flavour === 'dnf5') return [await ensureDebian('sid', [...included, ...packages])];
  const debian = await ensureDebian(debianRelease, [...included, ...systemd]);
  if (packages.length === 0) return [debian];
  const path = join(cacheRoot(), `packages-${digestOf([debian, ...packages])}`);
  await ensureEntry(path, async (directory) => {
    const script = `export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq -y --no-install-recommends install ${packages.join(' ')} >/dev/null
apt-get clean
rm -rf /var/lib/apt/lists/*`;
    await runInLayer({ lower: [debian], upper: directory, script });
  });
  return [path, debian];
}

/** The overlay layers under a flavour's profiles, uppermost first, and a digest of what they are. */
export interface FlavourLayers {
  readonly layers: readonly string[];
  readonly digest: string;
}

/** Builds base and flavour where they are not there yet. Two minutes the first time, nothing later. */
export async function ensureFlavour(flavour: Flavour): Promise<FlavourLayers> {
  const base = await ensureBase(flavour);
  const ownScript = flavour === 'systemd' ? 'systemd.sh' : 'plain.sh';
  const names = ['customise.sh', ownScript, 'devices.sh', 'in-layer.sh', ...Object.values(tools)];
  const digest = digestOf([...base, flavour, labPassword, ...(await contentOf(hostFolder, names))]);
  const path = join(cacheRoot(), `flavour-${flavour}-${digest}`);
  await ensureEntry(path, async (directory) => {
    await installTools(join(directory, 'usr/local/lib/fettle-lab'));
    const [common, own] = await Promise.all([readScript('customise.sh'), readScript(ownScript)]);
    await runInLayer({ lower: base, upper: directory, script: `LAB_PASSWORD='${labPassword}'\n${common}\n${own}` });
  });
  return { layers: [path, ...base], digest };
}

function readScript(name: string): Promise<string> {
  return readFile(join(hostFolder, name), 'utf8');
}

async function installTools(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [name, source] of Object.entries(tools)) {
    await copyFile(join(hostFolder, source), join(directory, name));
    await chmod(join(directory, name), 0o755);
  }
}

export interface LayerWork {
  /** Layers below, uppermost first. */
  readonly lower: readonly string[];
  readonly upper: string;
  readonly script: string;
  /** Seen as /srv/repo. */
  readonly repository?: string;
}

/** Runs a shell script in a root and keeps what it changes in `upper`. */
export async function runInLayer(work: LayerWork): Promise<void> {
  const beside = `${work.upper}.build`;
  const [scratch, root] = [join(beside, 'work'), join(beside, 'root')];
  await mkdir(scratch, { recursive: true });
  await mkdir(root, { recursive: true });
  const namespaces = ['unshare', '--mount', '--pid', '--fork', '--kill-child'];
  const program = ['sh', join(hostFolder, 'in-layer.sh')];
  const words = [work.lower.join(':'), work.upper, scratch, root, work.repository ?? '', work.script];
  try {
    await run([...namespaces, ...program, ...words], { env: { PATH: rootPath, LC_ALL: 'C.UTF-8' } });
  } finally {
    await run(['rm', '-rf', beside]);
  }
}

const rootPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
