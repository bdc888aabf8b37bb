// Signed repositories of pacman packages, built once on this machine by tar and gpg: PKGBUILD(5), alpm's desc files.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { contentOf, digestOf, ensureEntry } from '../cache-entry.ts';
import { cacheRoot } from '../places.ts';
import { run } from '../shell.ts';
import { repositories, type PacmanSpec } from './catalogue.ts';

const signer = 'fettle lab pacman';
/** Of everything that is built, seconds. */
const builtSec = 1_760_000_000;

/** What is missing on this machine to build repositories; undefined: nothing. */
function missingTools(): string | undefined {
  const missing = ['tar', 'gpg'].filter((program) => spawnSync(program, ['--version']).error !== undefined);
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`;
}

/** A directory with a directory for each repository of the catalogue, and `key.asc`. */
export async function ensurePacmanArchive(): Promise<string> {
  const sources = await contentOf(import.meta.dirname, ['archive.ts', 'catalogue.ts']);
  const contract = await contentOf(join(import.meta.dirname, '../contract'), ['packages.ts']);
  const digest = digestOf([...sources, ...contract]);
  const missing = missingTools();
  if (missing !== undefined) throw new Error(missing);
  return ensureEntry(join(cacheRoot(), `archive-pacman-${digest}`), async (directory) => {
    const home = join(directory, 'gpg');
    await mkdir(home, { recursive: true, mode: 0o700 });
    await withKey(home, async (gpg) => {
      await gpg(['--quick-generate-key', signer, 'rsa2048', 'sign', 'never']);
      await writeFile(join(directory, 'key.asc'), await gpg(['--armor', '--export', signer]));
      const sign = async (file: string): Promise<void> => {
        await gpg(['--detach-sign', '--local-user', signer, '--output', `${file}.sig`, file]);
      };
      for (const [at, [place, specs]] of Object.entries(repositories).entries()) {
        const list = await buildRepository(join(directory, place), specs, sign);
        // pacman takes a file of the same time for the same.
        const madeSec = builtSec + at * 3600;
        for (const file of [list, `${list}.sig`]) await utimes(file, madeSec, madeSec);
      }
    });
    await rm(home, { recursive: true });
  });
}

type Sign = (file: string) => Promise<void>;

async function buildRepository(place: string, specs: readonly PacmanSpec[], sign: Sign): Promise<string> {
  await mkdir(place, { recursive: true });
  const entries = join(place, 'entries');
  for (const spec of specs) {
    const file = await buildPackage(place, spec);
    await sign(file);
    const entry = join(entries, `${spec.name}-${spec.version}`);
    await mkdir(entry, { recursive: true });
    await writeFile(join(entry, 'desc'), await descText(file, spec));
  }
  const name = basename(place);
  const list = join(place, `${name}.db.tar.gz`);
  await pack(list, entries, await readdir(entries));
  await sign(list);
  await symlink(`${name}.db.tar.gz`, join(place, `${name}.db`));
  await symlink(`${name}.db.tar.gz.sig`, join(place, `${name}.db.sig`));
  await rm(entries, { recursive: true });
  return list;
}

async function pack(file: string, directory: string, names: readonly string[]): Promise<void> {
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--sort=name', `--mtime=@${builtSec}`];
  await run(['tar', '-C', directory, ...owner, '-czf', file, ...names]);
}

async function buildPackage(place: string, spec: PacmanSpec): Promise<string> {
  const root = join(place, `build-${spec.name}`);
  for (const [path, content] of filesOf(spec)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  await writeFile(join(root, '.PKGINFO'), infoText(spec));
  if (spec.install !== undefined) await writeFile(join(root, '.INSTALL'), `${spec.install}\n`);
  await writeFile(join(root, '.MTREE'), gzipSync(await treeText(root)));
  const file = join(place, `${spec.name}-${spec.version}-${archOf(spec)}.pkg.tar.gz`);
  await pack(file, root, (await readdir(root)).toSorted());
  await rm(root, { recursive: true });
  return file;
}

function archOf({ arch = 'x86_64' }: PacmanSpec): string {
  return arch;
}

function filesOf({ name, version, hasSettings, bytes }: PacmanSpec): readonly (readonly [string, string])[] {
  return [
    [`usr/share/fettle-lab/${name}`, `${version}\n`],
    ...(hasSettings === true ? [[`etc/${name}.conf`, `# of ${version}\n`] as const] : []),
    ...(bytes === undefined
      ? []
      : [[`usr/share/fettle-lab/${name}.bytes`, version.repeat(bytes).slice(0, bytes)] as const]),
  ];
}

