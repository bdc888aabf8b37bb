import { contractPackages, scriptLog } from '../contract/packages.ts';

/** A package that is built for the tests. */
export interface PacmanSpec {
  readonly name: string;
  /** `[epoch:]version-release`. */
  readonly version: string;
  /** `x86_64` unless told otherwise. */
  readonly arch?: string;
  /** More lines of its .PKGINFO: `depend = ...` and the like. */
  readonly info?: readonly string[];
  /** Shell functions of its install script. */
  readonly install?: string;
  /** Brings a configuration file that counts as one: /etc/NAME.conf. */
  readonly hasSettings?: true;
  /** Besides its usual one, a file of that many bytes. */
  readonly bytes?: number;
}

/** Packages of the hosts that are no part of the contract. */
export const usualPackages: readonly string[] = [
  ...['alpha', 'held', 'needsnew', 'oldtool', 'pluginy', 'appx', 'glibc', 'lab-keyring', 'linux'],
  ...['mpv', 'nginx', 'big'],
];

const plain = ['alpha', 'held', 'needsnew', 'oldtool', 'pluginy', 'appx'];

/** The packages of the contract, as pacman has them: a repository offers one version of each. */
function contracted(versions: Readonly<Record<string, string>>): readonly PacmanSpec[] {
  return contractPackages
    .filter(({ name, version }) => version === (versions[name] ?? versions['*']))
    .map(({ name, version, conflicts, before, after, bytes }) => ({
      ...{ name, version: `${version}-1` },
      ...(conflicts === undefined ? {} : { info: [`conflict = ${conflicts}`] }),
      install: [
        `pre_upgrade() {\n${before ?? ':'}\n}`,
        `post_upgrade() {\necho '${name} ${version}-1' >>${scriptLog}\n${after ?? ':'}\n}`,
      ].join('\n'),
      ...(bytes === undefined ? {} : { bytes }),
    }));
}

const current = { '*': '1.1', 'lab-exact': '1.2' };

/** What a repository has, by its directory. The last part of it is the name of the repository. */
export const repositories: Readonly<Record<string, readonly PacmanSpec[]>> = {
  'old/core': [
    ...contracted({ '*': '1.0' }),
    ...plain.map((name): PacmanSpec => ({ name, version: '1.0-1' })),
    { name: 'glibc', version: '2.40-1' },
    { name: 'lab-keyring', version: '20260101-1', arch: 'any' },
    { name: 'linux', version: '6.14.7.arch1-1' },
  ],
  'old/extra': [
    { name: 'mpv', version: '1:0.40.0-2' },
    { name: 'nginx', version: '1.28.0-1', hasSettings: true, info: ['depend = alpha'] },
    { name: 'big', version: '1.0-1', bytes: 1_000_000 },
  ],
  'new/core': [
    ...contracted(current),
    { name: 'alpha', version: '1.1-1', info: ['pkgbase = alpha-suite'] },
    { name: 'held', version: '1.1-1' },
    { name: 'needsnew', version: '1.1-1', info: ['depend = newdep>=1.1'] },
    { name: 'newdep', version: '1.1-1' },
    ...['oldtool', 'pluginy', 'appx'].map((name): PacmanSpec => ({ name, version: '1.0-1' })),
    { name: 'glibc', version: '2.40-1' },
    { name: 'lab-keyring', version: '20261001-1', arch: 'any' },
    { name: 'linux', version: '6.15.1.arch1-2' },
  ],
  'new/extra': [
    { name: 'mpv', version: '1:0.40.0-4' },
    { name: 'nginx', version: '1.28.0-3', hasSettings: true, info: ['depend = alpha'] },
    { name: 'big', version: '1.1-1', bytes: 1_000_000 },
  ],
  // What the mirror has later.
  'later/core': [
    ...contracted(current).filter(({ name }) => name !== 'lab-moved'),
    { name: 'lab-moved', version: '1.2-1' },
    { name: 'alpha', version: '1.1-1', info: ['pkgbase = alpha-suite'] },
  ],
  'later/extra': [
    { name: 'mpv', version: '1:0.41.0-1' },
    { name: 'nginx', version: '1.28.0-3', hasSettings: true, info: ['depend = alpha'] },
    { name: 'big', version: '1.1-1', bytes: 1_000_000 },
  ],
  // Each a repository that a test enables before the others.
  'more/replacing': [
    { name: 'newtool', version: '2.0-1', info: ['replaces = pluginy', 'conflict = pluginy', 'provides = pluginy=2.0'] },
  ],
  'more/conflicting': [{ name: 'appx', version: '2.0-1', info: ['conflict = pluginy'] }],
  'more/blocked': [{ name: 'appx', version: '3.0-1', info: ['depend = nosuchlib>=2'] }],
};
