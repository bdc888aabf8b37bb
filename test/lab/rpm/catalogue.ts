import { contractPackages, scriptLog } from '../contract/packages.ts';

/** `later` has what `updates` has when it has moved on. */
export type RpmRepository = 'base' | 'updates' | 'later';

/** A package that is built for the tests; all are of no architecture, and bring one file. */
export interface RpmSpec {
  /** The repository that offers it. */
  readonly repository: RpmRepository;
  readonly name: string;
  readonly epoch?: number;
  readonly version: string;
  /** `1.el9` unless told otherwise. */
  readonly release?: string;
  /** More tags of the spec file, `Requires` and the like. */
  readonly tags?: readonly string[];
  /** Shell text of scriptlets. */
  readonly pre?: string;
  readonly post?: string;
  /** Size of a file of zeros that it brings besides. */
  readonly bytes?: number;
  /** A file in /etc that it brings, with its version in it, and that keeps what somebody wrote into it. */
  readonly hasConfig?: boolean;
  /** It is installed beside others of its name, so its file has its version in its name. */
  readonly isKernel?: boolean;
}

export interface RpmAdvisory {
  readonly id: string;
  readonly type: 'security' | 'bugfix' | 'enhancement';
  readonly severity: string;
  readonly cves: readonly string[];
  readonly name: string;
  readonly epoch?: number;
  readonly version: string;
  readonly release?: string;
  /** After it the host, or the package manager itself, should be started anew. */
  readonly asksFor?: 'reboot' | 'restart';
}

export const usualRelease = '1.el9';

/** What hosts of the tests of dnf start with, in its version of `base`. */
export const basePackages: readonly RpmSpec[] = [
  // Stands for a shell, and for the package from which dnf takes the release.
  {
    ...{ repository: 'base', name: 'lab-release', version: '9.5' },
    tags: ['Provides: /bin/sh', 'Provides: system-release = 9', 'Provides: system-release(releasever) = 9'],
  },
  ...['alpha', 'gamma', 'held', 'excluded', 'needsnew', 'broken', 'oldtool'].map((name): RpmSpec => ({
    repository: 'base',
    name,
    version: '1.0',
  })),
  { repository: 'base', name: 'beta', epoch: 2, version: '1.0' },
  { ...kernel('503.11.1'), repository: 'base' },
];

export const updatePackages: readonly RpmSpec[] = [
  { repository: 'updates', name: 'alpha', version: '1.1' },
  { repository: 'updates', name: 'alpha', version: '1.2' },
  { repository: 'updates', name: 'beta', epoch: 2, version: '1.1~rc1' },
  { repository: 'updates', name: 'gamma', version: '1.0^git1' },
  { repository: 'updates', name: 'held', version: '1.1' },
  { repository: 'updates', name: 'excluded', version: '1.1' },
  { repository: 'updates', name: 'needsnew', version: '1.1', tags: ['Requires: newdep >= 1.1'] },
  { repository: 'updates', name: 'newdep', version: '1.1' },
  { repository: 'updates', name: 'broken', version: '1.1', tags: ['Requires: nowhere'] },
  {
    ...{ repository: 'updates', name: 'newtool', version: '2.0' },
    tags: ['Obsoletes: oldtool < 2', 'Provides: oldtool = 2.0'],
  },
  kernel('503.14.1'),
  kernel('503.15.1'),
];

/** Packages with habits of their own, which hosts have that name them: a script that reads its input, a file in /etc. */
export const habitualPackages: readonly RpmSpec[] = [
  { repository: 'base', name: 'asking', version: '1.0' },
  { repository: 'updates', name: 'asking', version: '1.1', post: 'if read -r answer; then exit 5; fi' },
  { repository: 'base', name: 'configured', version: '1.0', hasConfig: true },
  { repository: 'updates', name: 'configured', version: '1.1', hasConfig: true },
];
/** A package of a module, whose newer version is not of that stream, so that the stream hides it. */
export const streamedPackages: readonly RpmSpec[] = [
  { repository: 'base', name: 'streamed', version: '1.0' },
  { repository: 'updates', name: 'streamed', version: '2.0' },
];

/** The module of `base`: modulemd version 2, as createrepo_c takes it (github.com/fedora-modularity/libmodulemd). */
export const modules = `---
document: modulemd
version: 2
data:
  name: labmodule
  stream: "1"
  version: 20261001
  context: "00000000"
  arch: ${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}
  summary: Made for tests
  description: Made for tests.
  license: { module: [MIT] }
  artifacts: { rpms: ["streamed-0:1.0-1.el9.noarch"] }
...
---
document: modulemd-defaults
version: 1
data: { module: labmodule, stream: "1", profiles: {} }
...
`;

export const advisories: readonly RpmAdvisory[] = [
  ...contractPackages
    .filter(({ isSecurity }) => isSecurity)
    .map(({ name, version }): RpmAdvisory => ({
      ...{ id: 'LABSA-2026:0100', type: 'security', severity: 'Important', cves: ['CVE-2026-10100'], name, version },
    })),
  {
    ...{ id: 'LABSA-2026:0001', type: 'security', severity: 'Critical', cves: ['CVE-2026-10001', 'CVE-2026-10002'] },
    ...{ name: 'alpha', version: '1.1' },
  },
  { id: 'LABBA-2026:0002', type: 'bugfix', severity: 'None', cves: [], name: 'alpha', version: '1.2' },
  {
    ...{ id: 'LABSA-2026:0003', type: 'security', severity: 'important', cves: ['CVE-2026-10003'] },
    ...{ name: 'beta', epoch: 2, version: '1.1~rc1', asksFor: 'restart' },
  },
  { id: 'LABEA-2026:0004', type: 'enhancement', severity: 'None', cves: [], name: 'gamma', version: '1.0^git1' },
  {
    ...{ id: 'LABSA-2026:0005', type: 'security', severity: 'Moderate', cves: ['CVE-2026-10004'] },
    ...{ name: 'kernel-core', version: '5.14.0', release: '503.14.1.el9', asksFor: 'reboot' },
  },
];

function kernel(release: string): RpmSpec {
  return {
    ...{ repository: 'updates', name: 'kernel-core', version: '5.14.0', release: `${release}.el9`, isKernel: true },
    tags: ['Provides: installonlypkg(kernel)', 'Provides: multiversion(kernel)'],
  };
}

/** The packages of the contract, as rpm has them. */
export const contracted: readonly RpmSpec[] = [
  ...contractPackages.map(({ name, version, conflicts, before, after, bytes }): RpmSpec => ({
    ...{ repository: version === '1.0' ? 'base' : 'updates', name, version },
    ...(conflicts === undefined ? {} : { tags: [`Conflicts: ${conflicts}`] }),
    ...(before === undefined ? {} : { pre: before }),
    post: `echo ${name} ${version}-${usualRelease} >>${scriptLog}\n${after ?? ':'}`,
    ...(bytes === undefined ? {} : { bytes }),
  })),
  { repository: 'later', name: 'lab-moved', version: '1.2' },
];
