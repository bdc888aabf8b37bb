import { contractPackages } from '../contract/packages.ts';
import type { PackageSpec } from './package-spec.ts';

/** The packages of the contract, as Debian has them. */
export const contracted: readonly PackageSpec[] = contractPackages.map(
  ({ name, version, isSecurity = false, conflicts, before, after, bytes }) => ({
    name,
    version: `${version}-1`,
    suite: version === '1.0' ? 'stable' : isSecurity ? 'security' : 'updates',
    ...(conflicts === undefined ? {} : { conflicts }),
    ...(before === undefined ? {} : { preinst: before }),
    ...(after === undefined ? {} : { postinst: after }),
    ...(bytes === undefined
      ? {}
      : { files: { [`/usr/share/fettle-lab/${name}.bin`]: { content: Buffer.alloc(bytes) } } }),
  }),
);