function infoText(spec: PacmanSpec): string {
  const { name, version, info = [], hasSettings } = spec;
  const hasBase = info.some((line) => line.startsWith('pkgbase'));
  return [
    ...[
      `pkgname = ${name}`,
      ...(hasBase ? [] : [`pkgbase = ${name}`]),
      `pkgver = ${version}`,
      'pkgdesc = made for tests',
    ],
    ...['url = https://example.test', `builddate = ${builtSec}`, 'packager = Lab <lab@example.test>', 'size = 4096'],
    ...[`arch = ${archOf(spec)}`, 'license = MIT', ...info],
    ...(hasSettings === true ? [`backup = etc/${name}.conf`] : []),
    '',
  ].join('\n');
}

/** mtree(5): what `pacman -Qkk` compares the installed files with. */
async function treeText(root: string): Promise<string> {
  const paths = (await readdir(root, { recursive: true })).toSorted();
  const lines: string[] = [];
  for (const path of paths) {
    const file = join(root, path);
    const found = await stat(file);
    const isDirectory = found.isDirectory();
    const content = isDirectory ? '' : await readFile(file);
    const [md5, sha256] = ['md5', 'sha256'].map((name) => createHash(name).update(content).digest('hex'));
    const about = isDirectory ? 'type=dir mode=755' : `size=${found.size} md5digest=${md5} sha256digest=${sha256}`;
    lines.push(`./${path} time=${builtSec}.0 ${about}`);
  }
  return ['#mtree', '/set type=file uid=0 gid=0 mode=644', ...lines, ''].join('\n');
}

async function descText(file: string, spec: PacmanSpec): Promise<string> {
  const { info = [], name, version } = spec;
  const content = await readFile(file);
  const of = (word: string): readonly string[] =>
    info.flatMap((line) => (line.startsWith(`${word} = `) ? [line.slice(word.length + 3)] : []));
  const fields: readonly (readonly [string, readonly string[]])[] = [
    ['FILENAME', [basename(file)]],
    ['NAME', [name]],
    ['BASE', of('pkgbase').length > 0 ? of('pkgbase') : [name]],
    ['VERSION', [version]],
    ['DESC', ['made for tests']],
    ['CSIZE', [String(content.length)]],
    ['ISIZE', ['4096']],
    ['SHA256SUM', [createHash('sha256').update(content).digest('hex')]],
    ['ARCH', [archOf(spec)]],
    ['BUILDDATE', [String(builtSec)]],
    ['REPLACES', of('replaces')],
    ['CONFLICTS', of('conflict')],
    ['PROVIDES', of('provides')],
    ['DEPENDS', of('depend')],
  ];
  return fields
    .filter(([, values]) => values.length > 0)
    .map(([field, values]) => `%${field}%\n${values.join('\n')}\n\n`)
    .join('');
}

type Gpg = (words: readonly string[]) => Promise<string>;

/** gpg starts an agent for the home directory; it ends with the work. */
async function withKey(home: string, work: (gpg: Gpg) => Promise<void>): Promise<void> {
  const words = ['--batch', '--quiet', '--no-tty', '--pinentry-mode', 'loopback', '--passphrase', ''];
  const env = { PATH: process.env['PATH'] ?? '', GNUPGHOME: home, HOME: home, LC_ALL: 'C' };
  try {
    await work((more) => run(['gpg', ...words, ...more], { env }));
  } finally {
    await run(['gpgconf', '--kill', 'all'], { env }).catch(() => undefined);
  }
}
