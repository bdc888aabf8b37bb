import assert from 'node:assert/strict';
import { chmod, symlink } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { formatDiagnostic, type Diagnostic } from '../../../src/config/yaml/diagnostic.ts';
import { loadInventory, type Inventory } from '../../../src/config/inventory/inventory.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { filesWith } from '../files.ts';

interface Load {
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  readonly sources?: readonly string[];
  readonly extraVars?: readonly string[];
}

async function load({ files: contents, sources = ['hosts.yaml'], extraVars = [] }: Load): Promise<{
  inventory: Inventory;
  diagnostics: readonly Diagnostic[];
}> {
  await using files = await filesWith(contents);
  const paths = sources.map((name) => files.path(name));
  return await loadInventory({
    sources: paths,
    extraVars: extraVars.map((text) => text.replace('DIR', files.directory)),
  });
}

async function value(input: Load, host: string, name: string): Promise<unknown> {
  const { inventory, diagnostics } = await load(input);
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  );
  return inventory.hosts.get(host)?.variables.get(name)?.value;
}

const deep = `
all:
  vars: {x: all}
  children:
    parent:
      vars: {x: parent, ansible_group_priority: 99}
      children:
        child:
          vars: {x: child}
          hosts: {h: }
`;
const siblings = (a: string, b: string): string => `
a: {vars: {x: a${a}}, hosts: {h: }}
b: {vars: {x: b${b}}, hosts: {h: }}
`;

const precedence: readonly [title: string, input: Load, expected: unknown][] = [
  ['inline all is the lowest', { files: { 'hosts.yaml': 'all: {vars: {x: 1}, hosts: {h: }}' } }, 1],
  ['the depth beats the priority', { files: { 'hosts.yaml': deep } }, 'child'],
  ['of two groups the later name wins', { files: { 'hosts.yaml': siblings('', '') } }, 'b'],
  ['the priority beats the name', { files: { 'hosts.yaml': siblings(', ansible_group_priority: 2', '') } }, 'a'],
  [
    'group_vars/all beats inline variables of every group',
    { files: { 'hosts.yaml': deep, 'group_vars/all.yml': 'x: file-all' } },
    'file-all',
  ],
  [
    'group_vars of a group beats group_vars/all',
    { files: { 'hosts.yaml': deep, 'group_vars/all.yml': 'x: file-all', 'group_vars/parent.yml': 'x: file-parent' } },
    'file-parent',
  ],
  [
    'group_vars follow the depth as well',
    { files: { 'hosts.yaml': deep, 'group_vars/child': 'x: file-child', 'group_vars/parent.yml': 'x: file-parent' } },
    'file-child',
  ],
  [
    'inline variables of the host beat group_vars',
    { files: { 'hosts.yaml': 'web: {hosts: {h: {x: inline}}}', 'group_vars/web.yml': 'x: file' } },
    'inline',
  ],
  [
    'host_vars beat inline variables of the host',
    { files: { 'hosts.yaml': 'web: {hosts: {h: {x: inline}}}', 'host_vars/h.yaml': 'x: file' } },
    'file',
  ],
  [
    'extra variables beat everything, and their values are text',
    { files: { 'hosts.yaml': 'all: {hosts: {h: }}', 'host_vars/h.yaml': 'x: file' }, extraVars: ['x=1 y="a b"'] },
    '1',
  ],
  [
    'extra variables come from a file too',
    { files: { 'hosts.yaml': 'all: {hosts: {h: }}', 'extra.json': '{"x": [1]}' }, extraVars: ['@DIR/extra.json'] },
    [1],
  ],
  [
    'extra variables come as JSON too',
    { files: { 'hosts.yaml': 'all: {hosts: {h: }}' }, extraVars: ['x=2', '{"x": 3}'] },
    3,
  ],
  [
    'a later inventory wins',
    {
      files: { 'a.yaml': 'web: {vars: {x: a}, hosts: {h: }}', 'b.yaml': 'web: {vars: {x: b}}' },
      sources: ['a.yaml', 'b.yaml'],
    },
    'b',
  ],
  [
    'group_vars beside a later inventory win over those beside an earlier one',
    {
      files: {
        'one/hosts.yaml': 'web: {hosts: {h: }}',
        'one/group_vars/web.yml': 'x: one',
        'two/hosts.yaml': 'db: {hosts: {h: }}',
        'two/group_vars/db.yml': 'x: two',
      },
      sources: ['one/hosts.yaml', 'two/hosts.yaml'],
    },
    'two',
  ],
  [
    'mappings are replaced whole',
    { files: { 'hosts.yaml': 'all: {vars: {x: {a: 1, b: 2}}, hosts: {h: {x: {a: 3}}}}' } },
    { a: 3 },
  ],
  [
    'a file without extension wins and stops the search',
    { files: { 'hosts.yaml': 'web: {hosts: {h: }}', 'group_vars/web': 'x: bare', 'group_vars/web.yml': 'x: yml' } },
    'bare',
  ],
  [
    'a directory is read whole, sorted, without hidden files',
    {
      files: {
        'hosts.yaml': 'web: {hosts: {h: }}',
        'group_vars/web/a.yml': 'x: a',
        'group_vars/web/sub/b.yml': 'x: b',
        'group_vars/web/.c.yml': 'x: c',
        'group_vars/web/d.yml~': 'x: d',
      },
    },
    'b',
  ],
  ['a port in the key is ansible_port', { files: { 'hosts.yaml': 'all: {hosts: {"h:22": {x: 1}}}' } }, 1],
  ['merge keys are followed', { files: { 'hosts.yaml': 'a: &a {vars: {x: 7}}\nb: {<<: *a, hosts: {h: }}' } }, 7],
];

