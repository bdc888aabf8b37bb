// The packages of the contract, which every archive of the lab offers in its own format. The scriptlets run in a shell
// on the host, whatever the package manager.

/** One version of one package. Hosts start with 1.0 of each that a test names. */
export interface ContractPackage {
  readonly name: string;
  readonly version: string;
  readonly isSecurity?: true;
  /** A package that it cannot be beside. */
  readonly conflicts?: string;
  /** Shell text that runs before its files are unpacked; when it fails, the package does not go in. */
  readonly before?: string;
  /** Shell text that runs when its files are there, after the run has been counted. */
  readonly after?: string;
  /** Size of a file of zeros that it brings. */
  readonly bytes?: number;
}

/** While it is there, the script of lab-slow does not end. */
export const holdFile = '/run/lab-holds';

/** When it is there, lab-big fills the disk before its files are unpacked. */
export const fillFile = '/run/lab-fills';

/** Gets a line `name version` for each script that ran after its package was unpacked. */
export const scriptLog = '/var/lib/fettle-lab/postinst.log';

const fill = `if [ -e ${fillFile} ]; then
  rm -f ${fillFile}
  fallocate -l "$(($(df -Pk / | awk 'END {print $4}') - 4096))KiB" /lab-filler
fi`;

const names = ['exact', 'plain', 'moved', 'remover', 'victim', 'slow', 'big', 'fails-before', 'fails-after'];

export const contractPackages: readonly ContractPackage[] = [
  ...names.map((name) => ({ name: `lab-${name}`, version: '1.0' })),
  { name: 'lab-exact', version: '1.1', isSecurity: true },
  { name: 'lab-exact', version: '1.2' },
  { name: 'lab-plain', version: '1.1' },
  { name: 'lab-moved', version: '1.1' },
  { name: 'lab-remover', version: '1.1', conflicts: 'lab-victim' },
  { name: 'lab-slow', version: '1.1', after: `while [ -e ${holdFile} ]; do sleep 0.1; done` },
  { name: 'lab-big', version: '1.1', before: fill, bytes: 16 * 1024 * 1024 },
  { name: 'lab-fails-before', version: '1.1', before: 'echo no room here; exit 4' },
  { name: 'lab-fails-after', version: '1.1', after: 'echo cannot be done; exit 3' },
];
