// The options of one host as `ssh -G` prints them.
import { join } from 'node:path';
import { FettleError } from '../../domain/error.ts';
import { hostKeyAliasProblem, hostNameProblem, isPlainWord, userNameProblem } from '../../domain/plain-name.ts';
import type { AllowedAlgorithms } from './algorithms.ts';
import type { HostKeyRules } from './host-key-rules.ts';
import { authMethodNames, type AuthMethodName } from './candidates.ts';

export interface SshOptions {
  readonly hostName: string;
  readonly port: number;
  readonly user: string;
  readonly identityFiles: readonly string[];
  /** Socket path, `none`, or undefined for SSH_AUTH_SOCK. */
  readonly identityAgent: string | undefined;
  readonly identitiesOnly: boolean;
  /** `[user@]host[:port]`, nearest to the controller first. */
  readonly proxyJump: readonly string[];
  readonly proxyCommand: string | undefined;
  readonly userKnownHosts: readonly string[];
  readonly globalKnownHosts: readonly string[];
  readonly strictHostKeyChecking: string;
  readonly hostKeyAlias: string | undefined;
  readonly hashesKnownHosts: boolean;
  readonly connectMs: number | undefined;
  readonly idleMs: number | undefined;
  readonly family: 0 | 4 | 6;
  readonly algorithms: AllowedAlgorithms;
  readonly hostKeyRules: HostKeyRules;
  readonly methods: readonly AuthMethodName[];
  /** Login methods that OpenSSH would use and fettle does not support. */
  readonly beyondUs: readonly string[];
}

/** Values of each keyword (lower case) in order. */
export type SshValues = ReadonlyMap<string, readonly string[]>;

export interface SshPlace {
  readonly homeDir: string;
  readonly userName: string;
  /** The name that was asked for. */
  readonly host: string;
}

/** The lines of `ssh -G`: a keyword in lower case, a blank, the value. */
export function readValues(text: string): SshValues {
  const values = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [keyword = ''] = line.split(' ', 1);
    values.set(keyword, [...(values.get(keyword) ?? []), line.slice(keyword.length + 1)]);
  }
  return values;
}

type First = (keyword: string) => string | undefined;

/** The first value of a keyword; `none` and nothing at all mean that it is not set. */
function firstOf(values: SshValues): First {
  return (keyword) => {
    const value = values.get(keyword)?.[0];
    return value === undefined || value === '' || value.toLowerCase() === 'none' ? undefined : value;
  };
}

/** `ssh -G` puts every address of ProxyJump in brackets; only those with colons need them. */
function readProxyJump(first: First): readonly string[] {
  const hops = first('proxyjump')?.split(',') ?? [];
  return hops.map((hop) => hop.replace(/\[([^\][:]+)\]/, '$1'));
}

/** @throws FettleError `config` for a name with a problem. */
function checkedName(what: string, name: string, problem: string | undefined): string {
  if (problem === undefined) return name;
  throw new FettleError('config', `${what} ${problem}`, {
    hint: 'correct it in ~/.ssh/config or in the ssh arguments of the inventory',
  });
}

export function readOptions(values: SshValues, place: SshPlace): SshOptions {
  const first = firstOf(values);
  const seconds = (keyword: string): number | undefined => Number(first(keyword) ?? 0) * 1000 || undefined;
  const named = (what: string, name: string, problem: string | undefined): string =>
    checkedName(`${what} ${JSON.stringify(name)} for ${place.host}`, name, problem);
  const wanted = first('hostname') ?? place.host;
  const hostName = named('the host name', wanted, hostNameProblem(wanted));
  const port = Number(first('port') ?? 22);
  const user = named('the user', first('user') ?? place.userName, userNameProblem(first('user') ?? place.userName));
  const alias = first('hostkeyalias');
  const tokens = { h: hostName, n: place.host, p: String(port), r: user, u: place.userName, k: alias ?? place.host };
  const path = (text: string): string => expandTokens(expandHome(text, place.homeDir), tokens, place);
  const paths = (keyword: string): string[] => (first(keyword)?.split(' ') ?? []).map(path);
  const proxyCommand = first('proxycommand');
  const agent = values.get('identityagent')?.[0];
  const aliveMs = seconds('serveraliveinterval');
  return {
    hostName,
    port,
    user,
    identityFiles: (values.get('identityfile') ?? []).filter((file) => file !== 'none').map(path),
    identityAgent: agent === undefined ? undefined : path(agent),
    identitiesOnly: first('identitiesonly') === 'yes',
    proxyJump: readProxyJump(first),
    proxyCommand: proxyCommand === undefined ? undefined : expandTokens(proxyCommand, tokens, place),
    userKnownHosts: paths('userknownhostsfile'),
    globalKnownHosts: paths('globalknownhostsfile'),
    strictHostKeyChecking: first('stricthostkeychecking') ?? 'ask',
    hostKeyAlias: alias === undefined ? undefined : named('HostKeyAlias', alias, hostKeyAliasProblem(alias)),
    hashesKnownHosts: first('hashknownhosts') === 'yes',
    connectMs: seconds('connecttimeout'),
    idleMs: aliveMs === undefined ? undefined : aliveMs * Number(first('serveralivecountmax') ?? 3),
    family: ({ inet: 4, inet6: 6 } as const)[first('addressfamily') ?? ''] ?? 0,
    algorithms: readAlgorithms(first, place),
    hostKeyRules: readHostKeyRules(first, path),
    methods: readMethods(first),
    beyondUs: readBeyondUs(values, first),
  };
}

