// Every package manager of the registry has a rig beside its tests, and passes the contract with it.
import { packageManagerNames } from '../../src/managers/registry.ts';
import { packageManagerContract, type PackageManagerRig } from '../contract/package-manager.ts';

for (const name of packageManagerNames) {
  const { rig } = (await import(`./${name}/rig.ts`)) as { readonly rig: PackageManagerRig };
  packageManagerContract(rig);
}
