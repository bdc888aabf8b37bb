// What `-i` takes besides files in YAML and INI, and `-e`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadInventory } from '../../../src/config/inventory/inventory.ts';
import { keyValues } from '../../../src/config/inventory/key-values.ts';
import { parseYaml } from '../../../src/config/yaml/yaml.ts';
import { filesWith } from '../files.ts';

test('a directory is read in the order of its names, with the variables at its top', async () => {
  await using files = await filesWith({
    'inv/10': '[web]\nh1 x=1\n',
    'inv/20.yml': 'web: {hosts: {h1: {x: 2}}}\n',
    'inv/sub/30': '[web]\nh2\n',
    'inv/old.bak': 'broken [',
    'inv/.hidden': 'broken [',
    'inv/group_vars/web.yml': 'y: top\n',
    'inv/sub/group_vars/web.yml': 'y: sub\n',
  });
  const { inventory, diagnostics } = await loadInventory({ sources: [files.path('inv')], extraVars: [] });
  assert.deepEqual(diagnostics, []);
  assert.deepEqual([...inventory.hosts.keys()], ['h1', 'h2']);
  const variables = inventory.hosts.get('h1')?.variables;
  assert.deepEqual([variables?.get('x')?.value, variables?.get('y')?.value], [2, 'top']);
});

test('a host list has names and ports, and no file of that name', async () => {
  const { inventory, diagnostics } = await loadInventory({ sources: ['h1, h2:2222,[2001:db8::1]:22,'], extraVars: [] });
  assert.deepEqual(diagnostics, []);
  assert.deepEqual([...inventory.hosts.keys()], ['h1', 'h2', '2001:db8::1']);
  assert.equal(inventory.hosts.get('h2')?.variables.get('ansible_port')?.value, 2222);
});

test('a file is INI where it is no mapping in YAML', async () => {
  for (const text of ['web01', 'web[01:02]', 'web01:2222 a=b', 'web01 a="b c" # d', '[web]\nweb01']) {
    await using files = await filesWith({ 'hosts.yml': text });
    const { inventory, diagnostics } = await loadInventory({ sources: [files.path('hosts.yml')], extraVars: [] });
    assert.deepEqual([text, diagnostics], [text, []]);
    assert.ok(inventory.hosts.has('web01'), text);
  }
});

test('half a million sections, and numbers of a million digits, are read', async () => {
  const texts = [
    '[a]\n'.repeat(500_000),
    `all: {vars: {x: 1${':11'.repeat(1_000_000)}, y: ${'1'.repeat(2_000_000)}}}\n`,
  ];
  for (const text of texts) {
    await using files = await filesWith({ hosts: text });
    const { diagnostics } = await loadInventory({ sources: [files.path('hosts')], extraVars: [] });
    assert.deepEqual(diagnostics, []);
  }
});

const given: readonly [text: string, pairs: readonly (readonly string[])[] | undefined][] = [
  [
    'a=1 b="x y"',
    [
      ['a', '1'],
      ['b', 'x y'],
    ],
  ],
  ['x={"a":1}', [['x', '{"a":1}']]],
  [`x='{"a": 1}'`, [['x', '{"a": 1}']]],
  [
    'x={{ a b }} y=',
    [
      ['x', '{{ a b }}'],
      ['y', ''],
    ],
  ],
  ['x=a=b', [['x', 'a=b']]],
  [String.raw`x="a\nb"`, [['x', 'a\nb']]],
  ['x=a"b c"d', [['x', 'a"b c"d']]],
  ['x', undefined],
  ['=x', undefined],
  ['x="a', undefined],
  ['', undefined],
];
for (const [text, pairs] of given) {
  test(`the extra variables <${text}> are ${JSON.stringify(pairs)}`, () => assert.deepEqual(keyValues(text), pairs));
}

test('scalars are those of PyYAML', () => {
  const rows: readonly [text: string, value: unknown][] = [
    ['03:00', '03:00'],
    ['12:30:45', 45_045],
    ['00:50:56:12:34:56', '00:50:56:12:34:56'],
    ['e1', 'e1'],
    ['.', '.'],
    ['1e3', '1e3'],
    ['1.5e+3', 1500],
    ['08', '08'],
    ['-.5', '-.5'],
    ['0b11', 3],
    ['424242424242424242', '424242424242424242'],
    ['2024-01-01 10:00:00', '2024-01-01T10:00:00'],
    ['2024-01-01T10:00:00.5Z', '2024-01-01T10:00:00.500000+00:00'],
    ['2024-13-45', '2024-13-45'],
    ['!!float 5', 5],
    ['!!omap [a: 1]', [['a', 1]]],
    ['"x \u2028 y"', 'x\u2028y'],
  ];
  for (const [text, value] of rows) assert.deepEqual([text, plain(`k: ${text}`)], [text, { k: value }]);
  assert.deepEqual(plain('%YAML 1.2\n---\nk: yes\n'), { k: true });
  assert.deepEqual(plain('k: |\n  a\n  b'), { k: 'a\nb' });
  assert.deepEqual(plain('{"k": 1e3}'), { k: 1000 });
});

function plain(text: string): unknown {
  const { yaml } = parseYaml({ file: 'x', text, dialect: 'ansible' });
  return yaml?.nodes.plain(yaml.root);
}