describe('variables', () => {
  for (const [title, input, expected] of precedence) {
    test(title, async () => assert.deepEqual(await value(input, 'h', 'x'), expected));
  }

  const yaml11: readonly [text: string, expected: unknown][] = [
    ['yes', true],
    ['off', false],
    ['y', 'y'],
    ['0644', 420],
    ['1_000', 1000],
    ['2026-11-30', '2026-11-30'],
    ['"yes"', 'yes'],
    ['!unsafe "{{ x }}"', '{{ x }}'],
  ];
  for (const [text, expected] of yaml11) {
    test(`${text} is read as Ansible reads it`, async () => {
      const files = { 'hosts.yaml': `all:\n  hosts:\n    h:\n      x: ${text}\n` };
      assert.deepEqual(await value({ files }, 'h', 'x'), expected);
    });
  }

  test('each value knows its file, line and layer', async () => {
    const files = { 'hosts.yaml': 'web:\n  hosts:\n    h:\n', 'group_vars/web.yml': '# first\nx: 1\n' };
    const { inventory } = await load({ files });
    const origin = inventory.hosts.get('h')?.variables.get('x')?.origin;
    assert.match(origin?.file ?? '', /group_vars\/web\.yml$/);
    assert.deepEqual([origin?.line, origin?.column, origin?.layer], [2, 1, 'group_vars/web.yml']);
  });

  test('passwords are secrets at every depth', async () => {
    const text = 'all: {hosts: {h: {ansible_password: planted, db: {admin_password: planted, port: 5}}}}';
    const { inventory } = await load({ files: { 'hosts.yaml': text } });
    const variables = inventory.hosts.get('h')?.variables;
    assert.ok(variables?.get('ansible_password')?.value instanceof Secret);
    const shown = JSON.stringify(
      [...(variables ?? [])].map(([name, { value: found, origin }]) => [name, found, origin]),
    );
    assert.doesNotMatch(shown, /planted/);
    assert.match(shown, /"port":5/);
  });
});

describe('groups', () => {
  const text = `
all:
  hosts: {lone: , web01: }
web: {hosts: {"web[01:02]": }}
prod: {children: {web: }}
`;
  test('all and ungrouped always exist, and groups without a parent are children of all', async () => {
    const { inventory } = await load({ files: { 'hosts.yaml': text } });
    assert.deepEqual(inventory.groups.get('ungrouped')?.hosts, ['lone']);
    assert.deepEqual(inventory.groups.get('all')?.children, ['ungrouped', 'prod']);
    assert.deepEqual(inventory.groups.get('web')?.parents, ['prod']);
    assert.deepEqual(inventory.hosts.get('web01')?.groups, ['all', 'prod', 'web']);
    assert.deepEqual([...inventory.hosts.keys()], ['lone', 'web01', 'web02']);
  });

  test('ten thousand hosts of a range share their variables', async () => {
    const range = 'web: {vars: {x: 1}, hosts: {"web[00001:10000]": {y: 2}, "db[1:5000]": }}';
    const { inventory } = await load({ files: { 'hosts.yaml': range } });
    assert.equal(inventory.hosts.size, 15_000);
    assert.equal(inventory.hosts.get('db1')?.variables, inventory.hosts.get('db5000')?.variables);
  });
});

