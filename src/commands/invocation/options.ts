/** Every option of every command, once. A command lists the names it takes; the meaning of a flag never differs. */
export interface Options {
  readonly inventory: readonly string[];
  readonly limit: string;
  readonly allowMissing: boolean;
  readonly extraVars: readonly string[];
  readonly user: string;
  readonly privateKey: string;
  readonly connection: string;
  readonly askPass: boolean;
  readonly askBecomePass: boolean;
  readonly passwordFile: string;
  readonly becomePasswordFile: string;
  readonly become: boolean;
  readonly hostKey: 'strict' | 'accept-new';
  readonly concurrency: number;
  readonly timeout: string;
  readonly ledger: string;
  readonly json: string | true;
  readonly jsonl: boolean;
  readonly color: boolean;
  readonly input: boolean;
  readonly yes: boolean;
  readonly quiet: boolean;
  readonly verbose: number;
  readonly progress: 'auto' | 'plain' | 'none';
  readonly debug: boolean;
  readonly detailedExitcode: boolean;
  readonly ok: string;
  readonly out: string;
  readonly planHash: string;
  readonly refresh: boolean;
  readonly maxAge: string;
  readonly maxScanAge: string;
  readonly ticket: string;
  readonly reason: string;
  readonly asOf: string;
  readonly since: string;
  readonly failed: boolean;
  readonly update: string;
  readonly watch: boolean;
  readonly for: string;
  readonly interval: string;
  readonly origin: boolean;
  readonly force: boolean;
  readonly port: number;
  readonly ifIdle: boolean;
  readonly cancel: boolean;
  readonly raw: boolean;
  readonly head: string;
  readonly signedHead: string;
  readonly allowedSigners: string;
  readonly key: string;
  readonly last: number;
  readonly run: string;
}

/** The headings of help, in their order; none: what is special to the command. */
export const optionGroups = [undefined, 'Hosts', 'Login', 'Record', 'Output'] as const;

export interface OptionSpec {
  /** commander's notation. */
  readonly flags: string;
  readonly description: string;
  readonly group?: Exclude<(typeof optionGroups)[number], undefined>;
  readonly choices?: readonly string[];
  /** May be given several times; the values are collected. */
  readonly repeats?: true;
  readonly number?: true;
  readonly counts?: true;
  /** The flag of the opposite; without either the value is left open. */
  readonly negation?: { readonly flag: string; readonly description: string };
}

export type OptionName = keyof Options;

