import { contracted } from './catalogue-contract.ts';
import { services } from './catalogue-services.ts';
import { scripted } from './catalogue-scripted.ts';
import { kernels } from './catalogue-kernels.ts';
import { incompressible } from './filler.ts';
import type { LayerSetup, PackageSpec, Suite } from './package-spec.ts';

const bigBytes = 5 * 1024 * 1024;

function versions(name: string, ...list: readonly [string, Suite, Partial<PackageSpec>?][]): PackageSpec[] {
  return list.map(([version, suite, rest]) => ({ name, version, suite, ...rest }));
}

const library: readonly PackageSpec[] = [
  ...versions('fettle-lib', ['1.0-1', 'stable'], ['1.0-1+deb12u1', 'security']).map((spec): PackageSpec => ({
    ...spec,
    architecture: 'native',
    section: 'libs',
  })),
  ...versions(
    'fettle-app',
    ['1.0-1', 'stable', { depends: 'fettle-lib (>= 1.0-1)' }],
    ['1.0-1+deb12u1', 'security', { depends: 'fettle-lib (>= 1.0-1+deb12u1)' }],
  ),
];

/**
 * A security version that a newer one in -updates hides, phased and plain; and a phased one with nothing between, which
 * apt keeps back (it lets phased versions in where a version between is in a suite named -security).
 */
const hidden: readonly PackageSpec[] = [
  ...versions(
    'fettle-phased',
    ['1.0-1', 'stable'],
    ['1.0-1+deb12u1', 'security'],
    ['1.1-1', 'updates', { phasedPercent: 0 }],
  ),
  ...versions('fettle-gradual', ['1.0-1', 'stable'], ['1.1-1', 'updates', { phasedPercent: 0 }]),
  ...versions('fettle-hidden', ['1.0-1', 'stable'], ['1.0-1+deb12u1', 'security'], ['1.1-1', 'updates']),
];

const ordinary: readonly PackageSpec[] = [
  ...versions('fettle-tool', ['1.4-1', 'stable'], ['1.4-2', 'updates']),
  ...versions('fettle-held', ['1.0-1', 'stable'], ['1.1-1', 'updates']),
  ...versions(
    'fettle-big',
    ['1.0-1', 'stable'],
    ['1.1-1', 'updates', { files: { '/usr/share/fettle-lab/big.bin': { content: incompressible(bigBytes) } } }],
  ),
  ...versions('fettle-grow', ['1.0-1', 'stable'], ['2.0-1', 'updates', { depends: 'fettle-grow-data (>= 2.0)' }]),
  ...versions('fettle-grow-data', ['2.0-1', 'updates']),
  ...versions('fettle-clash', ['1.0-1', 'stable'], ['2.0-1', 'updates', { conflicts: 'fettle-victim' }]),
  ...versions('fettle-victim', ['1.0-1', 'stable']),
  ...['1.0-1', '1.1-1'].map((version): PackageSpec => {
    const content = `# settings of fettle-conf ${version}\nlevel = ${version === '1.0-1' ? 1 : 2}\n`;
    const suite = version === '1.0-1' ? 'stable' : 'updates';
    const conffiles = ['/etc/fettle-conf.conf'];
    return { name: 'fettle-conf', version, suite, conffiles, files: { '/etc/fettle-conf.conf': { content } } };
  }),
];

/**
 * Every package of a fresh lab. What is in `stable` is what hosts start with; each name is explained in
 * `test/lab/README.md`.
 */
export function catalogue(architecture: string): readonly PackageSpec[] {
  return [...library, ...hidden, ...ordinary, ...scripted, ...services, ...contracted, ...kernels(architecture)];
}

export const layerSetup: LayerSetup = {
  'fettle-held': 'apt-mark -qq hold fettle-held',
  'fettle-conf': "printf 'local = yes\\n' >>/etc/fettle-conf.conf",
  'fettle-fragile': ': >/etc/fettle-lab/fragile-fails',
  'fettle-hang': ': >/etc/fettle-lab/hang-holds',
  'fettle-clash': 'apt-mark -qq manual fettle-clash',
};