const host = (variables: string): string => `all:\n  hosts:\n    h: {${variables}}\n`;
const wrong: readonly [title: string, files: Load['files'], expected: RegExp, severity?: 'warning'][] = [
  ['a missing file', {}, /^[^:]+hosts\.yaml: cannot be opened: no such file\n {2}hint: check its path/],
  ['an empty directory', { 'hosts.yaml/a.md': '' }, /^[^:]+hosts\.yaml: warning: holds no inventory/, 'warning'],
  ['a broken file of a directory', { 'hosts.yaml/a.yml': 'all: [' }, /^[^:]+hosts\.yaml\/a\.yml:1:\d+: broken YAML/],
  [
    'a TOML inventory of a directory',
    { 'hosts.yaml/a.toml': '' },
    /a\.toml: TOML inventories are not supported[^]*ansible-inventory -i \S+a\.toml --list --yaml --output \S+a-static\.yaml/,
  ],
  ['a playbook of Ansible', { 'hosts.yaml': '- hosts: all\n  tasks: []\n' }, /:1:1: this is a playbook of Ansible/],
  ['an empty list', { 'hosts.yaml': '[]\n' }, /:1:1: an inventory is a mapping of groups/],
  [
    'the output of ansible-inventory --list',
    { 'hosts.yaml': '{"_meta": {"hostvars": {}}}' },
    /:1:2: this is the output/,
  ],
  ['an inventory plugin', { 'hosts.yaml': 'plugin: aws_ec2\n' }, /:1:1: inventory plugins are not supported/],
  ['a playbook', { 'hosts.yaml': 'kind: patch\n' }, /this is not an inventory/],
  ['an empty file', { 'hosts.yaml': '' }, /the inventory is empty/, 'warning'],
  ['a list', { 'hosts.yaml': '- web\n' }, /:1:1: an inventory is a mapping of groups/],
  ['broken YAML', { 'hosts.yaml': 'all: {hosts: [\n' }, /:\d+:\d+: broken YAML/],
  ['tabs', { 'hosts.yaml': 'all:\n\thosts:\n' }, /:2:1: tabs cannot indent YAML/],
  ['two documents', { 'hosts.yaml': 'a: \n---\nb: \n' }, /several YAML documents/],
  [
    'bytes that are not UTF-8',
    { 'hosts.yaml': new Uint8Array([0x61, 0xff, 0xfe]) },
    /^[^:]+hosts\.yaml: is not UTF-8 text/,
  ],
  [
    'a vault file',
    { 'hosts.yaml': '$ANSIBLE_VAULT;1.1;AES256\n61\n' },
    /^[^:]+hosts\.yaml: is encrypted with ansible-vault/,
  ],
  ['a duplicate key', { 'hosts.yaml': 'a: \nb: \na: \n' }, /:3:1: warning: the key a appears twice/, 'warning'],
  [
    'an unknown section',
    { 'hosts.yaml': 'a: {host: {h: }}\n' },
    /:1:5: warning: group a: host is ignored[^]*did you mean hosts/,
    'warning',
  ],
  ['hosts as a list', { 'hosts.yaml': 'a: {hosts: [h]}\n' }, /:1:12: group a: hosts must be a mapping, not a list/],
  ['a group that is text', { 'hosts.yaml': 'a: h\n' }, /:1:4: warning: a is ignored: a group is a mapping/, 'warning'],
  ['a host that is text', { 'hosts.yaml': 'a: {hosts: {h: x}}\n' }, /:1:16: host h must be a mapping/],
  ['a number as host', { 'hosts.yaml': 'a: {hosts: {12: }}\n' }, /:1:13: 12 is no host name[^]*in quotes/],
  ['a broken range', { 'hosts.yaml': 'a: {hosts: {"w[c:a]": }}\n' }, /:1:13: the range \[c:a\] starts after/],
  ['an empty range', { 'hosts.yaml': 'a: {hosts: {"w[3:1]": }}\n' }, /:1:13: warning: .* means no host/, 'warning'],
  [
    'a loop',
    { 'hosts.yaml': 'a: {children: {b: }}\nb: {children: {a: }}\n' },
    /:2:16: the children of group a form a loop: a > b > a/,
  ],
  ['a group inside itself', { 'hosts.yaml': 'a: {children: {a: }}\n' }, /:1:16: group a cannot be a child of a/],
  [
    'an alias into itself',
    { 'hosts.yaml': 'a: &a {children: {b: *a}}\n' },
    /group b contains itself through a YAML alias/,
  ],
  ['a value that holds itself', { 'hosts.yaml': host('x: &x [*x]') }, /the value cannot be read: it contains itself/],
  ['control characters', { 'hosts.yaml': '"\\e[31m": {hosts: {h: x}}\n' }, /the group name " \[31m"/, 'warning'],
  ['all as a child', { 'hosts.yaml': 'a: {children: {all: }}\n' }, /group all cannot be a child/],
  ['a strange group name', { 'hosts.yaml': 'my-web: {hosts: {h: }}\n' }, /the group name "my-web"/, 'warning'],
  [
    'one name for host and group',
    { 'hosts.yaml': 'a: {hosts: {a: }}\n' },
    /a is the name of a host and of a group/,
    'warning',
  ],
  [
    'a bad priority',
    { 'hosts.yaml': 'a: {vars: {ansible_group_priority: x}}\n' },
    /:1:12: ansible_group_priority must be/,
  ],
  ['variables as a list', { 'hosts.yaml': 'a: {vars: [1]}\n' }, /:1:11: group a: variables must be a mapping/],
  [
    'an unknown patch_ name',
    { 'hosts.yaml': host('patch_rign: a') },
    /:3:9: unknown variable patch_rign[^]*did you mean patch_ring/,
  ],
  [
    'a patch_ name of others',
    { 'hosts.yaml': host('patch_panel_of_the_rack: a') },
    /none of fettle's variables/,
    'warning',
  ],
  [
    'a proxy that is not used',
    { 'hosts.yaml': host('ansible_paramiko_proxy_command: a') },
    /warning: ansible_paramiko_proxy_command has no effect here[^]*ansible_ssh_common_args/,
    'warning',
  ],
  [
    'a patch_ name of later',
    { 'hosts.yaml': host('patch_window: a') },
    /:3:9: patch_window is not available in this version/,
  ],
  [
    'an unknown ansible_ name',
    { 'hosts.yaml': host('ansible_prot: 1') },
    /warning: ansible_prot is unknown[^]*did you mean ansible_port/,
    'warning',
  ],
  [
    'an unquoted password',
    { 'hosts.yaml': host('ansible_password: 0644') },
    /ansible_password is parsed as a number/,
    'warning',
  ],
  [
    'broken group_vars',
    { 'hosts.yaml': 'a: {hosts: {h: }}', 'group_vars/a.yml': 'x: [' },
    /group_vars\/a\.yml:\d+:\d+: broken YAML/,
  ],
  [
    'group_vars as a list',
    { 'hosts.yaml': 'a: {hosts: {h: }}', 'group_vars/a.yml': '- x' },
    /a\.yml:1:1: group_vars\/a\.yml: variables must be/,
  ],
  [
    'a priority in group_vars',
    { 'hosts.yaml': 'a: {hosts: {h: }}', 'group_vars/a.yml': 'ansible_group_priority: 2' },
    /only inside the inventory/,
    'warning',
  ],
  [
    'a second group_vars file',
    { 'hosts.yaml': 'a: {hosts: {h: }}', 'group_vars/a.yml': '', 'group_vars/a.json': '' },
    /a\.json: warning: is ignored: group_vars\/a\.yml/,
    'warning',
  ],
  [
    'a stray file in group_vars',
    { 'hosts.yaml': 'a: {hosts: {h: }}', 'group_vars/a/x.txt': '' },
    /x\.txt: warning: is ignored/,
    'warning',
  ],
];

