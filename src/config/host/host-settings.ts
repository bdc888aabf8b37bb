// From an inventory's variables to hosts with everything resolved.
import { accessSync, constants, statSync } from 'node:fs';
import { recordOf } from '../../base/record.ts';
import { fileProblem } from '../../base/file-problem.ts';
import { FettleError } from '../../domain/error.ts';
import type { Connection, Host, HostKeyPolicy } from '../../domain/host.ts';
import { hostNameProblem, userNameProblem } from '../../domain/plain-name.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Diagnostic } from '../yaml/diagnostic.ts';
import { readElevation } from './elevation-settings.ts';
import type { Inventory, InventoryHost } from '../inventory/model.ts';
import { readPatchSettings } from './patch-settings.ts';
import { SettingsReader } from './settings-reader.ts';
import { checkingOf, sshArguments } from './ssh-arguments.ts';
import { connectionAliases as names } from '../inventory/variable-names.ts';
import { readWinrmConnectLimit, readWinrmSettings } from './winrm-settings.ts';

/** Settings of the command line. `user` and `privateKeyFile` yield to the inventory, as in Ansible; the rest wins. */
export interface HostOverrides {
  /** What `~` means. */
  readonly homeDir: string;
  /** False where nobody connects, and so no file of a key or certificate is needed. */
  readonly connects?: boolean;
  readonly user?: string;
  readonly privateKeyFile?: string;
  /** A transport for every host. */
  readonly connection?: string;
  /** Elevate on every host. */
  readonly become?: boolean;
  readonly hostKeyPolicy?: HostKeyPolicy;
  /** Used where the inventory has none. */
  readonly password?: Secret;
  readonly becomePassword?: Secret;
}

export interface ResolvedHosts {
  /** Hosts without an error, in the order of the names. */
  readonly hosts: readonly Host[];
  readonly diagnostics: readonly Diagnostic[];
}

const defaultLimits = { connectMs: 10_000, handshakeMs: 20_000, authMs: 30_000, idleMs: 60_000 } as const;

/** Resolves the named hosts. A name that the inventory does not have is `FettleError('usage')`. */
export function resolveHosts(inventory: Inventory, wanted: readonly string[], overrides: HostOverrides): ResolvedHosts {
  const hosts: Host[] = [];
  const found = new Map<string, HostsDiagnostic>();
  const keys = new KeyFiles(overrides);
  for (const name of wanted) {
    const host = inventory.hosts.get(name);
    if (host === undefined) throw new FettleError('usage', `the inventory has no host ${name}`);
    const reader = new SettingsReader(host.variables);
    const resolved = resolveHost({ found: host, reader, overrides, keys });
    for (const diagnostic of reader.diagnostics) {
      const { file, line, column, message } = diagnostic;
      const key = `${file}:${line ?? 0}:${column ?? 0}:${message}`;
      const known = found.get(key) ?? { diagnostic, names: [] };
      found.set(key, known);
      known.names.push(name);
    }
    if (reader.diagnostics.every(({ severity }) => severity === 'warning')) hosts.push(resolved);
  }
  const diagnostics = [...found.values()].map((one) => withWayOut(one, inventory, wanted.length));
  return { hosts, diagnostics: [...diagnostics, ...sharedIds(inventory, hosts)] };
}

/** One diagnostic and the hosts that have it. */
interface HostsDiagnostic {
  readonly diagnostic: Diagnostic;
  readonly names: string[];
}

/** As many names as are easily typed. */
const mostNames = 5;

/** Where others are left, an error says how to go on without its hosts. */
function withWayOut({ diagnostic, names: affected }: HostsDiagnostic, inventory: Inventory, all: number): Diagnostic {
  if (diagnostic.severity === 'warning' || affected.length === all) return diagnostic;
  const members = new Set(affected);
  const group = inventory.hosts.get(affected[0] ?? '')?.groups.find((name) => {
    const hosts = [...inventory.hosts.values()].filter(({ groups }) => groups.includes(name));
    return (
      name !== 'all' &&
      name !== 'ungrouped' &&
      hosts.length === members.size &&
      hosts.every((host) => members.has(host.name))
    );
  });
  const pattern = group === undefined ? affected.map((name) => `!${name}`).join(',') : `!${group}`;
  if (group === undefined && affected.length > mostNames) return diagnostic;
  const leaving = `leave out ${affected.length === 1 ? `host ${affected[0] ?? ''}` : `its ${affected.length} hosts`} with -l '${pattern}'`;
  return { ...diagnostic, hint: diagnostic.hint === undefined ? leaving : `${diagnostic.hint}; ${leaving}` };
}

