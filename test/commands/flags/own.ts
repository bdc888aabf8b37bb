// Flags of one verb, its arguments, and what may not stand together.
import type { OptionName } from '../../../src/commands/invocation/options.ts';
import { cwd, nowMs } from './read-words.ts';
import { durationRefused, numberRefused, switched, text, type Row } from './row.ts';

export interface VerbRows {
  /** The least arguments it runs with. */
  readonly arguments?: readonly string[];
  /** What the arguments become. */
  readonly argumentRows?: readonly Row[];
  readonly flags?: Readonly<Partial<Record<OptionName, readonly Row[]>>>;
  readonly combinations?: readonly Row[];
}

const day = 86_400_000;

/** `--json` of a document that has this field. */
function json(field: string): readonly Row[] {
  return [
    { words: [], request: { json: undefined } },
    { words: ['--json'], request: { json: true } },
    { words: [`--json=${field}`], request: { json: field } },
    { words: ['--json=nosuch'], refused: new RegExp(`--json has no field "nosuch"[\\s\\S]*\\b${field}\\b`) },
    { words: ['--json=,'], refused: /--json lists no field/ },
  ];
}

const pattern: readonly Row[] = [
  { words: [], arguments: [], request: { pattern: 'all' } },
  { words: [], arguments: ['web:!web01'], request: { pattern: 'web:!web01' } },
];

const neededPattern: readonly Row[] = [
  { words: [], arguments: [], refused: /missing required argument 'pattern'/ },
  { words: [], arguments: ['web'], request: { pattern: 'web' } },
];

/** A run is named by the argument; without one the ledger chooses. */
const run: readonly Row[] = [
  { words: [], arguments: [], request: { run: undefined } },
  { words: [], arguments: ['01JA'], request: { run: '01JA' } },
];

const neededHost: readonly Row[] = [
  { words: [], arguments: [], refused: /missing required argument 'host'/ },
  { words: [], arguments: ['web02'], request: { host: 'web02' } },
];

const hostOrAll: readonly Row[] = [
  { words: [], arguments: [], request: { host: undefined } },
  { words: [], arguments: ['web01'], request: { host: 'web01' } },
];

const playbook: readonly Row[] = [
  { words: [], arguments: [], refused: /missing required argument 'playbook'/ },
  { words: [], arguments: ['p.yaml'], request: { playbook: `${cwd}/p.yaml` } },
  { words: [], arguments: ['/etc/p.yaml'], request: { playbook: '/etc/p.yaml' } },
];

function duration(flag: string, name: string, defaultMs: number | undefined): readonly Row[] {
  return [
    { words: [], request: { [name]: defaultMs } },
    { words: [flag, '90s'], request: { [name]: 90_000 } },
    { words: [flag, '7d'], request: { [name]: 7 * day } },
    { words: [flag, 'soon'], refused: durationRefused },
  ];
}

function count(name: string, byDefault: number): readonly Row[] {
  return [
    { words: [], request: { [name]: byDefault } },
    { words: ['-n', '5'], request: { [name]: 5 } },
    { words: ['--last', '500'], request: { [name]: 500 } },
    { words: ['-n', '0'], refused: numberRefused },
    { words: ['-n', '-1'], refused: numberRefused },
  ];
}

/** `-i` or `--limit` narrows a report to an inventory; ANSIBLE_INVENTORY alone does not. */
const reportFlags: VerbRows['flags'] = {
  asOf: [
    { words: [], request: { asOfMs: nowMs } },
    { words: ['--as-of', '2026-03-31'], request: { asOfMs: Date.parse('2026-03-31T23:59:59.999Z') } },
    { words: ['--as-of', '2026-03-31T12:00:00Z'], request: { asOfMs: Date.parse('2026-03-31T12:00:00Z') } },
    { words: ['--as-of', '7d'], request: { asOfMs: nowMs - 7 * day } },
    { words: ['--as-of', 'noon'], refused: /--as-of noon[\s\S]*ISO 8601/ },
    { words: ['--as-of', '2026-02-30x'], refused: /--as-of 2026-02-30x/ },
  ],
  maxScanAge: duration('--max-scan-age', 'maxScanAgeMs', 7 * day),
};

