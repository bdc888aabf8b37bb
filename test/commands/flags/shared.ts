// Flags that mean the same to every verb that takes them.
import type { OptionName } from '../../../src/commands/invocation/options.ts';
import { cwd } from './read-words.ts';
import { numberRefused, switched, text, type Row } from './row.ts';

const fileA = `${cwd}/a.yaml`;

function password(flag: string, ask: string, name: string): readonly Row[] {
  return [
    { words: [], request: { [name]: undefined } },
    { words: [flag, 'pw'], request: { [name]: { file: `${cwd}/pw` } } },
    { words: [flag, '/etc/pw'], request: { [name]: { file: '/etc/pw' } } },
    { words: [flag, 'pw', ask], request: { [name]: { file: `${cwd}/pw` } } },
  ];
}

function asked(short: string, long: string, name: string): readonly Row[] {
  return [
    { words: [], request: { [name]: undefined } },
    { words: [short], hasTerminal: true, request: { [name]: 'prompt' } },
    { words: [long], hasTerminal: true, request: { [name]: 'prompt' } },
    { words: [long], refused: /no terminal[\s\S]*--password-file/ },
  ];
}

/** `--json` is not among them: each verb has fields of its own. */
export const sharedRows: Readonly<Partial<Record<OptionName, readonly Row[]>>> = {
  inventory: [
    { words: [], request: { inventory: undefined } },
    { words: ['-i', 'a.yaml'], request: { inventory: [fileA] } },
    { words: ['-i', 'a.yaml', '--inventory', '/etc/b.yaml'], request: { inventory: [fileA, '/etc/b.yaml'] } },
    { words: [], env: { FETTLE_INVENTORY: 'a.yaml' }, request: { inventory: [fileA] } },
    { words: [], env: { ANSIBLE_INVENTORY: 'a.yaml,/b' }, request: { inventory: [fileA, '/b'] } },
    { words: ['-i', 'a.yaml'], env: { ANSIBLE_INVENTORY: '/b' }, request: { inventory: [fileA] } },
    { words: [], env: { FETTLE_INVENTORY: 'a.yaml', ANSIBLE_INVENTORY: '/b' }, request: { inventory: [fileA] } },
  ],
  limit: [
    { words: [], request: { limit: undefined } },
    { words: ['-l', 'web:!web01'], request: { limit: 'web:!web01' } },
    { words: ['--limit', 'web'], request: { limit: 'web' } },
    { words: [], env: { FETTLE_LIMIT: 'web' }, request: { limit: 'web' } },
  ],
  allowMissing: switched('--allow-missing', 'allowMissing'),
  extraVars: [
    { words: [], request: { extraVars: [] } },
    { words: ['-e', 'a=1', '--extra-vars', '@vars.yaml'], request: { extraVars: ['a=1', '@vars.yaml'] } },
  ],
  user: [
    ...text('-u', 'user').slice(0, 1),
    { words: ['-u', 'admin'], request: { user: 'admin' } },
    { words: ['--user', 'DOM\\admin'], request: { user: 'DOM\\admin' } },
    { words: ['--user=-oProxyCommand=x'], refused: /--user "-oProxyCommand=x"/ },
    { words: ['--user', 'a;b'], refused: /--user "a;b"/ },
  ],
  privateKey: text('--private-key', 'privateKey'),
  connection: [
    { words: [], request: { connection: undefined } },
    { words: ['--connection', 'winrm'], request: { connection: 'winrm' } },
    { words: ['--connection', 'telnet'], refused: /Allowed choices are ssh, winrm, local/ },
  ],
  become: [
    { words: [], request: { become: undefined } },
    { words: ['-b'], request: { become: true } },
    { words: ['--become'], request: { become: true } },
  ],
  askPass: asked('-k', '--ask-pass', 'password'),
  askBecomePass: asked('-K', '--ask-become-pass', 'becomePassword'),
  passwordFile: password('--password-file', '--ask-pass', 'password'),
  becomePasswordFile: password('--become-password-file', '--ask-become-pass', 'becomePassword'),
  hostKey: [
    { words: [], request: { hostKey: undefined } },
    { words: ['--host-key', 'accept-new'], request: { hostKey: 'accept-new' } },
    { words: ['--host-key', 'no'], refused: /Allowed choices are strict, accept-new/ },
  ],
  concurrency: [
    { words: [], request: { concurrency: undefined } },
    { words: ['-f', '5'], request: { concurrency: 5 } },
    { words: ['--concurrency', '200'], request: { concurrency: 200 } },
    { words: ['-f', '0'], refused: numberRefused },
    { words: ['-f', '2.5'], refused: numberRefused },
    { words: ['-f', 'many'], refused: numberRefused },
  ],
  progress: [
    { words: [], request: { progress: 'auto' } },
    { words: ['--progress', 'plain'], request: { progress: 'plain' } },
    { words: ['--progress', 'loud'], refused: /Allowed choices are auto, plain, none/ },
  ],
  input: [
    { words: [], options: { input: true } },
    { words: ['--no-input'], options: { input: false } },
  ],
  ledger: [
    { words: [], request: { ledger: undefined } },
    { words: ['--ledger', 'ledger.db'], request: { ledger: `${cwd}/ledger.db` } },
    { words: ['--ledger', '/var/l.db'], request: { ledger: '/var/l.db' } },
    { words: [], env: { FETTLE_LEDGER: '/var/l.db' }, request: { ledger: '/var/l.db' } },
  ],
  ticket: [
    ...text('--ticket', 'ticket'),
    { words: ['--ticket', 'CHG1 password=hunter2'], request: { ticket: 'CHG1 password=***' } },
  ],
  reason: [...text('--reason', 'reason'), { words: ['--reason', 'token=hunter2'], request: { reason: 'token=***' } }],
  jsonl: [
    ...switched('--jsonl', 'jsonl'),
    { words: ['--jsonl', '--json'], refused: /--json and --jsonl exclude each other/ },
  ],
  yes: [...switched('--yes', 'yes'), { words: ['-y'], request: { yes: true } }],
  detailedExitcode: switched('--detailed-exitcode', 'detailedExitcode'),
  ifIdle: switched('--if-idle', 'ifIdle'),
  force: switched('--force', 'force'),
  out: [...text('--out', 'out'), { words: ['-o', 'plan.json'], request: { out: 'plan.json' } }],
  refresh: [
    { words: [], request: { refresh: true } },
    { words: ['--no-refresh'], request: { refresh: false } },
  ],
  raw: switched('--raw', 'raw'),
  run: text('--run', 'run'),
};

