import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '../shell.ts';
import type { PackageFile, PackageSpec } from './package-spec.ts';

/** Debs are the same bytes whenever they are built. */
const sourceDateEpoch = '1735689600';

export interface BuiltPackage {
  readonly name: string;
  readonly version: string;
  readonly suite: PackageSpec['suite'];
  /** Relative to the archive's root. */
  readonly filename: string;
  /** The package's stanza in the index Packages, without an empty line. */
  readonly stanza: string;
}

/** Builds one package into `pool/` of the archive at `archiveDir`. */
export async function buildDeb(spec: PackageSpec, archiveDir: string, architecture: string): Promise<BuiltPackage> {
  const arch = spec.architecture === 'native' ? architecture : 'all';
  const filename = `pool/${spec.name}_${spec.version.replace(/^\d+:/, '')}_${arch}.deb`;
  const path = join(archiveDir, filename);
  await mkdir(dirname(path), { recursive: true });
  const tree = await mkdtemp(join(dirname(archiveDir), 'deb-'));
  try {
    const files: Record<string, PackageFile> = {
      [`/usr/share/fettle-lab/${spec.name}`]: { content: `${spec.name} ${spec.version}\n` },
      ...spec.files,
    };
    const sizes = await Promise.all(Object.entries(files).map(([at, file]) => put(join(tree, at), file)));
    const installedKib = Math.ceil(sizes.reduce((sum, size) => sum + size, 0) / 1024) + 4;
    const control = controlOf(spec, arch, installedKib);
    await put(join(tree, 'DEBIAN/control'), { content: `${control}\n` });
    await put(join(tree, 'DEBIAN/postinst'), { content: postinstOf(spec), mode: 0o755 });
    if (spec.preinst !== undefined) {
      await put(join(tree, 'DEBIAN/preinst'), { content: `#!/bin/sh\nset -e\n${spec.preinst}\n`, mode: 0o755 });
    }
    if (spec.conffiles !== undefined) {
      await put(join(tree, 'DEBIAN/conffiles'), { content: `${spec.conffiles.join('\n')}\n` });
    }
    await chmod(tree, 0o755);
    const env = { PATH: process.env['PATH'] ?? '', SOURCE_DATE_EPOCH: sourceDateEpoch, LC_ALL: 'C' };
    await run(['dpkg-deb', '--root-owner-group', '-Zgzip', '-z1', '-b', tree, path], { env });
    const stanza = await stanzaOf(control, filename, { path, phasedPercent: spec.phasedPercent });
    return { name: spec.name, version: spec.version, suite: spec.suite, filename, stanza };
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

async function put(path: string, file: PackageFile): Promise<number> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, file.content);
  await chmod(path, file.mode ?? 0o644);
  return file.content.length;
}

function controlOf(spec: PackageSpec, architecture: string, installedKib: number): string {
  return [
    `Package: ${spec.name}`,
    `Version: ${spec.version}`,
    `Architecture: ${architecture}`,
    'Maintainer: fettle lab <lab@fettle.invalid>',
    `Installed-Size: ${installedKib}`,
    ...(spec.depends === undefined ? [] : [`Depends: ${spec.depends}`]),
    ...(spec.conflicts === undefined ? [] : [`Conflicts: ${spec.conflicts}`]),
    `Section: ${spec.section ?? 'misc'}`,
    'Priority: optional',
    `Description: ${spec.name} of the lab`,
  ].join('\n');
}

/** Every configure run is counted before anything else happens. */
function postinstOf(spec: PackageSpec): string {
  const [begun, done] = ['/var/lib/fettle-lab/postinst.log', '/var/lib/fettle-lab/postinst-done.log'];
  return `#!/bin/sh
set -e
[ "$1" = configure ] || exit 0
mkdir -p /var/lib/fettle-lab
echo '${spec.name} ${spec.version}' >>${begun}
${spec.postinst ?? ':'}
echo '${spec.name} ${spec.version}' >>${done}
`;
}

interface Indexed {
  readonly path: string;
  readonly phasedPercent: number | undefined;
}

async function stanzaOf(control: string, filename: string, { path, phasedPercent }: Indexed): Promise<string> {
  const bytes = await readFile(path);
  return [
    control,
    ...(phasedPercent === undefined ? [] : [`Phased-Update-Percentage: ${phasedPercent}`]),
    `Filename: ${filename}`,
    `Size: ${bytes.length}`,
    `SHA256: ${createHash('sha256').update(bytes).digest('hex')}`,
  ].join('\n');
}
