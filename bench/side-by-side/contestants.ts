// The tools people use today, each with the same task on the same hosts, as many at once as fettle.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeRequest, launcher } from '../../src/remote/launch.ts';
import { probeScript } from '../../src/remote/scripts.ts';
import type { Lab } from '../../test/lab/lab.ts';
import type { Command } from './measure.ts';

/** The same key exchange for all, or what each tool negotiates out of the box. fettle negotiates curve25519 in both. */
export type KeyExchange = 'curve25519' | 'as installed';

export interface Contestant {
  readonly tool: string;
  readonly keyExchange: KeyExchange | 'both';
  /** The command line for these hosts. */
  readonly command: (names: readonly string[]) => Command;
}

/** What every contestant knows of the fleet. */
export interface Field {
  readonly lab: Lab;
  readonly names: readonly string[];
  readonly concurrency: number;
}

const project = join(import.meta.dirname, '../..');

/** One wave, everything at once, no reboot: what Ansible does. fettle also scans before, and verifies after. */
export const oneWave = `kind: patch
version: 1
name: bench
targets: { select: all }
rollout: { concurrency: 50, waves: [rest] }
reboot: never
verify: { retries: 0 }
`;

/** The probe as fettle sends it, script and all, in the words of one command line. */
export function probeCommand(): string {
  const text = `${encodeRequest({ verb: 'probe' }, '0123456789abcdef')}\n${probeScript().text}`;
  return `echo ${Buffer.from(text).toString('base64')} | base64 -d | sudo -n ${launcher}`;
}

function hostsFile({ lab }: Field, names: readonly string[]): string {
  return join(lab.stateDir, `bench-addresses-${names.length}`);
}

function namesFile({ lab }: Field, names: readonly string[]): string {
  return join(lab.stateDir, `bench-names-${names.length}`);
}

function configFile({ lab }: Field, keyExchange: KeyExchange): string {
  return join(lab.stateDir, keyExchange === 'curve25519' ? 'bench-ssh-pinned' : 'bench-ssh-stock');
}

/** Lists of the first hosts, one file for each number of them, and a configuration of ssh for each key exchange. */
export async function writeFiles(field: Field, counts: readonly number[]): Promise<void> {
  const { lab } = field;
  for (const count of counts) {
    const names = field.names.slice(0, count);
    await writeFile(hostsFile(field, names), `${names.map((name) => lab.host(name).address).join('\n')}\n`);
    await writeFile(namesFile(field, names), `${names.join('\n')}\n`);
  }
  const settings = [
    'Host *',
    'User patch',
    `IdentityFile ${lab.keyPath}`,
    `UserKnownHostsFile ${lab.knownHostsPath}`,
    'GlobalKnownHostsFile /dev/null',
    'StrictHostKeyChecking yes',
    'BatchMode yes',
    'LogLevel ERROR',
  ];
  await writeFile(configFile(field, 'as installed'), `${settings.join('\n  ')}\n`);
  const pinned = [...settings, 'KexAlgorithms curve25519-sha256'];
  await writeFile(configFile(field, 'curve25519'), `${pinned.join('\n  ')}\n`);
}

/** xargs with ssh, pdsh, clush and parallel-ssh sending one shell command. */
export function shellTools(field: Field, shell: string, keyExchange: KeyExchange): readonly Contestant[] {
  const config = configFile(field, keyExchange);
  const at = String(field.concurrency);
  const made = (tool: string, words: (hosts: string) => readonly string[], env = {}): Contestant => ({
    tool,
    keyExchange,
    command: (names) => ({ words: words(hostsFile(field, names)), env }),
  });
  const pdshWords = (hosts: string): readonly string[] => [
    'pdsh',
    '-R',
    'ssh',
    '-S',
    '-f',
    at,
    '-w',
    `^${hosts}`,
    shell,
  ];
  return [
    made('xargs -P, ssh', (hosts) => ['xargs', '-a', hosts, '-P', at, '-I', '{}', 'ssh', '-F', config, '{}', shell]),
    made('pdsh', pdshWords, { PDSH_SSH_ARGS: `-F ${config} -x -a -l patch %h` }),
    made('clush', (hosts) => [
      ...['clush', '-S', '-f', at, '--hostfile', hosts, '-l', 'patch'],
      ...['-o', `-F ${config}`, shell],
    ]),
    made('parallel-ssh', (hosts) => [
      ...['parallel-ssh', '-h', hosts, '-p', at, '-t', '0', '-l', 'patch'],
      ...['-x', `-F ${config}`, shell],
    ]),
  ];
}

export interface FettleLine {
  readonly verb: string;
  readonly words?: readonly string[];
  /** Behind all options. */
  readonly last?: readonly string[];
}

/** fettle as it is shipped: `dist`, its compile cache warm. */
export function fettle(field: Field, { verb, words = [], last = [] }: FettleLine): Contestant {
  const { lab, concurrency } = field;
  return {
    tool: `fettle ${[verb, ...last.filter((word) => word !== '--')].join(' ')}`,
    keyExchange: 'both',
    command: (names) => ({
      words: [
        ...[process.execPath, join(project, 'dist/cli.js'), verb, ...words, '-i', lab.inventoryPath],
        ...['--limit', `@${namesFile(field, names)}`, '--concurrency', String(concurrency), '-q', ...last],
      ],
      env: { NODE_COMPILE_CACHE: join(lab.stateDir, 'compile-cache') },
    }),
  };
}

export interface AnsibleLine {
  readonly label: string;
  readonly words: readonly string[];
  readonly keyExchange: KeyExchange;
  /** Keeps connections for the next call, which then finds them open: the best case of all. */
  readonly isPersistent?: boolean;
}

/** Ansible with pipelining and as many forks as fettle has hosts at once. */
export function ansible(field: Field, { label, words, keyExchange, isPersistent = false }: AnsibleLine): Contestant {
  const { lab, concurrency } = field;
  const persist = `-o ControlMaster=auto -o ControlPersist=300s -o ControlPath=${lab.stateDir}/cm-%C`;
  return {
    tool: `Ansible ${label}${isPersistent ? ', ControlPersist' : ''}`,
    keyExchange,
    command: (names) => ({
      words: [
        ...['ansible', 'all', '-i', lab.inventoryPath, '--limit', `@${namesFile(field, names)}`],
        ...['-f', String(concurrency), ...words],
      ],
      env: {
        ANSIBLE_SSH_ARGS: `-F ${configFile(field, keyExchange)} ${isPersistent ? persist : '-o ControlMaster=no'}`,
        ANSIBLE_PIPELINING: 'True',
        ANSIBLE_NOCOLOR: '1',
        ANSIBLE_PYTHON_INTERPRETER: '/usr/bin/python3',
        ANSIBLE_LOCAL_TEMP: join(lab.stateDir, 'ansible'),
      },
    }),
  };
}