export const optionTable: Readonly<Record<OptionName, OptionSpec>> = {
  inventory: {
    flags: '-i, --inventory <source>',
    description: 'inventory file, directory or host list (a,b,); repeat for several, later ones win',
    group: 'Hosts',
    repeats: true,
  },
  limit: { flags: '-l, --limit <pattern>', description: 'only the hosts that match this pattern', group: 'Hosts' },
  allowMissing: {
    flags: '--allow-missing',
    description: 'ignore parts of a pattern that match no host',
    group: 'Hosts',
  },
  extraVars: {
    flags: '-e, --extra-vars <key=value>',
    description: 'set a variable, overriding the inventory; @FILE reads YAML',
    group: 'Hosts',
    repeats: true,
  },
  user: { flags: '-u, --user <name>', description: 'log in as this user', group: 'Login' },
  privateKey: { flags: '--private-key <file>', description: 'log in with this private key', group: 'Login' },
  connection: {
    flags: '--connection <name>',
    description: 'transport for every host',
    group: 'Login',
    choices: ['ssh', 'winrm', 'local'],
  },
  askPass: { flags: '-k, --ask-pass', description: 'prompt for the login password', group: 'Login' },
  askBecomePass: { flags: '-K, --ask-become-pass', description: 'prompt for the elevation password', group: 'Login' },
  passwordFile: {
    flags: '--password-file <file>',
    description: 'file with the login password, or a program that prints it',
    group: 'Login',
  },
  becomePasswordFile: {
    flags: '--become-password-file <file>',
    description: 'file with the elevation password, or a program that prints it',
    group: 'Login',
  },
  become: { flags: '-b, --become', description: 'elevate privileges on every host', group: 'Login' },
  hostKey: {
    flags: '--host-key <policy>',
    description: 'reject or accept unknown host keys',
    group: 'Login',
    choices: ['strict', 'accept-new'],
  },
  concurrency: {
    flags: '-f, --concurrency <n>',
    description: 'work on this many hosts at once',
    group: 'Hosts',
    number: true,
  },
  timeout: { flags: '--timeout <duration>', description: 'time limit for the command on each host (default 1h)' },
  ledger: { flags: '--ledger <file>', description: 'ledger file', group: 'Record' },
  json: {
    flags: '--json [fields]',
    description: 'print one JSON document, whole or only the listed fields (a,b,c)',
    group: 'Output',
  },
  jsonl: { flags: '--jsonl', description: 'print each event as one line of JSON', group: 'Output' },
  color: {
    flags: '--color',
    description: 'use colour even if the output is not a terminal',
    group: 'Output',
    negation: { flag: '--no-color', description: 'never use colour' },
  },
  input: { flags: '--no-input', description: 'fail instead of prompting', group: 'Login' },
  yes: { flags: '-y, --yes', description: 'do not ask for confirmation' },
  quiet: {
    flags: '-q, --quiet',
    description: 'print only failures, uncertain results and requested data',
    group: 'Output',
  },
  verbose: {
    flags: '-v, --verbose',
    description: 'show each step; -vv also shows what hosts print',
    group: 'Output',
    counts: true,
  },
  progress: {
    flags: '--progress <how>',
    description: 'show progress as a live view or line by line, or not at all',
    group: 'Output',
    choices: ['auto', 'plain', 'none'],
  },
  debug: { flags: '--debug', description: 'show stack traces of errors', group: 'Output' },
  detailedExitcode: {
    flags: '--detailed-exitcode',
    description: 'exit 3 if something is pending; reports exit 5 or 6 if a host is uncertain',
  },
  ok: {
    flags: '--ok <names>',
    description: 'exit 0 also for these exit names, such as changes,locked',
    group: 'Output',
  },
  out: { flags: '-o, --out <file>', description: 'write the plan to this file' },
  planHash: {
    flags: '--plan-hash <sha256>',
    description: 'hash of the approved plan; needed if it was not made with this ledger',
  },
  refresh: { flags: '--no-refresh', description: 'do not refresh package metadata on the hosts' },
  maxAge: { flags: '--max-age <duration>', description: 'package metadata older than this is stale (default 36h)' },
  maxScanAge: { flags: '--max-scan-age <duration>', description: 'a scan older than this is stale (default 7d)' },
  ticket: { flags: '--ticket <id>', description: 'change ticket to record with the run', group: 'Record' },
  reason: { flags: '--reason <text>', description: 'reason to record with the run', group: 'Record' },
  asOf: { flags: '--as-of <time>', description: 'report the state at this time: ISO 8601, or an age such as 7d' },
  since: { flags: '--since <time>', description: 'only what is newer: ISO 8601, or an age such as 30d' },
  failed: { flags: '--failed', description: 'only failures' },
  update: { flags: '--update <glob>', description: 'only updates whose name matches, such as KB50* or openssl*' },
  watch: {
    flags: '--watch',
    description: 'keep pinging and report who is up and who did not return; stop with Ctrl-C',
  },
  for: { flags: '--for <duration>', description: 'stop watching after this time' },
  interval: { flags: '--interval <duration>', description: 'pause between two pings of a host (default 5s)' },
  origin: { flags: '--origin', description: 'show where each value is set' },
  force: { flags: '--force', description: 'overwrite existing files' },
  port: { flags: '--port <n>', description: 'UDP port to send the packets to (default 9)', number: true },
  ifIdle: { flags: '--if-idle', description: 'skip hosts on which a user is logged on' },
  cancel: { flags: '--cancel', description: 'cancel a scheduled shutdown or restart instead' },
  raw: { flags: '--raw', description: 'print bytes unchanged, control characters included' },
  head: { flags: '--head <seq:hash>', description: 'saved chain head to check the ledger against' },
  signedHead: {
    flags: '--signed-head <file>',
    description: 'chain head signed by "fettle ledger sign" to check against',
  },
  allowedSigners: {
    flags: '--allowed-signers <file>',
    description: 'accepted signers, see ALLOWED SIGNERS in ssh-keygen(1)',
  },
  key: { flags: '--key <file>', description: 'SSH key to sign with; a public key if an agent holds its private key' },
  last: { flags: '-n, --last <n>', description: 'show at most this many (default 20)', number: true },
  run: { flags: '--run <id>', description: 'ID of the run (default: the latest that changed hosts)' },
};

/** A command as completion knows it. */
export interface CommandOutline {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionName[];
}

/** What every command takes. */
export const commonOptions: readonly OptionName[] = ['color', 'quiet', 'verbose', 'debug', 'ok'];

/** What a command takes that selects hosts of an inventory. */
const selectionOptions: readonly OptionName[] = ['inventory', 'limit', 'allowMissing'];

/** What a command takes that selects hosts and uses their variables. */
export const inventoryOptions: readonly OptionName[] = [...selectionOptions, 'extraVars'];

/** What every report takes. */
export const reportOptions: readonly OptionName[] = [
  ...selectionOptions,
  'ledger',
  'asOf',
  'maxScanAge',
  'json',
  'detailedExitcode',
];

/** What a command takes that logs in to hosts. */
export const loginOptions: readonly OptionName[] = [
  ...inventoryOptions,
  'user',
  'privateKey',
  'connection',
  'become',
  'askPass',
  'askBecomePass',
  'passwordFile',
  'becomePasswordFile',
  'hostKey',
  'concurrency',
  'input',
];

/** What a command takes that works on hosts and shows its progress. */
export const hostOptions: readonly OptionName[] = [...loginOptions, 'progress'];