function readHostKeyRules(first: First, path: (text: string) => string): SshOptions['hostKeyRules'] {
  const revokedKeys = first('revokedhostkeys');
  return {
    revokedKeys: revokedKeys === undefined ? undefined : path(unquoted(revokedKeys)),
    rsaBits: Number(first('requiredrsasize') ?? 1024),
  };
}

/** Lists, which `ssh -G` leaves out where they are ssh's own (see configuration.ts). */
export const algorithmKeywords: readonly string[] = [
  'kexalgorithms',
  'ciphers',
  'macs',
  'hostkeyalgorithms',
  'pubkeyacceptedalgorithms',
];

function readAlgorithms(first: First, place: SshPlace): AllowedAlgorithms {
  const list = (keyword: string): readonly string[] | undefined => {
    const value = first(keyword);
    // `ssh -G` expands lists; without an ssh program the base of a relative list is unknown.
    if (value !== undefined && /^[+^-]/.test(value)) {
      throw new FettleError(
        'config',
        `${keyword} ${value} for ${place.host} cannot be resolved without the ssh program`,
        {
          hint: 'install openssh-client, or write out the complete list',
        },
      );
    }
    return value?.split(',');
  };
  return {
    kex: list('kexalgorithms'),
    ciphers: list('ciphers'),
    macs: list('macs'),
    hostKeys: list('hostkeyalgorithms'),
    userKeys: list('pubkeyacceptedalgorithms'),
  };
}

function unquoted(text: string): string {
  return text.replace(/^"(.*)"$/, '$1');
}

function readMethods(first: First): readonly AuthMethodName[] {
  const isOn: Readonly<Record<AuthMethodName, boolean>> = {
    publickey: !/^(no|false)$/.test(first('pubkeyauthentication') ?? ''),
    password: first('passwordauthentication') !== 'no',
    'keyboard-interactive': first('kbdinteractiveauthentication') !== 'no',
  };
  const preferred = first('preferredauthentications')?.split(',');
  const named = preferred?.flatMap((name) => authMethodNames.filter((known) => known === name)) ?? authMethodNames;
  return named.filter((name) => isOn[name]);
}

function readBeyondUs(values: SshValues, first: First): readonly string[] {
  const certificates = (values.get('certificatefile') ?? []).map((file) => `the certificate ${file}`);
  const provider = first('pkcs11provider');
  return [...certificates, ...(provider === undefined ? [] : [`the PKCS#11 keys of ${provider}`])];
}

function expandHome(path: string, homeDir: string): string {
  return path.startsWith('~/') ? join(homeDir, path.slice(2)) : path;
}

/**
 * ssh_config(5) TOKENS, those of paths and commands. A value that a shell would read as more than one word, or a path as
 * a directory, is refused: `config`.
 */
function expandTokens(text: string, tokens: Readonly<Record<string, string>>, place: SshPlace): string {
  return text.replace(/%(.?)/g, (whole, letter: string) => {
    if (letter === '%') return '%';
    // The operator's own directory is a path and trusted.
    if (letter === 'd') return place.homeDir;
    const value = Object.hasOwn(tokens, letter) ? tokens[letter] : undefined;
    const refuse = (why: string): FettleError =>
      new FettleError('config', `${JSON.stringify(text)} of the ssh configuration for ${place.host} ${why}`, {
        hint: 'write the value itself instead of the token',
      });
    if (value === undefined) throw refuse(`has the token ${whole}, which fettle does not support`);
    if (!isPlainWord(value)) throw refuse(`would put ${JSON.stringify(value)} in place of ${whole}`);
    return value;
  });
}
