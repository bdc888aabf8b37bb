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
  /** A kernel of that name: its modules are in a directory of that name. */
  readonly kernel?: string;
}

/** Ends when the file is gone: a script that takes as long as a test wants. */
export const slowFile = '/run/lab-slow';

const plain = ['alpha', 'held', 'slow', 'badpost', 'badpre', 'needsnew', 'oldtool', 'pluginy', 'appx', 'zlast'];

/** What a repository has, by its directory. The last part of it is the name of the repository. */
export const repositories: Readonly<Record<string, readonly PacmanSpec[]>> = {
  'old/core': [
    ...plain.map((name): PacmanSpec => ({ name, version: '1.0-1' })),
    { name: 'glibc', version: '2.40-1' },
    { name: 'lab-keyring', version: '20260101-1', arch: 'any' },
    { name: 'linux', version: '6.14.7.arch1-1', kernel: '6.14.7-arch1-1' },
  ],
  'old/extra': [
    { name: 'mpv', version: '1:0.40.0-2' },
    { name: 'nginx', version: '1.28.0-1', hasSettings: true, info: ['depend = alpha'] },
    { name: 'big', version: '1.0-1', bytes: 1_000_000 },
  ],
  'new/core': [
    { name: 'alpha', version: '1.1-1', info: ['pkgbase = alpha-suite'] },
    { name: 'held', version: '1.1-1' },
    {
      ...{ name: 'slow', version: '1.1-1' },
      install: `post_upgrade() {\n  echo slowly\n  echo ran >>/var/lib/fettle-lab/slow.log\n  while [ -e ${slowFile} ]; do sleep 0.1; done\n}`,
    },
    { name: 'badpost', version: '1.1-1', install: 'post_upgrade() {\n  echo cannot be done\n  exit 3\n}' },
    { name: 'badpre', version: '1.1-1', install: 'pre_upgrade() {\n  echo no room here\n  exit 4\n}' },
    { name: 'needsnew', version: '1.1-1', info: ['depend = newdep>=1.1'] },
    { name: 'newdep', version: '1.1-1' },
    ...['oldtool', 'pluginy', 'appx'].map((name): PacmanSpec => ({ name, version: '1.0-1' })),
    { name: 'glibc', version: '2.40-1' },
    { name: 'lab-keyring', version: '20261001-1', arch: 'any' },
    { name: 'linux', version: '6.15.1.arch1-2', kernel: '6.15.1-arch1-2' },
    { name: 'zlast', version: '1.1-1' },
  ],
  'new/extra': [
    { name: 'mpv', version: '1:0.40.0-4' },
    { name: 'nginx', version: '1.28.0-3', hasSettings: true, info: ['depend = alpha'] },
    { name: 'big', version: '1.1-1', bytes: 1_000_000 },
  ],
  // What the mirror has later.
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
