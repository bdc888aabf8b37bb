// `--quiet` over all commands: data that was asked for is printed as without it, all else only where it is not well.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { commands } from '../../src/commands/registry.ts';
import { Rig } from './rig.ts';

/** What these print is what they are there for. */
const data: Readonly<Record<string, readonly string[]>> = {
  'inventory list': ['-i', 'i.yaml'],
  'inventory show': ['here', '-i', 'i.yaml'],
  'inventory graph': ['-i', 'i.yaml'],
  'run list': [],
  'run show': ['RUN'],
  'run logs': ['here', '--run', 'RUN'],
  'report status': [],
  'report updates': [],
  'report hosts': [],
  'report reboots': [],
  'report history': [],
  'ledger stats': [],
  'schema print': ['event'],
  completion: ['bash'],
  version: [],
};

/** What these did needs no word when it went well. In this order. */
const silent: Readonly<Record<string, readonly string[]>> = {
  init: ['made'],
  'inventory lint': ['-i', 'i.yaml'],
  exec: ['here', '-i', 'i.yaml', '--', 'true'],
  wake: ['sleeper', '-i', 'i.yaml'],
  // The machine of the test may have old lists or broken packages; here these count as good.
  scan: ['here', '-i', 'i.yaml', '--ok', 'partial,unverified'],
  plan: ['none.yaml', '-i', 'i.yaml', '-o', 'plan.json', '--ok', 'unreachable'],
  'ledger verify': [],
  'ledger rebuild': [],
  'ledger backup': ['copy.db'],
};

/** Silent by the reporter `quiet` alone, or at work on this very machine: elsewhere. */
const elsewhere = ['apply', 'patch', 'verify', 'reboot', 'shutdown', 'run resume', 'run stop', 'run abandon'];
/** Held against their own `--json` below, and a signature needs a key. */
const judged = ['ping', 'doctor', 'ledger sign'];

const inventory = `all:
  hosts:
    here: { ansible_connection: local }
    sleeper: { ansible_host: 127.0.0.1, ansible_port: 1, patch_mac: '02:00:00:00:00:01', patch_wake_address: 127.0.0.1 }
`;
const playbook = `kind: patch
version: 1
name: none
targets: { select: sleeper }
`;

async function fleet(): Promise<Rig> {
  const rig = await Rig.make();
  await rig.write('i.yaml', inventory);
  await rig.write('none.yaml', playbook);
  return rig;
}

test('every command has its place in the rule of --quiet', () => {
  const known = [...Object.keys(data), ...Object.keys(silent), ...elsewhere, ...judged];
  assert.deepEqual(known.toSorted(), commands.map(({ name }) => name).toSorted());
});

describe('--quiet', () => {
  test('prints nothing where all is well, and the data that was asked for', async () => {
    await using rig = await fleet();
    for (const [name, words] of Object.entries(silent)) {
      const ended = await rig.run([...name.split(' '), '-q', ...words]);
      const warnings = name === 'plan' ? /^(warning: .*\n)*$/ : /^$/;
      assert.equal(ended.code, 0, `${name}: ${ended.stderr}`);
      assert.equal(ended.stdout, '', name);
      assert.match(ended.stderr, warnings, name);
    }
    const runs = JSON.parse((await rig.run(['run', 'list', '--json=run,kind'])).stdout) as { runs: RunRow[] };
    const id = runs.runs.find(({ kind }) => kind === 'exec')?.run ?? '';
    await Promise.all(
      Object.entries(data).map(async ([name, words]) => {
        const argv = [...name.split(' '), ...words.map((word) => (word === 'RUN' ? id : word))];
        const [loud, quiet] = await Promise.all([rig.run(argv), rig.run([...argv, '-q'])]);
        assert.equal(loud.code, 0, `${name}: ${loud.stderr}`);
        assert.deepEqual([quiet.code, quiet.stdout], [0, loud.stdout], name);
      }),
    );
  });

  test('leaves out of a table what is well, and of --json nothing', async () => {
    await using rig = await fleet();
    for (const argv of [
      ['ping', '-i', 'i.yaml'],
      ['doctor', '-i', 'i.yaml'],
    ]) {
      const all = JSON.parse((await rig.run([...argv, '-q', '--json'])).stdout) as Record<string, Row[]>;
      const rows = Object.values(all).find((value) => Array.isArray(value)) ?? [];
      const { stdout } = await rig.run([...argv, '-q']);
      const shown = stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0]]));
      const bad = rows.filter((row) => row.state !== 'ok').map((row) => row.host ?? row.check);
      assert.ok(rows.length > 1);
      assert.deepEqual(shown, bad, argv.join(' '));
    }
  });

  test('keeps what failed on one host beside what went well on another', async () => {
    await using rig = await fleet();
    const exec = await rig.run(['exec', '-q', '-i', 'i.yaml', '--', 'true']);
    assert.equal(exec.code, 5);
    assert.match(exec.stdout, /^--- sleeper /);
    assert.doesNotMatch(exec.stdout, /^--- here/m);
    const said = await rig.run(['exec', '-q', 'here', '-i', 'i.yaml', '--', 'echo data']);
    assert.equal(said.stdout, '--- here (1)\ndata\n');
    const scan = await rig.run(['scan', '-q', 'sleeper', '-i', 'i.yaml']);
    assert.match(scan.stdout, /^sleeper\t/m);
    const accepted = await rig.run(['scan', '-q', 'sleeper', '-i', 'i.yaml', '--ok', 'unreachable']);
    assert.deepEqual(accepted, { code: 0, stdout: '', stderr: '' });
  });

  test('makes a watch silent but for who did not return', async () => {
    await using rig = await fleet();
    const here = ['ping', 'here', '-q', '-i', 'i.yaml', '--watch', '--for', '1s', '--interval', '1s'];
    const away = ['ping', 'sleeper', '-q', '-i', 'i.yaml', '--watch', '--for', '1s', '--interval', '1s'];
    assert.equal((await rig.run(here)).stdout, '');
    const ended = await rig.run(away);
    assert.deepEqual(ended, { code: 5, stdout: '', stderr: 'did not return: sleeper\n' });
  });
});

interface Row {
  readonly host?: string;
  readonly check?: string;
  readonly state: string;
}

interface RunRow {
  readonly run: string;
  readonly kind: string;
}
