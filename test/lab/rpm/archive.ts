// Two signed repositories of rpm packages, one with advisories: built once on this machine by rpmbuild and createrepo_c.
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contentOf, digestOf, ensureEntry } from '../cache-entry.ts';
import { cacheRoot } from '../places.ts';
import { run } from '../shell.ts';
import {
  advisories,
  basePackages,
  contracted,
  habitualPackages,
  modules,
  streamedPackages,
  updatePackages,
  usualRelease,
} from './catalogue.ts';
import type { RpmAdvisory, RpmRepository, RpmSpec } from './catalogue.ts';

const signer = 'fettle lab rpm';

/** What is missing on this machine to build repositories; undefined: nothing. */
function missingTools(): string | undefined {
  const missing = ['rpmbuild', 'rpmsign', 'createrepo_c', 'modifyrepo_c', 'gpg'].filter(
    (program) => spawnSync(program, ['--version']).error !== undefined,
  );
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`;
}

const repositories = ['base', 'updates', 'later'] as const satisfies readonly RpmRepository[];

/** A directory with the repositories and `key.asc`. */
export async function ensureRpmArchive(): Promise<string> {
  const sources = await contentOf(import.meta.dirname, ['archive.ts', 'catalogue.ts']);
  const contract = await contentOf(join(import.meta.dirname, '../contract'), ['packages.ts']);
  const digest = digestOf([...sources, ...contract]);
  const missing = missingTools();
  if (missing !== undefined) throw new Error(missing);
  return ensureEntry(join(cacheRoot(), `archive-rpm-${digest}`), async (directory) => {
    const home = join(directory, 'build/gpg');
    await mkdir(home, { recursive: true, mode: 0o700 });
    await build(directory, [
      ...basePackages,
      ...updatePackages,
      ...streamedPackages,
      ...habitualPackages,
      ...contracted,
    ]);
    await withKey(home, async (gpg) => {
      await gpg(['--quick-generate-key', signer, 'rsa2048', 'sign', 'never']);
      await writeFile(join(directory, 'key.asc'), await gpg(['--armor', '--export', signer]));
      await sign(directory, home);
      for (const repository of repositories) {
        await run(['createrepo_c', '--quiet', '--general-compress-type=gz', join(directory, repository)]);
        const repodata = join(directory, repository, 'repodata');
        if (repository === 'updates') await addAdvisories(directory, repodata);
        if (repository === 'base') await addModules(directory, repodata);
        await gpg(['--armor', '--detach-sign', '--local-user', signer, join(repodata, 'repomd.xml')]);
      }
    });
    await rm(join(directory, 'build'), { recursive: true });
  });
}

async function build(directory: string, specs: readonly RpmSpec[]): Promise<void> {
  for (const repository of repositories) {
    const own = specs.filter((spec) => spec.repository === repository);
    const files = await Promise.all(
      own.map(async (spec) => {
        const file = join(directory, 'build', `${repository}-${spec.name}-${spec.version}-${releaseOf(spec)}.spec`);
        await writeFile(file, specText(spec));
        return file;
      }),
    );
    const settings = {
      _topdir: join(directory, 'build'),
      _rpmdir: join(directory, repository),
      _build_name_fmt: '%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm',
      _binary_payload: 'w1.gzdio',
      _dbpath: join(directory, 'build/db'),
    };
    const defines = Object.entries(settings).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
    await run(['rpmbuild', '-bb', '--quiet', ...defines, ...files]);
  }
}

function releaseOf({ release = usualRelease }: Pick<RpmSpec, 'release'>): string {
  return release;
}

function specText(spec: RpmSpec): string {
  const { name, epoch, version, tags = [], pre, post, bytes, hasConfig = false, isKernel = false } = spec;
  const file = `/usr/share/fettle-lab/${name}${isKernel ? `-${version}-${releaseOf(spec)}` : ''}`;
  return [
    ...[`Name: ${name}`, `Version: ${version}`, `Release: ${releaseOf(spec)}`],
    ...(epoch === undefined ? [] : [`Epoch: ${epoch}`]),
    ...['Summary: made for tests', 'License: MIT', 'BuildArch: noarch', ...tags],
    ...['%description', 'Made for tests.'],
    ...['%install', `mkdir -p %{buildroot}/usr/share/fettle-lab`, `echo ${version} >%{buildroot}${file}`],
    ...(hasConfig ? ['mkdir -p %{buildroot}/etc', `echo ${version} >%{buildroot}/etc/${name}.conf`] : []),
    ...(bytes === undefined ? [] : [`head -c ${bytes} /dev/zero >%{buildroot}${file}.bin`]),
    ...(pre === undefined ? [] : ['%pre', pre]),
    ...(post === undefined ? [] : ['%post', post]),
    ...['%files', `${file}*`, ...(hasConfig ? [`%config(noreplace) /etc/${name}.conf`] : []), ''],
  ].join('\n');
}

async function sign(directory: string, home: string): Promise<void> {
  const files = await Promise.all(
    repositories.map(async (repository) =>
      (await readdir(join(directory, repository)))
        .filter((name) => name.endsWith('.rpm'))
        .map((name) => join(directory, repository, name)),
    ),
  );
  const defines = [
    '--define',
    '__gpg /usr/bin/gpg',
    '--define',
    `_gpg_name ${signer}`,
    '--define',
    `_gpg_path ${home}`,
  ];
  await run(['rpmsign', '--addsign', ...defines, ...files.flat()], { env: environment(home) });
}

function environment(home: string): Readonly<Record<string, string>> {
  return { PATH: process.env['PATH'] ?? '', GNUPGHOME: home, HOME: home, LC_ALL: 'C' };
}

type Gpg = (words: readonly string[]) => Promise<string>;

/** gpg starts an agent for the home directory; it ends with the work. */
async function withKey(home: string, work: (gpg: Gpg) => Promise<void>): Promise<void> {
  const words = ['--batch', '--quiet', '--no-tty', '--pinentry-mode', 'loopback', '--passphrase', ''];
  try {
    await work((more) => run(['gpg', ...words, ...more], { env: environment(home) }));
  } finally {
    await run(['gpgconf', '--kill', 'all'], { env: environment(home) }).catch(() => undefined);
  }
}

async function addModules(directory: string, repodata: string): Promise<void> {
  const file = join(directory, 'build/modules.yaml');
  await writeFile(file, modules);
  await run(['modifyrepo_c', '--mdtype=modules', file, repodata]);
}

async function addAdvisories(directory: string, repodata: string): Promise<void> {
  const file = join(directory, 'build/updateinfo.xml');
  await writeFile(file, `<?xml version="1.0"?>\n<updates>\n${advisories.map(advisoryText).join('')}</updates>\n`);
  await run(['modifyrepo_c', '--mdtype=updateinfo', file, repodata]);
}

function advisoryText(advisory: RpmAdvisory): string {
  const { id, type, severity, cves, name, epoch = 0, version, asksFor } = advisory;
  const flag = asksFor === undefined ? '' : `<${asksFor}_suggested>True</${asksFor}_suggested>`;
  const references = cves.map((cve) => `<reference href="https://example.test/${cve}" id="${cve}" type="cve"/>`);
  const date = '2026-10-02 09:30:00';
  return `<update from="lab" status="final" type="${type}" version="1"><id>${id}</id><title>${name}</title>
<severity>${severity}</severity><issued date="${date}"/><updated date="${date}"/>
<references>${references.join('')}</references><description>Made for tests.</description>
<pkglist><collection short="lab"><name>lab</name>
<package name="${name}" version="${version}" release="${releaseOf(advisory)}" epoch="${epoch}" arch="noarch" src="${name}.src.rpm"><filename>${name}.rpm</filename>${flag}</package>
</collection></pkglist></update>
`;
}
