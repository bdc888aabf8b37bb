import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ensureFlavour, runInLayer } from './base.ts';
import type { Flavour } from './base.ts';
import { contentOf, digestOf, ensureEntry, pruneCache } from './cache-entry.ts';
import { nativeArchitecture } from './mirror.ts';
import { cacheRoot } from './places.ts';
import { Archive } from './repository/archive.ts';
import { catalogue, layerSetup } from './repository/catalogue.ts';
import { run } from './shell.ts';
import { systems } from './systems.ts';

/** What hosts have in common: equal profiles share one layer. */
export interface Profile {
  readonly flavour: Flavour;
  /** Packages that are installed in their oldest version, by name. */
  readonly packages: readonly string[];
}

export interface Prepared {
  /** The archive every new lab starts with a copy of. */
  readonly archiveDir: string;
  readonly architecture: string;
  /** Overlay layers, uppermost first, in the order of the profiles asked for. */
  readonly layers: readonly (readonly string[])[];
}

/** Builds what is missing of base, flavours, archive and profile layers. One process at a time: see `prepare.ts`. */
export async function prepareLayers(profiles: readonly Profile[]): Promise<Prepared> {
  const architecture = await nativeArchitecture();
  const archiveDir = await ensureArchive(architecture);
  const layers: (readonly string[])[] = [];
  for (const profile of profiles) layers.push(await ensureLayer(profile, archiveDir));
  await pruneCache(cacheRoot());
  return { archiveDir, architecture, layers };
}

async function ensureArchive(architecture: string): Promise<string> {
  const digest = digestOf([architecture, ...(await archiveSources())]);
  return ensureEntry(join(cacheRoot(), `archive-${digest}`), async (directory) => {
    await Archive.create(directory, architecture, catalogue(architecture));
  });
}

async function archiveSources(): Promise<readonly string[]> {
  const here = import.meta.dirname;
  return [
    ...(await contentOf(join(here, 'repository'))),
    ...(await contentOf(join(here, 'contract'), ['packages.ts'])),
  ];
}

/** Layers lie inside their archive: they trust its key. */
async function ensureLayer(profile: Profile, archiveDir: string): Promise<readonly string[]> {
  const { layers, digest } = await ensureFlavour(profile.flavour);
  const packages = [...new Set(profile.packages)].sort();
  const system = systems[profile.flavour];
  const own = system === undefined ? undefined : { at: system.at, from: await system.archive() };
  const script = `${system?.setup(packages) ?? (await scriptOf(packages, archiveDir))}${common}`;
  const made = own === undefined ? [digest, ...packages] : [digest, own.from, script];
  const path = join(archiveDir, 'layers', `${profile.flavour}-${digestOf(made)}`);
  const archive = await Archive.open(archiveDir, await nativeArchitecture());
  await ensureEntry(path, async (directory) => {
    if (own !== undefined) await copyInto(own.from, join(directory, own.at));
    await runInLayer({ lower: layers, upper: directory, repository: archive.publicDir, script });
  });
  return [path, ...layers];
}

async function copyInto(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  // pacman takes a list of the same time for the same.
  await run(['cp', '-aT', from, to]);
}

async function scriptOf(packages: readonly string[], archiveDir: string): Promise<string> {
  const [key = ''] = await contentOf(join(archiveDir, 'key'), ['public.asc']);
  const setup = packages.map((name) => layerSetup[name] ?? ':').join('\n');
  const install = `DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dir::Etc::Preferences=/tmp/stable.pref install`;
  return `umask 022
cat >/etc/apt/keyrings/lab.asc <<'KEY'
${key}
KEY
apt-get -qq update
printf 'Package: *\\nPin: release n=bookworm\\nPin-Priority: 990\\n' >/tmp/stable.pref
${packages.length === 0 ? ':' : `${install} ${packages.join(' ')} >/tmp/install.log 2>&1 || { cat /tmp/install.log; exit 1; }`}
rm -f /tmp/stable.pref /tmp/install.log /var/cache/apt/archives/*.deb
${setup}
`;
}

/** What was logged while the layer was made is not the host's. */
const common = `: >/var/lib/fettle-lab/postinst.log
rm -f /var/lib/fettle-lab/postinst-done.log
`;
