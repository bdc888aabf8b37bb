// The OpenSSH configuration of one host.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import SSHConfig from 'ssh-config';
import { Slots } from '../../base/slots.ts';
import { FettleError } from '../../domain/error.ts';
import { hostNameProblem, userNameProblem } from '../../domain/plain-name.ts';
import { isCanonical, isOff, readArguments, unsupported, type SshArguments } from './arguments.ts';
import { ConfigBlocks, loginToken, type ConfigFile } from './config-blocks.ts';
import { throughShortages } from '../shortage.ts';
import { keywordOf, useOf } from './keywords.ts';
import { algorithmKeywords, readOptions, readValues, type SshOptions, type SshValues } from './options.ts';
import { SshDefaults, type DefaultsPlace } from './ssh-defaults.ts';

export interface SshQuery {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
  /** OpenSSH's own options, as an argument list. */
  readonly arguments: readonly string[];
}

export interface SshEnvironment extends DefaultsPlace {
  /** Called whenever ssh has been started and is waited for. */
  readonly onWait?: () => void;
  readonly homeDir: string;
  readonly userName: string;
}

interface Question {
  readonly host: string;
  readonly configFile: string | undefined;
  /** User and port of the inventory, which override everything. */
  readonly login: SshArguments['options'];
  /** Other ssh options of the inventory, which override every file. */
  readonly given: SshArguments['options'];
}

const run = promisify(execFile);
/** Concurrent ssh processes; `Match exec` and names of their own need one query per host. */
const questionsAtOnce = 8;
/** How long a query waits for a free process of this machine. */
const questionLimitMs = 30_000;
const systemFile: ConfigFile = { path: '/etc/ssh/ssh_config', includeDir: '/etc/ssh' };

/**
 * Runs `ssh -G`, ssh(1), which handles Host, Match, Include and tokens authoritatively but costs milliseconds of CPU:
 * once per distinct set of matching blocks, with the host's name filled in. Without an ssh program, the `ssh-config`
 * package reads the user's file.
 */
export class SshConfiguration {
  readonly #environment: SshEnvironment;
  readonly #blocks = new Map<string, Promise<ConfigBlocks>>();
  readonly #answers = new Map<string, Promise<SshValues>>();
  readonly #defaults: SshDefaults;
  readonly #turns = new Slots(questionsAtOnce);
  #questions = 0;

