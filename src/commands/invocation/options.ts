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

export interface OptionSpec {
  /** commander's notation. */
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[];
  /** May be given several times; the values are collected. */
  readonly repeats?: true;
  readonly number?: true;
  readonly counts?: true;
  /** The flag that says the opposite; without either the value is left open. */
  readonly negation?: string;
}

export type OptionName = keyof Options;

export const optionTable: Readonly<Record<OptionName, OptionSpec>> = {
  inventory: {
    flags: '-i, --inventory <file>',
    description: 'inventory file; may be repeated, later ones win',
    repeats: true,
  },
  limit: { flags: '-l, --limit <pattern>', description: 'narrow the hosts to a pattern' },
  allowMissing: { flags: '--allow-missing', description: 'let a part of a pattern match nothing' },
  extraVars: {
    flags: '-e, --extra-vars <key=value>',
    description: 'set a variable above all others; @file reads YAML',
    repeats: true,
  },
  user: { flags: '-u, --user <name>', description: 'log in as this user' },
  privateKey: { flags: '--private-key <file>', description: 'log in with this key' },
  connection: {
    flags: '--connection <name>',
    description: 'transport for every host',
    choices: ['ssh', 'winrm', 'local'],
  },
  askPass: { flags: '-k, --ask-pass', description: 'ask for the login password' },
  askBecomePass: { flags: '-K, --ask-become-pass', description: 'ask for the elevation password' },
  passwordFile: {
    flags: '--password-file <file>',
    description: 'read the login password from a file, or from what an executable prints',
  },
  becomePasswordFile: { flags: '--become-password-file <file>', description: 'the same for the elevation password' },
  become: { flags: '-b, --become', description: 'elevate on every host' },
  hostKey: {
    flags: '--host-key <policy>',
    description: 'what to do with unknown host keys',
    choices: ['strict', 'accept-new'],
  },
  concurrency: { flags: '-f, --concurrency <n>', description: 'hosts at once', number: true },
  timeout: { flags: '--timeout <duration>', description: 'limit for the command on each host; 1h by default' },
  ledger: { flags: '--ledger <file>', description: 'ledger file' },
  json: { flags: '--json [fields]', description: 'one JSON document on stdout; with a comma list, only these fields' },
  jsonl: { flags: '--jsonl', description: 'each event as one JSON line on stdout' },
  color: { flags: '--color', description: 'colour even where it is no terminal', negation: '--no-color' },
  input: { flags: '--no-input', description: 'never ask; a question is an error' },
  yes: { flags: '-y, --yes', description: 'go ahead without asking' },
  quiet: { flags: '-q, --quiet', description: 'print only failures, what is uncertain, and data that was asked for' },
  verbose: { flags: '-v, --verbose', description: 'say more; may be repeated', counts: true },
  progress: {
    flags: '--progress <how>',
    description: 'live view, lines or nothing',
    choices: ['auto', 'plain', 'none'],
  },
  debug: { flags: '--debug', description: 'show stack traces of errors' },
  detailedExitcode: {
    flags: '--detailed-exitcode',
    description: 'exit 3 when there is something to do; of reports also 5 or 6 when hosts are not known for certain',
  },
  ok: { flags: '--ok <names>', description: 'exit names to treat as 0, e.g. changes,locked' },
  out: { flags: '-o, --out <file>', description: 'where to write it' },
  planHash: {
    flags: '--plan-hash <sha256>',
    description: 'the hash that was approved; needed where this ledger did not make the plan',
  },
  refresh: { flags: '--no-refresh', description: 'leave the package metadata on the hosts as it is' },
  maxAge: { flags: '--max-age <duration>', description: 'package metadata older than this is stale (default 36h)' },
  maxScanAge: { flags: '--max-scan-age <duration>', description: 'a scan older than this is stale (default 7d)' },
  ticket: { flags: '--ticket <id>', description: 'change ticket, for the record' },
  reason: { flags: '--reason <text>', description: 'why, for the record' },
  asOf: { flags: '--as-of <time>', description: 'answer as of this time (ISO 8601, or a duration ago such as 7d)' },
  since: { flags: '--since <time>', description: 'nothing older (ISO 8601, or a duration ago such as 30d)' },
  failed: { flags: '--failed', description: 'only what went wrong' },
  update: { flags: '--update <glob>', description: 'only updates of this name, such as KB50* or openssl*' },
  watch: { flags: '--watch', description: 'look again and again: who is up, who did not return; Ctrl-C ends it' },
  for: { flags: '--for <duration>', description: 'watch so long, then end' },
  interval: { flags: '--interval <duration>', description: 'pause between two looks at a host (default 5s)' },
  origin: { flags: '--origin', description: 'show where each value comes from' },
  force: {
    flags: '--force',
    description: 'go ahead all the same: overwrite files, or reboot hosts that do not need it',
  },
  port: { flags: '--port <n>', description: 'UDP port to send to (default 9)', number: true },
  ifIdle: { flags: '--if-idle', description: 'leave hosts alone to which somebody is logged on' },
  cancel: { flags: '--cancel', description: 'call off a shutdown or restart that is scheduled' },
  raw: { flags: '--raw', description: 'bytes as they came, control characters included' },
  head: { flags: '--head <hash>', description: 'a saved chain head to check against' },
  signedHead: { flags: '--signed-head <file>', description: 'a head that fettle ledger sign wrote, to check against' },
  allowedSigners: {
    flags: '--allowed-signers <file>',
    description: 'whose signatures count, as in ALLOWED SIGNERS of ssh-keygen(1)',
  },
  key: { flags: '--key <file>', description: 'SSH key to sign with; a public one where an agent holds the other half' },
  last: { flags: '-n, --last <n>', description: 'how many', number: true },
  run: { flags: '--run <id>', description: 'the run to look at' },
};

/** A command as completion knows it. */
export interface CommandOutline {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionName[];
}

/** What every command takes. */
export const commonOptions: readonly OptionName[] = ['color', 'quiet', 'verbose', 'debug', 'ok'];

/** What a command takes that reads an inventory. */
export const inventoryOptions: readonly OptionName[] = ['inventory', 'limit', 'allowMissing', 'extraVars'];

/** What every report takes. */
export const reportOptions: readonly OptionName[] = [
  ...inventoryOptions,
  'ledger',
  'asOf',
  'maxScanAge',
  'json',
  'detailedExitcode',
];

/** What a command takes that contacts hosts. */
export const hostOptions: readonly OptionName[] = [
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
  'progress',
  'input',
];