/** What the process itself obeys, whatever the verb. */
export const commonRows: Readonly<Partial<Record<OptionName, readonly Row[]>>> = {
  color: [
    { words: [], options: { color: undefined } },
    { words: ['--color'], options: { color: true } },
    { words: ['--no-color'], options: { color: false } },
  ],
  debug: [
    { words: [], options: { debug: undefined } },
    { words: ['--debug'], options: { debug: true } },
  ],
  quiet: [
    { words: [], options: { quiet: undefined } },
    { words: ['-q'], options: { quiet: true } },
    { words: ['--quiet'], options: { quiet: true } },
  ],
  verbose: [
    { words: [], options: { verbose: undefined } },
    { words: ['-vv'], options: { verbose: 2 } },
    { words: ['-v', '--verbose', '-v'], options: { verbose: 3 } },
  ],
  ok: [
    { words: [], options: { ok: undefined } },
    { words: ['--ok', 'changes, locked'], options: { ok: 'changes, locked' } },
    { words: [], env: { FETTLE_OK: 'changes' }, options: { ok: 'changes' } },
  ],
};

/** The same flags as a verb with data on stdout has them in its request. */
export const outputRows: readonly Row[] = [
  { words: [], request: { quiet: false, verbose: 0, accepted: new Set() } },
  { words: ['-q', '-vv'], request: { quiet: true, verbose: 2 } },
  { words: ['--ok', 'changes, locked'], request: { accepted: new Set(['changes', 'locked']) } },
  { words: ['--ok', 'chages'], refused: /--ok does not know the exit name "chages"[\s\S]*changes/ },
];