  constructor(environment: SshEnvironment) {
    this.#environment = environment;
    this.#defaults = new SshDefaults(environment, () =>
      this.#run(['-F', 'none', '-G', '--', 'localhost'], 'localhost'),
    );
  }

  /** How often `ssh -G` was run. */
  get questions(): number {
    return this.#questions;
  }

  async options(query: SshQuery): Promise<SshOptions> {
    const { homeDir, userName } = this.#environment;
    const problem = hostNameProblem(query.host) ?? (query.user === undefined ? undefined : userNameProblem(query.user));
    if (problem !== undefined) {
      throw new FettleError('config', `${query.user ?? ''}@${query.host} cannot be passed to ssh: it ${problem}`);
    }
    const { configFile, options } = readArguments(query.arguments, query.host);
    const user: SshArguments['options'] = query.user === undefined ? [] : [['user', query.user]];
    const port: SshArguments['options'] = query.port === undefined ? [] : [['port', String(query.port)]];
    const question = { host: query.host, configFile, login: [...user, ...port], given: options };
    const values = await this.#values(question);
    return readOptions(values, { homeDir, userName, host: query.host });
  }

  /** A fleet may have as many users and ports as hosts: where no block depends on them, they are filled in too. */
  async #values(question: Question): Promise<SshValues> {
    const { host, configFile, given, login } = question;
    const blocks = await this.#read(configFile);
    const shared = blocks.keyOf(host);
    const isOwn = shared === undefined || given.some(isAboutName);
    const isOfLogin = isOwn || blocks.areOfLogin || given.some(([, value]) => loginToken.test(value));
    const asked = isOfLogin ? question : { ...question, login: [] };
    const key = JSON.stringify([isOwn ? ['of', host] : ['shared', shared], configFile, given, asked.login]);
    let answer = this.#answers.get(key);
    if (answer === undefined) {
      answer = this.#ask(asked);
      this.#answers.set(key, answer);
    }
    const values = await answer;
    const put = isOfLogin ? [] : login.map(([keyword, value]) => [keyword, [value]] as const);
    return isOwn ? values : new Map([...values, ...put, ['hostname', [host]]]);
  }

  #read(configFile: string | undefined): Promise<ConfigBlocks> {
    const { homeDir } = this.#environment;
    const includeDir = join(homeDir, '.ssh');
    const files =
      configFile === undefined
        ? [{ path: join(includeDir, 'config'), includeDir }, systemFile]
        : [{ path: configFile, includeDir }];
    const key = configFile ?? '';
    let blocks = this.#blocks.get(key);
    if (blocks === undefined) {
      blocks = ConfigBlocks.read(configFile === 'none' ? [] : files, homeDir);
      this.#blocks.set(key, blocks);
    }
    return blocks;
  }

  /** Without the algorithms that are ssh's own default. Throws `config` where a keyword that is not supported was set. */
  async #settled(values: SshValues, host: string): Promise<SshValues> {
    const recalled = await this.#defaults.recalled();
    try {
      return settle(values, recalled ?? (await this.#defaults.asked()), host);
    } catch (error) {
      if (recalled === undefined) throw error;
      // A program behind the file that was asked, as behind a script, may have other defaults by now.
      return settle(values, await this.#defaults.asked(), host);
    }
  }

  async #run(words: readonly string[], what: string): Promise<string> {
    const ask = (): Promise<{ stdout: string }> => run('ssh', words, { env: { ...this.#environment.env } });
    return (await throughShortages(ask, { ms: questionLimitMs, what })).stdout;
  }

  async #ask(question: Question): Promise<SshValues> {
    const { host, configFile, login, given } = question;
    const file = configFile === undefined ? [] : ['-F', configFile];
    const options = [...login, ...given].flatMap(([keyword, value]) => ['-o', `${keyword}=${value}`]);
    this.#questions += 1;
    using _turn = await this.#turns.take();
    try {
      // Both answers are needed; neither process waits for the other.
      if ((await this.#defaults.recalled()) === undefined) this.#defaults.asked().catch(() => undefined);
      const running = this.#run([...file, ...options, '-G', '--', host], host);
      this.#environment.onWait?.();
      return await this.#settled(readValues(await running), host);
    } catch (cause) {
      if (cause instanceof FettleError) throw cause;
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
        return await withoutOpenSsh(question, this.#environment.homeDir);
      }
      const output = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : String(cause);
      if (output.includes('No user exists for uid')) {
        throw new FettleError('config', `ssh works only for users with an account on this machine: ${output}`, {
          hint: 'run fettle as a user that has one; in a container, add the user id to /etc/passwd at its start',
          cause,
        });
      }
      throw new FettleError('config', `ssh rejects the options for ${host}: ${output}`, {
        hint: 'check ansible_ssh_common_args and ~/.ssh/config',
        cause,
      });
    }
  }
}

function settle(values: SshValues, defaults: SshValues, host: string): SshValues {
  const settled = new Map<string, readonly string[]>();
  for (const [keyword, value] of values) {
    const isDefault = value.join('\n') === defaults.get(keyword)?.join('\n');
    if (keyword !== '' && useOf(keywordOf(keyword)) === 'refused' && !isDefault && !value.every(isOff)) {
      throw unsupported(keyword, value.join(' '), host);
    }
    if (!isDefault || !algorithmKeywords.includes(keyword)) settled.set(keyword, value);
  }
  return settled;
}

/** The same keywords out of the user's file alone. */
async function withoutOpenSsh({ host, configFile, login, given }: Question, homeDir: string): Promise<SshValues> {
  const path = configFile ?? join(homeDir, '.ssh/config');
  const text = path === 'none' ? '' : await readIfThere(path);
  const computed = SSHConfig.parse(text).compute(host, { ignoreCase: true });
  const values = new Map<string, string[]>();
  for (const [keyword, value] of [...login, ...given])
    values.set(keyword, [...(values.get(keyword) ?? []), unquoted(value)]);
  for (const [name, value] of Object.entries(computed)) {
    const keyword = keywordOf(name);
    const all = Array.isArray(value) ? value : [value];
    if (useOf(keyword) === 'refused') throw unsupported(name, all.join(' '), host);
    if (useOf(keyword) === 'obeyed') {
      values.set(keyword, [...(values.get(keyword) ?? []), ...all.map((item) => unquoted(item))]);
    }
  }
  const defaults: Readonly<Record<string, readonly string[]>> = {
    identityfile: ['id_rsa', 'id_ecdsa', 'id_ed25519'].map((name) => `~/.ssh/${name}`),
    userknownhostsfile: ['~/.ssh/known_hosts ~/.ssh/known_hosts2'],
    globalknownhostsfile: ['/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2'],
  };
  return new Map([...Object.entries(defaults), ...values]);
}

async function readIfThere(path: string): Promise<string> {
  const limit = { ms: questionLimitMs, what: path };
  return throughShortages(() => readFile(path, 'utf8'), limit).catch((cause: unknown) => {
    if (cause instanceof FettleError) throw cause;
    return '';
  });
}

/** The output of `ssh -G` depends on the host name; some tokens it leaves unexpanded. */
function isAboutName([keyword, value]: readonly [string, string]): boolean {
  return (
    keyword === 'hostname' ||
    isCanonical(keyword) ||
    (value.includes('%') && keyword !== 'proxycommand' && keyword !== 'identityfile')
  );
}

function unquoted(value: string): string {
  return value.replace(/^"(.*)"$/, '$1');
}