interface HostReading {
  readonly found: InventoryHost;
  readonly reader: SettingsReader;
  readonly overrides: HostOverrides;
  readonly keys: KeyFiles;
}

function resolveHost({ found, reader, overrides, keys }: HostReading): Host {
  const variables = recordOf([...found.variables].map(([name, { value }]) => [name, value] as const));
  return {
    name: found.name,
    id: reader.text('patch_id') ?? found.name,
    groups: found.groups,
    connection: resolveConnection({ found, reader, overrides, keys }),
    patch: readPatchSettings(reader),
    variables,
  };
}

function resolveConnection({ found, reader, overrides, keys }: HostReading): Connection {
  const transport = overrides.connection ?? readTransport(reader);
  reader.connectBy(transport);
  const port = reader.integer(names.port, { least: 1, most: 65_535 });
  const user = reader.name(names.user, userNameProblem) ?? overrides.user;
  const words = readSshArguments(reader);
  const policy = readHostKeyPolicy(reader, words, overrides);
  // The operator's password is for hosts that prove who they are; who is in between would get it from the others.
  const { password: ownPassword, becomePassword: _withheld, ...others } = overrides;
  const given = policy === 'off' && transport === 'ssh' ? others : overrides;
  const password = reader.secret(...names.password) ?? (given === overrides ? ownPassword : undefined);
  const privateKeyFile = readKeyFile(reader, overrides, keys, transport);
  const privateKeyPassphrase = reader.secret(...names.passphrase);
  const isWinrm = transport === 'winrm';
  const seconds =
    (isWinrm ? readWinrmConnectLimit(reader) : undefined) ?? reader.integer(names.timeout, { least: 1, most: 3600 });
  const shell = readShell(reader, transport);
  const isSupported = transport === 'ssh' || transport === 'local';
  const elevation = shell === 'powershell' || !isSupported ? undefined : readElevation(reader, given);
  const hasOperatorPassword = [password, elevation?.password].some(
    (secret) => secret !== undefined && (secret === ownPassword || secret === overrides.becomePassword),
  );
  const file = (variables: readonly string[]): string | undefined => readFile(reader, keys, variables);
  const { hostKeyPolicy } = overrides;
  return {
    transport,
    address: reader.name(names.address, hostNameProblem) ?? found.name,
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(privateKeyFile === undefined ? {} : { privateKeyFile }),
    ...(privateKeyPassphrase === undefined ? {} : { privateKeyPassphrase }),
    sshArguments: words,
    hostKeyPolicy: policy,
    ...(hasOperatorPassword ? { hasOperatorPassword } : {}),
    limits: { ...defaultLimits, ...(seconds === undefined ? {} : { connectMs: seconds * 1000 }) },
    ...(elevation === undefined ? {} : { elevation }),
    ...(shell === undefined ? {} : { shell }),
    ...(isWinrm ? { winrm: readWinrmSettings({ reader, port, hostKeyPolicy, file }) } : {}),
  };
}

function readTransport(reader: SettingsReader): string {
  const written = reader.text(...names.connection) ?? 'ssh';
  const name = written.replace(/^ansible\.(builtin|legacy)\./, '');
  if (['ssh', 'smart', 'paramiko', 'paramiko_ssh'].includes(name)) return 'ssh';
  if (name === 'psrp') {
    const hint = 'variables that exist for both mean the same; write ansible_connection: winrm instead';
    reader.report(names.connection, 'fettle reaches psrp hosts over WinRM', { severity: 'warning', hint });
    return 'winrm';
  }
  if (name !== 'local' && name !== 'winrm') {
    reader.report(names.connection, `ansible_connection ${written} is not supported`, {
      hint: 'this version supports ssh, winrm and local',
    });
  }
  return name;
}

/** PowerShell over WinRM always, and over SSH where the inventory declares Windows; Windows has no elevation to another account. */
function readShell(reader: SettingsReader, transport: string): 'powershell' | undefined {
  const written = reader.text(...names.shell)?.toLowerCase();
  const isWindows = transport === 'winrm' || (transport === 'ssh' && (written === 'powershell' || written === 'cmd'));
  if (!isWindows) return undefined;
  const method = reader.text(...names.becomeMethod);
  if (method !== undefined && !/(^|\.)runas$/.test(method)) {
    reader.report(names.becomeMethod, 'elevation is not used on Windows: whatever changes a host runs as SYSTEM', {
      severity: 'warning',
    });
  }
  return 'powershell';
}

