import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { loadInventory, type Inventory } from '../../../src/config/inventory/inventory.ts';
import { matchHosts, selectHosts } from '../../../src/config/inventory/selector.ts';
import { filesWith } from '../files.ts';

const text = `
all:
  hosts: {lone: , "2001:db8::10": }
web: {hosts: {"web[01:04]": }}
db: {hosts: {db-a: , db-b: }}
canary: {hosts: {web01: , db-a: }}
prod: {hosts: {edge: }, children: {web: , db: }}
empty: {}
`;

let inventory: Inventory;
before(async () => {
  await using files = await filesWith({ 'hosts.yaml': text });
  ({ inventory } = await loadInventory({ sources: [files.path('hosts.yaml')], extraVars: [] }));
});

const good: readonly [pattern: string, hosts: readonly string[]][] = [
  ['web', ['web01', 'web02', 'web03', 'web04']],
  ['web01', ['web01']],
  ['web01,lone', ['lone', 'web01']],
  ['web01:db-b', ['web01', 'db-b']],
  ['prod:&canary', ['web01', 'db-a']],
  ['!web:prod', ['db-a', 'db-b', 'edge']],
  ['&canary,!db,prod', ['web01']],
  ['!prod', ['lone', '2001:db8::10']],
  ['&canary', ['web01', 'db-a']],
  ['2001:db8::10', ['2001:db8::10']],
  ['!2001:db8::10,all,!prod', ['lone']],
  ['web*', ['web01', 'web02', 'web03', 'web04']],
  ['web0[1-2]*', ['web01', 'web02']],
  ['web[1-2]', ['web02', 'web03']],
  ['web0*[0-1]', ['web01', 'web02']],
  ['*[-1]', ['edge']],
  ['~db\\-a', ['db-a']],
  ['~(?i)DB', ['db-a', 'db-b']],
  ['~web01\\Z', ['web01']],
  ['~(?P<n>web)0{1}[]0-1]$,db-a', ['web01', 'db-a']],
  ['web0?,!web01', ['web02', 'web03', 'web04']],
  ['~(web|db-)0?[1a]', ['web01', 'db-a']],
  ['~d', ['db-a', 'db-b']],
  ['web[0]', ['web01']],
  ['web[-1]', ['web04']],
  ['web[0:1]', ['web01', 'web02']],
  ['web[2:]', ['web03', 'web04']],
  ['web[1:2]:db[0]', ['web02', 'web03', 'db-a']],
  ['prod[0]', ['edge']],
  ['web,!empty', ['web01', 'web02', 'web03', 'web04']],
  [' web01 , db-a ', ['web01', 'db-a']],
];

describe('a pattern', () => {
  for (const [pattern, hosts] of good) {
    test(`${pattern} means ${hosts.join(' ')}`, () => {
      assert.deepEqual([...selectHosts(inventory, { select: pattern })].sort(), [...hosts].sort());
    });
  }

  const bad: readonly [pattern: string, message: RegExp, hint: RegExp][] = [
    ['', /empty/, /all/],
    [' , ', /empty/, /all/],
    ['wbe01', /"wbe01" matches no host/, /did you mean web01\?/],
    ['web,nosuch', /"nosuch" matches no host/, /inventory graph/],
    ['all:!nosuch', /"!nosuch" matches no host/, /inventory graph/],
    ['nosuch*', /matches no host/, /./],
    ['web[9]', /selects no host: there are 4/, /from 0/],
    ['web[01-03]x', /matches no host/, /set of characters/],
    [
      'web0[1-2]',
      /matches no host/,
      /positions, of the hosts that "web0" matches; a set of characters is web0\[1-2\]\*/,
    ],
    ['~(', /not a regular expression/, /quotes/],
    ['web:!', /"!" is empty/, /web:!db/],
    ['empty', /selects no host/, /inventory graph/],
    ['web:&db', /selects no host/, /inventory graph/],
    ['Web', /matches no host/, /did you mean web/],
    ['@/nonexistent/list', /cannot be opened: no such file/, /^$/],
  ];
  for (const [pattern, message, hint] of bad) {
    test(`"${pattern}" is refused with a hint`, () => {
      assert.throws(
        () => selectHosts(inventory, { select: pattern }),
        (error: { code: string; message: string; hint?: string }) => {
          assert.equal(error.code, 'usage');
          assert.match(error.message, message);
          assert.match(error.hint ?? '', hint);
          return true;
        },
      );
    });
  }

  test('is read from a file, one a line', async () => {
    await using files = await filesWith({ list: '# ours\nweb01\n\nweb02:db-a\n!db-a\n', none: '#\n' });
    assert.deepEqual(selectHosts(inventory, { select: `@${files.path('list')}` }), ['web01', 'web02']);
    assert.deepEqual(selectHosts(inventory, { limit: `web03,@${files.path('list')}` }), ['web01', 'web02', 'web03']);
    assert.throws(() => selectHosts(inventory, { limit: `@${files.path('none')}` }), {
      code: 'usage',
      message: /empty/,
    });
  });

  test('with a missing part is taken when that is allowed, but never without any host', () => {
    assert.deepEqual(selectHosts(inventory, { select: 'web01,nosuch', allowMissing: true }), ['web01']);
    assert.throws(() => selectHosts(inventory, { select: 'nosuch', allowMissing: true }), { code: 'usage' });
  });
});

test('the limit only narrows', () => {
  assert.deepEqual(selectHosts(inventory, { select: 'web', limit: 'canary,db' }), ['web01']);
  assert.throws(() => selectHosts(inventory, { select: 'web', limit: 'db' }), { message: /narrowed by "db"/ });
});

test('a wave may match no host without an error as long as its names exist', () => {
  assert.deepEqual([...matchHosts(inventory, 'empty')], []);
  assert.deepEqual([...matchHosts(inventory, 'web:&canary')], ['web01']);
});
