import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { eachOf } from '../shell.ts';
import { buildDeb } from './deb.ts';
import type { BuiltPackage } from './deb.ts';
import type { PackageSpec, Suite } from './package-spec.ts';
import { clearSign, makeSigningKey } from './signing-key.ts';

interface Release {
  /** The directory below dists/, and the codename. */
  readonly codename: string;
  readonly suite: string;
  readonly label: string;
}

const releases: Readonly<Record<Suite, Release>> = {
  stable: { codename: 'bookworm', suite: 'oldstable', label: 'Debian' },
  updates: { codename: 'bookworm-updates', suite: 'oldstable-updates', label: 'Debian' },
  security: { codename: 'bookworm-security', suite: 'oldstable-security', label: 'Debian-Security' },
};

const suites = ['stable', 'updates', 'security'] as const;

/**
 * A signed Debian archive of three suites in a directory: `public/` is what hosts see, `key/` signs it, `index.json`
 * says what is in it.
 */
export class Archive {
  readonly #directory: string;
  readonly #architecture: string;
  #packages: readonly BuiltPackage[];

  private constructor(directory: string, architecture: string, packages: readonly BuiltPackage[]) {
    this.#directory = directory;
    this.#architecture = architecture;
    this.#packages = packages;
  }

  /** Makes a new archive with a key of its own. */
  static async create(directory: string, architecture: string, specs: readonly PackageSpec[]): Promise<Archive> {
    await mkdir(join(directory, 'public'), { recursive: true });
    await makeSigningKey(join(directory, 'key'));
    const archive = new Archive(directory, architecture, []);
    await archive.publish(specs);
    return archive;
  }

  /** Opens one that is there. */
  static async open(directory: string, architecture: string): Promise<Archive> {
    const text = await readFile(join(directory, 'index.json'), 'utf8');
    return new Archive(directory, architecture, parseIndex(text));
  }

  get publicDir(): string {
    return join(this.#directory, 'public');
  }

  get packages(): readonly BuiltPackage[] {
    return this.#packages;
  }

  /** Adds packages and writes the indexes anew; a version that is there is replaced. */
  async publish(specs: readonly PackageSpec[]): Promise<void> {
    const built = await eachOf(specs, 2, (spec) => buildDeb(spec, this.publicDir, this.#architecture));
    const replaced = new Set(built.map(keyOf));
    this.#packages = [...this.#packages.filter((item) => !replaced.has(keyOf(item))), ...built];
    await this.#write();
  }

  /** Where the indexes of a suite lie. */
  distDir(suite: Suite): string {
    return join(this.publicDir, 'dists', releases[suite].codename);
  }

  /** Takes packages out of the indexes and, where nothing names it any more, the file out of the pool. */
  async remove(isGone: (item: BuiltPackage) => boolean): Promise<number> {
    const gone = this.#packages.filter(isGone);
    this.#packages = this.#packages.filter((item) => !isGone(item));
    await this.#write();
    const named = new Set(this.#packages.map((item) => item.filename));
    for (const item of gone) {
      if (!named.has(item.filename)) await rm(join(this.publicDir, item.filename), { force: true });
    }
    return gone.length;
  }

  async #write(): Promise<void> {
    const texts = suites.map((suite) => indexOf(this.#packages.filter((item) => item.suite === suite)));
    const bare = suites.map((suite, at) => releaseOf(releases[suite], texts[at] ?? '', this.#architecture));
    const signed = await clearSign(join(this.#directory, 'key'), bare);
    for (const [at, suite] of suites.entries()) {
      const dist = this.distDir(suite);
      await replaceFile(join(dist, packagesPath(this.#architecture)), texts[at] ?? '');
      await replaceFile(join(dist, 'InRelease'), signed[at] ?? '');
    }
    await replaceFile(join(this.#directory, 'index.json'), JSON.stringify(this.#packages));
  }
}

function keyOf(item: BuiltPackage): string {
  return `${item.suite} ${item.name} ${item.version}`;
}

function parseIndex(text: string): readonly BuiltPackage[] {
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value)) throw new Error('the index of the archive is no list');
  return value.filter(isBuiltPackage);
}

function isBuiltPackage(value: unknown): value is BuiltPackage {
  return typeof value === 'object' && value !== null && 'stanza' in value && 'filename' in value && 'suite' in value;
}

function packagesPath(architecture: string): string {
  return `main/binary-${architecture}/Packages`;
}

function indexOf(packages: readonly BuiltPackage[]): string {
  return packages.map((item) => `${item.stanza}\n\n`).join('');
}

function releaseOf(release: Release, packages: string, architecture: string): string {
  const digest = createHash('sha256').update(packages).digest('hex');
  return [
    'Origin: Debian',
    `Label: ${release.label}`,
    `Suite: ${release.suite}`,
    'Version: 12.11',
    `Codename: ${release.codename}`,
    `Date: ${new Date().toUTCString().replace('GMT', 'UTC')}`,
    `Architectures: ${architecture}`,
    'Components: main',
    'SHA256:',
    ` ${digest} ${Buffer.byteLength(packages)} ${packagesPath(architecture)}`,
    '',
  ].join('\n');
}

async function replaceFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}