describe('a diagnostic with its place', () => {
  for (const [title, files, expected, severity = 'error'] of wrong) {
    test(`names ${title}`, async () => {
      const { diagnostics } = await load({ files });
      const found = diagnostics.find((diagnostic) => expected.test(formatDiagnostic(diagnostic)));
      assert.ok(found, diagnostics.map(formatDiagnostic).join('\n'));
      assert.equal(found.severity, severity);
    });
  }

  for (const text of ['novalue', 'x="open', '[1]']) {
    test(`reports the extra variables ${text}`, async () => {
      const { diagnostics } = await load({ files: { 'hosts.yaml': 'a: {hosts: {h: }}' }, extraVars: [text] });
      assert.match(formatDiagnostic(diagnostics[0] ?? assert.fail()), /^--extra-vars: /);
    });
  }

  test('names an inventory script, which may be run', async () => {
    await using files = await filesWith({ inventory: '#!/bin/sh\n' });
    const sources = [files.path('inventory')];
    const scriptProblem = async (): Promise<string | undefined> =>
      (await loadInventory({ sources, extraVars: [] })).diagnostics[0]?.message;
    assert.equal(await scriptProblem(), 'the inventory is empty');
    await chmod(files.path('inventory'), 0o755);
    assert.match((await scriptProblem()) ?? '', /is a script, and inventory scripts are not supported/);
  });

  test('names a directory that lies in itself by a symbolic link', async () => {
    await using files = await filesWith({ 'inv/hosts': '[web]\nh\n' });
    await symlink(files.path('inv'), files.path('inv/loop'));
    const { diagnostics } = await loadInventory({ sources: [files.path('inv')], extraVars: [] });
    assert.match(diagnostics[0]?.message ?? '', /is a symbolic link to a directory it lies in/);
  });

  test('names a host list with a name that no host can have', async () => {
    const { diagnostics } = await loadInventory({ sources: ['a[1:2],$(id)'], extraVars: [] });
    assert.deepEqual(
      diagnostics.map(({ severity, message }) => [severity, message.replace(/ holds.*/, '')]),
      [
        ['error', '"a[1:2]" is not a host name: it'],
        ['error', '"$(id)" is not a host name: it begins with no letter or digit'],
      ],
    );
  });
});

