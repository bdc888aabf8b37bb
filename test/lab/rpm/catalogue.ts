/** A package that is built for the tests; all are of no architecture, and bring one file. */
export interface RpmSpec {
  /** The repository that offers it. */
  readonly repository: 'base' | 'updates';
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
}

export const usualRelease = '1.el9';

/** What every host starts with, in its version of `base`. */
export const basePackages: readonly RpmSpec[] = [
  // Stands for a shell, and for the package from which dnf takes the release.
  {
    ...{ repository: 'base', name: 'lab-release', version: '9.5' },
    tags: ['Provides: /bin/sh', 'Provides: system-release = 9', 'Provides: system-release(releasever) = 9'],
  },
  ...['alpha', 'gamma', 'held', 'excluded', 'slow', 'badpost', 'badpre', 'needsnew', 'broken', 'oldtool'].map(
    (name): RpmSpec => ({ repository: 'base', name, version: '1.0' }),
  ),
  { repository: 'base', name: 'beta', epoch: 2, version: '1.0' },
  { ...kernel('503.11.1'), repository: 'base' },
];

/** Ends when the file is gone: a scriptlet that takes as long as a test wants. */
export const slowFile = '/run/lab-slow';

export const updatePackages: readonly RpmSpec[] = [
  { repository: 'updates', name: 'alpha', version: '1.1' },
  { repository: 'updates', name: 'alpha', version: '1.2' },
  { repository: 'updates', name: 'beta', epoch: 2, version: '1.1~rc1' },
  { repository: 'updates', name: 'gamma', version: '1.0^git1' },
  { repository: 'updates', name: 'held', version: '1.1' },
  { repository: 'updates', name: 'excluded', version: '1.1' },
  {
    ...{ repository: 'updates', name: 'slow', version: '1.1' },
    post: `echo ran >>/var/lib/fettle-lab/slow.log; while [ -e ${slowFile} ]; do sleep 0.1; done`,
  },
  { repository: 'updates', name: 'badpost', version: '1.1', post: 'echo cannot be done; exit 3' },
  { repository: 'updates', name: 'badpre', version: '1.1', pre: 'echo no room here; exit 4' },
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

export const advisories: readonly RpmAdvisory[] = [
  {
    ...{ id: 'LABSA-2026:0001', type: 'security', severity: 'Critical', cves: ['CVE-2026-10001', 'CVE-2026-10002'] },
    ...{ name: 'alpha', version: '1.1' },
  },
  { id: 'LABBA-2026:0002', type: 'bugfix', severity: 'None', cves: [], name: 'alpha', version: '1.2' },
  {
    ...{ id: 'LABSA-2026:0003', type: 'security', severity: 'important', cves: ['CVE-2026-10003'] },
    ...{ name: 'beta', epoch: 2, version: '1.1~rc1' },
  },
  { id: 'LABEA-2026:0004', type: 'enhancement', severity: 'None', cves: [], name: 'gamma', version: '1.0^git1' },
  {
    ...{ id: 'LABSA-2026:0005', type: 'security', severity: 'Moderate', cves: ['CVE-2026-10004'] },
    ...{ name: 'kernel-core', version: '5.14.0', release: '503.14.1.el9' },
  },
];

function kernel(release: string): RpmSpec {
  return {
    ...{ repository: 'updates', name: 'kernel-core', version: '5.14.0', release: `${release}.el9`, isKernel: true },
    tags: ['Provides: installonlypkg(kernel)'],
  };
}