function readKeyFile(
  reader: SettingsReader,
  overrides: HostOverrides,
  keys: KeyFiles,
  transport: string,
): string | undefined {
  const written = reader.text(...names.privateKeyFile);
  const file = written ?? overrides.privateKeyFile;
  if (file === undefined || transport !== 'ssh') return undefined;
  const path = keys.expand(file);
  const problem = keys.problemOf(path);
  if (problem === undefined) return path;
  if (written === undefined) {
    throw new FettleError('usage', `the private key ${path} cannot be opened: ${problem}`, {
      hint: 'use another key with --private-key',
    });
  }
  reader.report(names.privateKeyFile, `the private key ${path} cannot be opened: ${problem}`, {
    hint: 'put the key there, or set ansible_private_key_file to another with -e',
  });
  return undefined;
}

function readFile(reader: SettingsReader, keys: KeyFiles, variables: readonly string[]): string | undefined {
  const written = reader.text(...variables);
  if (written === undefined) return undefined;
  const path = keys.expand(written);
  const problem = keys.problemOf(path);
  if (problem === undefined) return path;
  reader.report(variables, `${path} cannot be opened: ${problem}`);
  return undefined;
}

/** Key files, each checked once however many hosts share it. */
class KeyFiles {
  readonly #homeDir: string;
  readonly #connects: boolean;
  readonly #problems = new Map<string, string | undefined>();

  constructor({ homeDir, connects = true }: Pick<HostOverrides, 'homeDir' | 'connects'>) {
    this.#homeDir = homeDir;
    this.#connects = connects;
  }

  expand(file: string): string {
    return file.replace(/^(?:~|\$HOME|\$\{HOME\})(?=\/|$)/, () => this.#homeDir);
  }

  problemOf(path: string): string | undefined {
    if (!this.#connects) return undefined;
    if (!this.#problems.has(path)) this.#problems.set(path, openingProblem(path));
    return this.#problems.get(path);
  }
}

function openingProblem(path: string): string | undefined {
  try {
    if (statSync(path).isDirectory()) return 'it is a directory';
    accessSync(path, constants.R_OK);
    return undefined;
  } catch (error) {
    return fileProblem(error);
  }
}

function readSshArguments(reader: SettingsReader): readonly string[] {
  const words: string[] = [];
  for (const setting of [names.sshArgs, names.sshCommonArgs, names.sshExtraArgs]) {
    const text = reader.text(...setting);
    if (text === undefined) continue;
    const split = sshArguments(text);
    if (split === undefined) reader.report(setting, `${setting[0]}: unclosed quote`);
    else words.push(...split);
  }
  return words;
}

function readHostKeyPolicy(reader: SettingsReader, words: readonly string[], overrides: HostOverrides): HostKeyPolicy {
  if (overrides.hostKeyPolicy !== undefined) return overrides.hostKeyPolicy;
  const hint =
    'anyone on the network path can read and change everything; --host-key accept-new checks keys from the second connection on';
  const written = checkingOf(words);
  const hasSecret = overrides.password !== undefined || overrides.becomePassword !== undefined;
  const withheld = hasSecret ? ', so passwords given on the command line are not sent to these hosts' : '';
  if (reader.boolean(...names.hostKeyChecking) === false) {
    reader.report(names.hostKeyChecking, `host keys are not checked${withheld}`, { severity: 'warning', hint });
    return 'off';
  }
  if (written === 'off') {
    const places = [...names.sshArgs, ...names.sshCommonArgs, ...names.sshExtraArgs];
    reader.report(places, `host keys are not checked (StrictHostKeyChecking=no)${withheld}`, {
      severity: 'warning',
      hint,
    });
  }
  return written ?? 'strict';
}

/** Two hosts with one identity would share their history. */
function sharedIds(inventory: Inventory, hosts: readonly Host[]): Diagnostic[] {
  const byId = new Map<string, string>();
  const diagnostics: Diagnostic[] = [];
  for (const { id, name } of hosts) {
    const other = byId.get(id);
    const origin = inventory.hosts.get(name)?.variables.get('patch_id')?.origin;
    if (other === undefined) byId.set(id, name);
    else {
      const place = origin ?? inventory.hosts.get(other)?.variables.get('patch_id')?.origin ?? { file: 'inventory' };
      const message = `hosts ${other} and ${name} have the same identity "${id}"`;
      diagnostics.push({ ...place, severity: 'error', message, hint: 'patch_id must be unique' });
    }
  }
  return diagnostics;
}
