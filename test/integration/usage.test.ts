import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { Rig } from './rig.ts';

const inventory =
  'all:\n  hosts:\n    here: { ansible_connection: local }\n    away: { ansible_host: 127.0.0.1, ansible_port: 1 }\n';

interface BadInput {
  readonly what: string;
  readonly argv: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly code?: number;
  readonly says: RegExp;
}

const bad: readonly BadInput[] = [
  { what: 'no inventory at all', argv: ['scan'], says: /no inventory is named[\s\S]* init/ },
  { what: 'an inventory that is not there', argv: ['scan', '-i', 'none.yaml'], says: /none\.yaml/ },
  {
    what: 'broken YAML',
    argv: ['scan', '-i', 'i.yaml'],
    files: { 'i.yaml': 'all:\n  hosts:\n    a: [1\n' },
    says: /i\.yaml:\d+:\d+/,
  },
  {
    what: 'an unknown patch_ variable',
    argv: ['inventory', 'list', '-i', 'i.yaml'],
    files: { 'i.yaml': 'all:\n  hosts:\n    a: { patch_rinng: canary }\n' },
    says: /i\.yaml:3:\d+[\s\S]*patch_ring\b/,
  },
  {
    what: 'a key file that is not there',
    argv: ['ping', '-i', 'i.yaml'],
    files: { 'i.yaml': 'all:\n  hosts:\n    a: { ansible_ssh_private_key_file: /nowhere/key }\n' },
    says: /\/nowhere\/key/,
  },
  {
    what: 'an unknown host',
    argv: ['scan', 'heer', '-i', 'i.yaml'],
    files: { 'i.yaml': inventory },
    says: /heer[\s\S]*here/,
  },
  {
    what: 'a limit that leaves nothing',
    argv: ['scan', '-i', 'i.yaml', '-l', 'all:!all'],
    files: { 'i.yaml': inventory },
    says: /narrowed by "all:!all" selects no host/,
  },
  {
    what: 'a playbook key of later work',
    argv: ['plan', 'p.yaml', '-i', 'i.yaml'],
    files: {
      'i.yaml': inventory,
      'p.yaml': 'kind: patch\nversion: 1\nname: x\ntargets: { select: all }\nwindow: night\n',
    },
    says: /p\.yaml:5:\d+[\s\S]*not available/,
  },
  {
    what: 'an unknown playbook key',
    argv: ['plan', 'p.yaml', '-i', 'i.yaml'],
    files: { 'i.yaml': inventory, 'p.yaml': 'kind: patch\nversion: 1\nname: x\ntargets: { selct: all }\n' },
    says: /p\.yaml:4:\d+[\s\S]*select/,
  },
  {
    what: 'a plan that is not there',
    argv: ['apply', 'none.json', '-i', 'i.yaml'],
    files: { 'i.yaml': inventory },
    says: /none\.json/,
  },
  {
    what: 'a plan that is no plan',
    argv: ['apply', 'p.json', '-i', 'i.yaml'],
    files: { 'i.yaml': inventory, 'p.json': '{"kind":"plan"' },
    says: /it is not JSON, or is truncated/,
  },
  { what: 'an unknown command', argv: ['pach'], says: /unknown command[\s\S]*patch/ },
  { what: 'an unknown option', argv: ['scan', '--fats'], says: /unknown option/ },
  {
    what: 'a question without a terminal',
    argv: ['reboot', '-i', 'i.yaml'],
    files: { 'i.yaml': inventory },
    says: /--yes/,
  },
  { what: 'a ledger that is not there', argv: ['report', 'status'], code: 13, says: /there is no ledger/ },

  {
    what: 'a shutdown without a terminal',
    argv: ['shutdown', 'here', '-i', 'i.yaml'],
    files: { 'i.yaml': inventory },
    says: /--yes/,
  },
];

describe('bad input is one clear message and the right exit code', () => {
  for (const { what, argv, files = {}, code = 2, says } of bad) {
    test(what, async () => {
      await using rig = await Rig.make();
      for (const [name, text] of Object.entries(files)) await rig.write(name, text);
      const ended = await rig.run(argv);
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, says);
      assert.equal(ended.stdout, '');
      assert.doesNotMatch(ended.stderr, /\n {4}at |node:internal/);
      assert.doesNotMatch(ended.stderr, /\x1b/);
    });
  }

  test('a ledger that is a directory', async () => {
    await using rig = await Rig.make();
    await rig.write('i.yaml', inventory);
    await mkdir(rig.path('ledger.db'));
    const ended = await rig.run(['scan', 'here', '-i', 'i.yaml']);
    assert.equal(ended.code, 13);
    assert.match(ended.stderr, /ledger\.db/);
  });

  test('exec takes a pattern of hosts before the command, as other commands do', async () => {
    await using rig = await Rig.make();
    await rig.write('i.yaml', inventory);
    const ended = await rig.run(['exec', 'here', '-i', 'i.yaml', '--raw', '--', 'echo', 'one  word', '--', '-l']);
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /one word -- -l/);
    assert.match((await rig.run(['exec', 'echo', 'x', '-i', 'i.yaml', '-l', 'here'])).stdout, /x/);
  });

  test('a host that refuses the connection is unreachable, and the others go on', async () => {
    await using rig = await Rig.make();
    await rig.write('i.yaml', inventory);
    const ended = await rig.run(['exec', '-i', 'i.yaml', '--json', '--', 'echo hello']);
    assert.equal(ended.code, 5, ended.stderr);
    const { hosts } = JSON.parse(ended.stdout) as {
      hosts: { host: string; stdout: string | null; exitCode: number | null }[];
    };
    assert.equal(hosts.find(({ host }) => host === 'here')?.stdout, 'hello\n');
    assert.equal(hosts.find(({ host }) => host === 'away')?.exitCode, null);
    assert.match(ended.stderr, /127\.0\.0\.1 port 1 refuses the connection/);
  });
});