test('no inventory at all is a usage error', async () => {
  await assert.rejects(loadInventory({ sources: [], extraVars: [] }), { code: 'usage' });
});

describe('a small file that means very much', () => {
  const range = (count: number): string => Array.from({ length: count }, (_, at) => `    h${at}-[1:99999]:\n`).join('');
  const names = [...'abcdefghijklmnopqrstuvwxyz'];
  const endless: readonly [what: string, text: string][] = [
    ['sixty ranges, each within its own limit', `all:\n  hosts:\n${range(60)}`],
    [
      'groups that hold the next one twice by an alias',
      `${names.map((name, at) => `g${name}: &${name} {children: {x${name}: ${at === 0 ? '{}' : `*${names[at - 1]}`}, y${name}: ${at === 0 ? '{}' : `*${names[at - 1]}`}}}`).join('\n')}\n`,
    ],
    [
      'lists that hold the one before eight times',
      `all: {vars: {\n  la: &la [1],\n${names
        .slice(1)
        .map((name, at) => `  l${name}: &l${name} [${`*l${names[at]}, `.repeat(8)}]`)
        .join(',\n')}}}\n`,
    ],
  ];
  for (const [what, text] of endless) {
    test(`${what} is refused`, async () => {
      await assert.rejects(load({ files: { 'hosts.yaml': text } }), /hosts\.yaml expands to more than 1000000 entries/);
    });
  }

  test('merge keys that lie in each other eight times are read once each', async () => {
    const merged = names.slice(1).map((name, at) => {
      const before = names[at] ?? '';
      return `  m${name}: &m${name} {<<: [${`*m${before}, `.repeat(8)}], ${name}: 1}\n`;
    });
    const text = `all:\n  vars:\n  hosts: {h: }\ndefs:\n vars:\n  ma: &ma {a: 1}\n${merged.join('')}web: {hosts: {h: {<<: *mz}}}\n`;
    assert.equal(await value({ files: { 'hosts.yaml': text } }, 'h', 'a'), 1);
  });

  test('ten thousand hosts that merge the same mapping are read as fast as ten thousand that do not', async () => {
    const hosts = Array.from({ length: 10_000 }, (_, at) => `    h${at}: {<<: *c}\n`).join('');
    const text = `x: {vars: {c: &c {role: web}}}\nall:\n  hosts:\n${hosts}`;
    assert.equal(await value({ files: { 'hosts.yaml': text } }, 'h9999', 'role'), 'web');
  });

  test('one value of a megabyte is shown by its beginning', async () => {
    for (const text of ['x'.repeat(1_000_000), ':'.repeat(1_000_000), `${'a'.repeat(999)}=`.repeat(1_000)]) {
      const { diagnostics } = await load({ files: { 'hosts.yaml': `all: {hosts: {h: {"bad name": "${text}"}}}` } });
      assert.ok(diagnostics.every(({ excerpt }) => excerpt !== undefined && excerpt.length <= 161));
    }
  });
});

test('flow collections may be closed in any column, as PyYAML reads them', async () => {
  const text = 'all: {hosts: {\n  a: {x: [\n1,\n  2\n]},\n}}\nweb:\n  vars: {\ny: 1\n}\n  hosts: {a: }\n';
  assert.deepEqual(await value({ files: { 'hosts.yaml': text } }, 'a', 'x'), [1, 2]);
  assert.equal(await value({ files: { 'hosts.yaml': text } }, 'a', 'y'), 1);
});
