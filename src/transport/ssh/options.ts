// What OpenSSH's configuration says about one host.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import SSHConfig from 'ssh-config';
import { FettleError } from '../../domain/error.ts';
import { ConfigBlocks } from './config-blocks.ts';

export interface SshOptions {
  readonly hostName: string;
  readonly port: number;
  readonly user: string;
  readonly identityFiles: readonly string[];
  /** Socket path, `none`, or undefined for SSH_AUTH_SOCK. */
  readonly identityAgent: string | undefined;
  readonly identitiesOnly: boolean;
  /** `[user@]host[:port]`, nearest to us first. */
  readonly proxyJump: readonly string[];
  readonly proxyCommand: string | undefined;
  readonly userKnownHosts: readonly string[];
  readonly globalKnownHosts: readonly string[];
  readonly strictHostKeyChecking: string;
  readonly hostKeyAlias: string | undefined;
}

export interface SshQuery {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
  /** OpenSSH's own options, as an argument list. */
  readonly arguments: readonly string[];
}

export interface SshEnvironment {
  readonly homeDir: string;
  readonly userName: string;
}

const run = promisify(execFile);

/**
 * Asks `ssh -G`, ssh(1), which knows Host, Match, Include and tokens better than any reader of ours, but costs
 * milliseconds of CPU: once for each distinct set of matching blocks, the host's name put in.
 */
export class SshConfiguration {
  readonly #environment: SshEnvironment;
  readonly #blocks = new Map<string, Promise<ConfigBlocks>>();
  readonly #answers = new Map<string, Promise<SshOptions>>();
  /** Calls of ssh so far; tests look at it. */
  questions = 0;

  constructor(environment: SshEnvironment) {
    this.#environment = environment;
  }

  async options(query: SshQuery): Promise<SshOptions> {
    const file = configFileOf(query.arguments);
    const files = file === undefined ? [join(this.#environment.homeDir, '.ssh/config'), '/etc/ssh/ssh_config'] : [file];
    const blocks = await this.#read(files);
    const shared = blocks.keyOf(query.host);
    const rest = [query.user, query.port, query.arguments];
    const key = JSON.stringify(shared === undefined ? ['of', query.host, rest] : ['shared', shared, rest]);
    let answer = this.#answers.get(key);
    if (answer === undefined) {
      answer = this.#ask(query);
      this.#answers.set(key, answer);
    }
    const options = await answer;
    return shared === undefined ? options : { ...options, hostName: query.host };
  }

  #read(files: readonly string[]): Promise<ConfigBlocks> {
    const key = files.join('\n');
    let blocks = this.#blocks.get(key);
    if (blocks === undefined) {
      blocks = ConfigBlocks.read(files, this.#environment.homeDir);
      this.#blocks.set(key, blocks);
    }
    return blocks;
  }

  async #ask(query: SshQuery): Promise<SshOptions> {
    const { homeDir, userName } = this.#environment;
    const user = query.user === undefined ? [] : ['-l', query.user];
    const port = query.port === undefined ? [] : ['-p', String(query.port)];
    this.questions += 1;
    try {
      const { stdout } = await run('ssh', [...query.arguments, ...user, ...port, '-G', '--', query.host]);
      return readOptions(stdout, homeDir);
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
        return withoutOpenSsh(query, homeDir, userName);
      }
      const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : String(cause);
      throw new FettleError('config', `ssh does not understand the options for ${query.host}: ${said}`, {
        hint: 'check ansible_ssh_common_args and ~/.ssh/config',
        cause,
      });
    }
  }
}

function configFileOf(words: readonly string[]): string | undefined {
  const at = words.findIndex((word) => word.startsWith('-F'));
  if (at < 0) return undefined;
  const joined = words[at]?.slice(2) ?? '';
  return joined === '' ? words[at + 1] : joined;
}

/** The lines of `ssh -G`: a keyword in lower case, a blank, the value. */
export function readOptions(text: string, homeDir: string): SshOptions {
  const values = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [keyword = ''] = line.split(' ', 1);
    values.set(keyword, [...(values.get(keyword) ?? []), line.slice(keyword.length + 1)]);
  }
  const first = (keyword: string): string | undefined => {
    const value = values.get(keyword)?.[0];
    return value === undefined || value === '' || value === 'none' ? undefined : value;
  };
  const paths = (keyword: string): string[] =>
    (first(keyword)?.split(' ') ?? []).map((path) => expandHome(path, homeDir));
  return {
    hostName: first('hostname') ?? '',
    port: Number(first('port') ?? 22),
    user: first('user') ?? '',
    identityFiles: (values.get('identityfile') ?? []).map((path) => expandHome(path, homeDir)),
    identityAgent: values.get('identityagent')?.[0],
    identitiesOnly: first('identitiesonly') === 'yes',
    proxyJump: first('proxyjump')?.split(',') ?? [],
    proxyCommand: first('proxycommand'),
    userKnownHosts: paths('userknownhostsfile'),
    globalKnownHosts: paths('globalknownhostsfile'),
    strictHostKeyChecking: first('stricthostkeychecking') ?? 'ask',
    hostKeyAlias: first('hostkeyalias'),
  };
}

function expandHome(path: string, homeDir: string): string {
  return path.startsWith('~/') ? join(homeDir, path.slice(2)) : path.replaceAll('%d', homeDir);
}

/** Without OpenSSH: the same keywords out of ~/.ssh/config alone. */
async function withoutOpenSsh(query: SshQuery, homeDir: string, userName: string): Promise<SshOptions> {
  if (query.arguments.length > 0) {
    throw new FettleError(
      'config',
      `OpenSSH's options for ${query.host} need the ssh program, which is not installed`,
      {
        hint: 'install the OpenSSH client, or remove ansible_ssh_common_args',
      },
    );
  }
  const text = await readFile(join(homeDir, '.ssh/config'), 'utf8').catch(() => '');
  const computed = SSHConfig.parse(text).compute(query.host, { ignoreCase: true });
  const lines = Object.entries(computed).flatMap(([keyword, value]) =>
    (Array.isArray(value) ? value : [value]).map((item) => `${keyword.toLowerCase()} ${item}`),
  );
  const defaults = ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => `identityfile ~/.ssh/${name}`);
  const known = 'userknownhostsfile ~/.ssh/known_hosts\nglobalknownhostsfile /etc/ssh/ssh_known_hosts';
  const named = 'identityfile' in Object.fromEntries(lines.map((line) => [line.split(' ')[0], true])) ? [] : defaults;
  const options = readOptions([...lines, ...named, known].join('\n'), homeDir);
  return {
    ...options,
    hostName: options.hostName === '' ? query.host : options.hostName,
    user: query.user ?? (options.user === '' ? userName : options.user),
    port: query.port ?? options.port,
  };
}
