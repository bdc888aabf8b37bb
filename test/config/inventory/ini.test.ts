import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatDiagnostic, type Diagnostic } from '../../../src/config/yaml/diagnostic.ts';
import { loadInventory, type Inventory } from '../../../src/config/inventory/inventory.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { filesWith } from '../files.ts';

async function load(
  text: string | Uint8Array,
): Promise<{ inventory: Inventory; diagnostics: readonly Diagnostic[]; said: string }> {
  await using files = await filesWith({ hosts: text });
  const { inventory, diagnostics } = await loadInventory({ sources: [files.path('hosts')], extraVars: [] });
  return { inventory, diagnostics, said: diagnostics.map(formatDiagnostic).join('\n') };
}

const example = `
lone

; all of the web
[web]
web[01:02].x:2222 note="two # words" n=5 # a comment
[db]
db1 ansible_password=planted

[prod:children]
web
db # last
[prod:vars]
tier = 'gold'
raw = a "b"
list=[1, 'x']
`;

describe('an INI inventory', () => {
  test('has hosts, ports, variables and groups', async () => {
    const { inventory, said } = await load(example);
    assert.equal(said, '');
    assert.deepEqual([...inventory.hosts.keys()], ['lone', 'web01.x', 'web02.x', 'db1']);
    assert.deepEqual(inventory.groups.get('ungrouped')?.hosts, ['lone']);
    assert.deepEqual(inventory.hosts.get('web02.x')?.groups, ['all', 'prod', 'web']);
    const values = [...(inventory.hosts.get('web01.x')?.variables ?? [])].map(([name, { value }]) => [name, value]);
    assert.deepEqual(Object.fromEntries(values), {
      tier: 'gold',
      raw: 'a "b"',
      list: [1, 'x'],
      ansible_port: 2222,
      note: 'two # words',
      n: 5,
    });
    assert.ok(inventory.hosts.get('db1')?.variables.get('ansible_password')?.value instanceof Secret);
  });

  test('knows the place of each value', async () => {
    const { inventory } = await load(example);
    const variables = inventory.hosts.get('web01.x')?.variables;
    const { line, column, layer, excerpt } = variables?.get('n')?.origin ?? assert.fail();
    assert.deepEqual([line, column, layer], [6, 38, 'host web[01:02].x:2222']);
    assert.match(excerpt, /^web\[01:02\]/);
    assert.deepEqual([variables?.get('raw')?.origin.line, variables?.get('raw')?.origin.layer], [15, 'group prod']);
    assert.doesNotMatch(JSON.stringify([...(inventory.hosts.get('db1')?.variables ?? [])]), /planted/);
  });

  test('may hold other bytes than UTF-8 in comments', async () => {
    const { inventory, said } = await load(Buffer.from('# caf\xe9\nh1\n', 'latin1'));
    assert.equal(said, '');
    assert.ok(inventory.hosts.has('h1'));
    assert.match((await load(Buffer.from('caf\xe9\n', 'latin1'))).said, /is not UTF-8 text/);
  });

  const wrong: readonly [text: string, expected: RegExp][] = [
    ['h1\n[web db]\nh2\n', /hosts:2:1: \[web db\] is no section/],
    ['[web:host]\nh\n', /hosts:1:1: the section \[web:host\] is of no known kind[^]*hosts, vars, children/],
    ['[web]\n  h x\n', /hosts:2:3: "x" is no variable/],
    ['[web]\nh x="a\n', /hosts:2:1: unclosed quote/],
    ['[web]\nh[1:2\n', /hosts:2:1: a \[ has no matching \]/],
    ['[web:vars]\nx\n', /hosts:2:1: a line of variables is name=value/],
    ['[web:vars]\nx=1\n', /hosts:1:1: the section \[web:vars\] names the group web, which is not defined[^]*\[web\]/],
    ['[a:children]\nb\n', /hosts:2:1: the section \[a:children\] names the group b, which is not defined/],
    ['[a:children]\na\n', /hosts:2:1: group a cannot be a child of a/],
    ['[a:children]\nb\n[b:children]\na\n', /hosts:\d:1: the children of group \w form a loop/],
    ['[a]\nh patch_rign=x\n', /hosts:2:3: unknown variable patch_rign[^]*patch_ring/],
    ['[a]\nh\n[a:vars]\nansible_group_priority=x\n', /hosts:4:1: ansible_group_priority must be a whole number/],
    ['[a]\nh:\n', /hosts:2:1: "h:" ends with a colon/],
    ['[a]\n---\n', /hosts:2:1: --- begins a YAML file/],
  ];
  for (const [text, expected] of wrong) {
    test(`${JSON.stringify(text)} is wrong, with its place`, async () => {
      const { said, diagnostics } = await load(text);
      assert.match(said, expected);
      assert.ok(diagnostics.some(({ severity }) => severity === 'error'));
    });
  }

  test('shows no secret where its line is wrong', async () => {
    const { said } = await load('[web]\nh ansible_password=planted x\n');
    assert.match(said, /hosts:2:1: "x" is no variable/);
    assert.doesNotMatch(said, /planted/);
  });

  test('that means more hosts than any fleet has is refused', async () => {
    const ranges = Array.from({ length: 9 }, (_, at) => `g${at}-[00001:99999]`).join('\n');
    assert.match((await load(`[a]\n${ranges}\n`)).said, /there are more than 200000 hosts/);
  });

  test('with hundred thousand wrong lines is refused for the first twenty', async () => {
    const { diagnostics } = await load(`[a]\n${'h x\n'.repeat(100_000)}`);
    assert.equal(diagnostics.length, 20);
  });

  test('of one line of megabytes ends', async () => {
    for (const text of ['h '.repeat(1_000_000), `h a=${'['.repeat(1_000_000)}`, `h a="${'('.repeat(1_000_000)}"`]) {
      await load(`[a]\n${text}\n`);
    }
  });
});