const reportCombinations: readonly Row[] = [
  { words: [], request: { isNarrowed: false } },
  { words: [], env: { ANSIBLE_INVENTORY: '/a.yaml' }, request: { isNarrowed: false } },
  { words: ['-i', 'a.yaml'], request: { isNarrowed: true } },
  { words: ['--limit', 'web'], request: { isNarrowed: true } },
  unknown('--extra-vars', 'a=1'),
];

function report(field: string, more: VerbRows = {}): VerbRows {
  return {
    ...more,
    flags: { ...reportFlags, json: json(field), ...more.flags },
    combinations: [...reportCombinations, ...(more.combinations ?? [])],
  };
}

/** A flag that other verbs take and that would have no effect here. */
function unknown(...words: readonly string[]): Row {
  return { words, refused: new RegExp(`unknown option '${words[0]}'`) };
}

const hash = 'a'.repeat(64);
const nothing: VerbRows = {};

export const verbRows: Readonly<Record<string, VerbRows>> = {
  init: {
    argumentRows: [
      { words: [], arguments: [], request: { directory: cwd } },
      { words: [], arguments: ['fleet'], request: { directory: `${cwd}/fleet` } },
      { words: [], arguments: ['/srv/other'], request: { directory: '/srv/other' } },
      { words: [], arguments: ['one', 'two'], refused: /too many arguments/ },
    ],
  },
  'inventory list': { argumentRows: pattern, flags: { json: json('host') } },
  'inventory show': {
    arguments: ['web01'],
    argumentRows: neededHost,
    flags: { json: json('origin'), origin: switched('--origin', 'origin') },
    combinations: [unknown('--limit', 'web')],
  },
  'inventory graph': { combinations: [unknown('--limit', 'web'), unknown('--extra-vars', 'a=1')] },
  'inventory lint': { combinations: [unknown('--limit', 'web'), unknown('--allow-missing')] },
  ping: {
    argumentRows: pattern,
    flags: {
      json: [...json('state'), { words: ['--watch', '--json=host'], request: { json: 'host' } }],
      jsonl: [
        { words: [], request: { jsonl: false } },
        { words: ['--watch', '--jsonl'], request: { jsonl: true } },
        { words: ['--jsonl'], refused: /--jsonl is for --watch only/ },
        { words: ['--watch', '--jsonl', '--json'], refused: /exclude each other/ },
      ],
      watch: switched('--watch', 'watch'),
      for: [
        { words: ['--watch'], request: { forMs: undefined } },
        { words: [], request: { forMs: undefined } },
        { words: ['--watch', '--for', '30m'], request: { forMs: 30 * 60_000 } },
        { words: ['--for', '30m'], refused: /--for is for --watch only/ },
        { words: ['--watch', '--for', 'ever'], refused: durationRefused },
      ],
      interval: [
        { words: [], request: { intervalMs: 5_000 } },
        { words: ['--watch', '--interval', '1m'], request: { intervalMs: 60_000 } },
        { words: ['--interval', '1m'], refused: /--interval is for --watch only/ },
        { words: ['--watch', '--interval', '0s'], refused: /--interval must be longer/ },
        { words: ['--watch', '--interval', 'often'], refused: durationRefused },
      ],
    },
    // A field of the other document.
    combinations: [
      { words: ['--watch', '--json=latencyMs'], refused: /--json has no field "latencyMs"/ },
      unknown('--progress', 'plain'),
    ],
  },
  scan: {
    argumentRows: pattern,
    flags: { json: json('security'), maxAge: duration('--max-age', 'maxAgeMs', 36 * 3_600_000) },
  },
  plan: { arguments: ['p.yaml'], argumentRows: playbook, flags: { json: json('sha256') } },
  apply: {
    arguments: ['plan.json'],
    argumentRows: [
      { words: [], arguments: [], refused: /missing required argument 'plan'/ },
      { words: [], arguments: ['plan.json'], request: { plan: `${cwd}/plan.json` } },
    ],
    flags: {
      json: json('updates'),
      planHash: [
        { words: [], request: { planHash: undefined } },
        { words: ['--plan-hash', hash], request: { planHash: hash } },
        { words: ['--plan-hash', `${hash.toUpperCase()}  plan.json`], request: { planHash: hash } },
        { words: ['--plan-hash', hash.slice(1)], refused: /is not a SHA-256 hash/ },
      ],
    },
    combinations: [unknown('--yes')],
  },
  patch: { arguments: ['p.yaml'], argumentRows: playbook, flags: { json: json('updates') } },
  verify: {
    argumentRows: [
      { words: [], arguments: [], request: { pattern: undefined } },
      { words: [], arguments: ['web'], request: { pattern: 'web' } },
    ],
    flags: { json: json('findings') },
  },
  reboot: { argumentRows: pattern, flags: { json: json('reboots') } },
  shutdown: {
    arguments: ['web'],
    argumentRows: neededPattern,
    flags: { json: json('hosts'), cancel: switched('--cancel', 'cancel') },
    combinations: [
      { words: ['--cancel', '--if-idle'], refused: /--if-idle applies to a shutdown, not to --cancel/ },
      // The document of what was cancelled has fields of its own.
      { words: ['--cancel', '--json=isDone'], request: { json: 'isDone' } },
      { words: ['--json=isDone'], refused: /--json has no field "isDone"/ },
    ],
  },
  wake: {
    arguments: ['web'],
    argumentRows: neededPattern,
    flags: {
      json: json('host'),
      port: [
        { words: [], request: { port: 9 } },
        { words: ['--port', '7'], request: { port: 7 } },
        { words: ['--port', '65535'], request: { port: 65_535 } },
        { words: ['--port', '65536'], refused: /--port 65536 is not a UDP port/ },
        { words: ['--port', '0'], refused: numberRefused },
      ],
    },
  },
  exec: {
    arguments: ['--', 'true'],
    argumentRows: [
      { words: [], arguments: ['--', 'uname', '-r'], request: { pattern: 'all', command: 'uname -r' } },
      { words: [], arguments: ['web', '--', 'uname'], request: { pattern: 'web', command: 'uname' } },
      { words: [], arguments: ['uname'], request: { pattern: 'all', command: 'uname' } },
      { words: [], arguments: ['--', 'a', '--', 'b'], request: { command: 'a -- b' } },
      { words: [], arguments: ['web', '--'], refused: /there is no command to run/ },
      { words: [], arguments: ['--', ' '], refused: /there is no command to run/ },
      { words: [], arguments: ['web', 'db', '--', 'true'], refused: /more than one word[\s\S]*before --/ },
      { words: [], arguments: [], refused: /missing required argument/ },
    ],
    flags: { json: json('stdout'), timeout: duration('--timeout', 'timeoutMs', 3_600_000) },
  },
  'run list': { flags: { json: json('kind'), last: count('last', 20) } },
  'run show': { argumentRows: run, flags: { json: json('notes') } },
  'run logs': { arguments: ['web01'], argumentRows: neededHost },
  'run resume': {
    argumentRows: run,
    flags: { json: json('updates') },
    // The run keeps the ticket and the reason that it began with.
    combinations: [unknown('--yes'), unknown('--ticket', 'CHG1'), unknown('--reason', 'x')],
  },
  'run stop': { argumentRows: run },
  'run abandon': {
    arguments: ['web01'],
    argumentRows: neededHost,
    flags: {
      reason: [
        ...text('--reason', 'reason', 'no reason given'),
        { words: ['--reason', 'token=hunter2'], request: { reason: 'token=***' } },
      ],
    },
  },
  'report status': report('state'),
  'report updates': report('firstSeenAt'),
  'report hosts': report('machineId', {
    argumentRows: hostOrAll,
    // With a host the document is the list of its packages.
    combinations: [
      { words: ['--json=version'], arguments: ['web01'], request: { json: 'version' } },
      { words: ['--json=machineId'], arguments: ['web01'], refused: /--json has no field "machineId"/ },
    ],
  }),
  'report reboots': report('bootIdAfter'),
  'report history': report('host', {
    argumentRows: hostOrAll,
    flags: {
      since: [
        { words: [], request: { sinceMs: 0 } },
        { words: ['--since', '2026-03-01'], request: { sinceMs: Date.parse('2026-03-01T00:00:00Z') } },
        { words: ['--since', '30d'], request: { sinceMs: nowMs - 30 * day } },
        { words: ['--since', 'yesterday'], refused: /--since yesterday[\s\S]*ISO 8601/ },
      ],
      failed: switched('--failed', 'failed'),
      update: text('--update', 'update'),
      last: count('last', 200),
    },
  }),
  'ledger verify': {
    flags: {
      json: json('problems'),
      head: [
        { words: [], request: { head: undefined } },
        { words: ['--head', `41:${hash}`], request: { head: { seq: 41, hash } } },
        { words: ['--head', hash], refused: /is not a chain head[\s\S]*SEQ:HASH/ },
      ],
      signedHead: [
        { words: [], request: { signedHead: undefined } },
        {
          words: ['--signed-head', 'head.txt', '--allowed-signers', '/etc/signers'],
          request: { signedHead: { file: `${cwd}/head.txt`, allowedSigners: '/etc/signers' } },
        },
        { words: ['--signed-head', 'head.txt'], refused: /--signed-head needs --allowed-signers/ },
      ],
      allowedSigners: [
        { words: [], request: { signedHead: undefined } },
        {
          words: ['--allowed-signers', 'signers', '--signed-head', '/head.txt'],
          request: { signedHead: { file: '/head.txt', allowedSigners: `${cwd}/signers` } },
        },
        { words: ['--allowed-signers', 'signers'], refused: /--allowed-signers needs --signed-head/ },
      ],
    },
  },
  'ledger backup': {
    arguments: ['copy.db'],
    argumentRows: [
      { words: [], arguments: [], refused: /missing required argument 'file'/ },
      { words: [], arguments: ['copy.db'], request: { file: `${cwd}/copy.db` } },
    ],
  },
  'ledger rebuild': nothing,
  'ledger sign': {
    arguments: ['head.txt', '--key', 'key'],
    argumentRows: [{ words: [], arguments: ['/srv/head.txt', '--key', 'key'], request: { file: '/srv/head.txt' } }],
    flags: {
      key: [
        { words: [], arguments: ['head.txt'], refused: /no key to sign with[\s\S]*--key/ },
        { words: ['--key', 'id'], arguments: ['head.txt'], request: { key: `${cwd}/id` } },
        { words: [], arguments: ['head.txt'], env: { FETTLE_KEY: '/root/id' }, request: { key: '/root/id' } },
      ],
    },
  },
  'ledger stats': { flags: { json: json('sizeBytes') } },
  'schema print': {
    arguments: ['plan'],
    argumentRows: [
      { words: [], arguments: ['playbook'] },
      { words: [], arguments: ['constructor'], refused: /no schema called "constructor"[\s\S]*playbook, inventory/ },
    ],
  },
  doctor: { flags: { json: json('check') } },
  completion: {
    arguments: ['bash'],
    argumentRows: [
      { words: [], arguments: ['fish'] },
      { words: [], arguments: ['toString'], refused: /no completion for "toString"[\s\S]*bash, zsh, fish/ },
    ],
  },
  version: { flags: { json: json('scripts') } },
};