describe('a file that cannot be opened is named with the reason, without a position in it', () => {
  const cases: readonly [what: string, argv: readonly string[], says: RegExp][] = [
    ['an inventory', ['scan', '-i', 'none.yaml'], /^fettle: \S+\/none\.yaml: cannot be opened: no such file\n/],
    [
      'an inventory below a file',
      ['scan', '-i', 'i.yaml/x'],
      /i\.yaml\/x: cannot be opened: a part of its path is not a/,
    ],
    ['a playbook', ['plan', 'none.yaml', '-i', 'i.yaml'], /^fettle: \S+\/none\.yaml: cannot be opened: no such file\n/],
    ['a directory as playbook', ['plan', '.', '-i', 'i.yaml'], /^fettle: \S+: is a directory, not a file\n/],
    ['extra variables', ['scan', '-i', 'i.yaml', '-e', '@none'], /^fettle: none: cannot be opened: no such file\n/],
    ['a plan', ['apply', 'none.json', '-i', 'i.yaml'], /^fettle: the plan \S+ cannot be opened: no such file\n/],
    [
      'a directory as plan',
      ['apply', '.', '-i', 'i.yaml'],
      /^fettle: the plan \S+ cannot be opened: it is a directory\n/,
    ],
    [
      'a signed head',
      ['ledger', 'verify', '--signed-head', 'none', '--allowed-signers', 'i.yaml'],
      /^fettle: the signed head \S+ cannot be opened: no such file\n/,
    ],
  ];
  for (const [what, argv, says] of cases) {
    test(what, async () => {
      await using rig = await Rig.make();
      await rig.write('i.yaml', inventory);
      const ended = await rig.run(argv);
      assert.equal(ended.code, 2, ended.stderr);
      assert.match(ended.stderr, says);
      assert.doesNotMatch(ended.stderr, /:\d+:\d+:|in the configuration|internal error/);
    });
  }
});

test('history of an unknown host, and of one without any history', async () => {
  await using rig = await Rig.make();
  await rig.write('i.yaml', inventory);
  assert.equal((await rig.run(['exec', '-i', 'i.yaml', '-l', 'here', '--', 'true'])).code, 0);
  const unknown = await rig.run(['report', 'history', 'heer']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /has no host heer[\s\S]* report hosts/);
  const known = await rig.run(['report', 'history', 'here', '--json']);
  assert.equal(known.code, 0, known.stderr);
  assert.deepEqual((JSON.parse(known.stdout) as { history: unknown[] }).history, []);
});

test('what init writes can be used at once, and is never overwritten by itself', async () => {
  await using rig = await Rig.make();
  assert.equal((await rig.run(['init'])).code, 0);
  const listed = await rig.run(['inventory', 'list', '--json=host']);
  assert.equal(listed.code, 0, listed.stderr);
  assert.ok((JSON.parse(listed.stdout) as { hosts: unknown[] }).hosts.length > 0);
  assert.equal((await rig.run(['inventory', 'lint'])).code, 0);
  const again = await rig.run(['init']);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /already exists[\s\S]*--force/);
});

test('control characters of a host reach a pipe only with --raw', async () => {
  await using rig = await Rig.make();
  await rig.write('i.yaml', inventory);
  const argv = ['exec', '-l', 'here', '-i', 'i.yaml'];
  const command = ['--', "printf '\\033]0;evil\\007\\033[2Jx\\n'"];
  const cleaned = await rig.run([...argv, ...command]);
  assert.equal(cleaned.code, 0, cleaned.stderr);
  assert.doesNotMatch(cleaned.stdout + cleaned.stderr, /[\x1b\x07]/);
  const raw = await rig.run([...argv, '--raw', ...command]);
  assert.match(raw.stdout, /\x1b\[2Jx/);
});

test('completion scripts are scripts', async () => {
  await using rig = await Rig.make();
  const { stdout } = await rig.run(['completion', 'bash']);
  const script = await rig.write('complete.bash', stdout);
  assert.deepEqual(await rig.start(['bash', '-n', script]), { code: 0, stdout: '', stderr: '' });
  const asked = `source ${script}; COMP_WORDS=(fettle run re); COMP_CWORD=2; _fettle; echo "\${COMPREPLY[@]}"`;
  assert.equal((await rig.start(['bash', '-c', asked])).stdout.trim(), 'resume');
});

test('the schema of playbooks is JSON Schema', async () => {
  await using rig = await Rig.make();
  const { code, stdout } = await rig.run(['schema', 'print', 'playbook']);
  assert.equal(code, 0);
  assert.ok('properties' in (JSON.parse(stdout) as object));
});
