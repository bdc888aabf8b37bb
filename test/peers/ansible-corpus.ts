// Inventories that fettle and Ansible must read alike; where they are meant to differ, the reason.
import type { Selected } from './ansible-peer.ts';

export interface CorpusCase {
  readonly title: string;
  readonly files: Readonly<Record<string, string>>;
  /** Below the directory of the files; `hosts.yaml` or `hosts`, whichever is there. A host list as it is. */
  readonly sources?: readonly string[];
  readonly extraVars?: readonly string[];
  readonly patterns?: readonly (string | Selected)[];
  /** Both refuse it. */
  readonly isRefused?: boolean;
  /** Why the two differ here, which they then must. */
  readonly differs?: string;
}

const yaml = (title: string, text: string, more: Partial<CorpusCase> = {}): CorpusCase => ({
  title,
  ...more,
  files: { 'hosts.yaml': text, ...more.files },
});

const ini = (title: string, text: string, more: Partial<CorpusCase> = {}): CorpusCase => ({
  title,
  ...more,
  files: { hosts: text, ...more.files },
});

const scalars = [
  ...['03:00', '0:30', '00:11:22', '1:30', '12:30:45', '190:20:30', '1:60', '00:50:56:12:34:56', '1:30.5', '-1:30'],
  ...['e1', 'E5', '-e5', '.', '+.', '.e1', '..', '._5', '-.5', '+.5', '.5', '5.', '1_0.5', '+1.5', '-0.0'],
  ...['7e10', '1e3', '1E3', '1.5e3', '1.5e+3', '1.5E-3', '1e-7', '0e0', '.5e+1', '1.e+2'],
  ...['08', '019', '0', '00', '0644', '-0644', '0_7', '1_000', '0b11', '0b1_1', '0x1F', '-0x1f', '0o17', '+5', '-5'],
  ...['424242424242424242', '-424242424242424242', '9007199254740991', '12345678901234567890123'],
  ...['2024-01-01', '2024-01-01 10:00:00', '2024-01-01T10:00:00Z', '2024-01-01 10:00:00 -5', '2024-1-1 1:00:00'],
  ...['2024-01-01t10:00:00.25+01:30', '2024-01-01 10:00:00.1234567', '2024-1-1', '2024-01-01 10:00'],
  ...['yes', 'Yes', 'YES', 'yEs', 'no', 'on', 'OFF', 'y', 'N', 'true', 'TRUE', 'tRue', 'null', 'Null', '~', 'NULL'],
  ...[
    'nULL',
    '',
    '"yes"',
    "'0644'",
    'a b',
    'a:b',
    'a#b',
    'a #b',
    '1.10',
    '10.0.0.1',
    '1.2.3',
    '0.1.2',
    '<',
    '-x',
    '?x',
  ],
  ...['!!str 5', '!!int "5"', '!!float 5', '!!bool "yes"', '!!str yes', '!unsafe 5', '!unsafe "{{ x }}"'],
  ...['[]', '{}', '[1, 2, {a: yes}]', '{a: 03:00, 1: 2, no: 3, ~: x}', '"{{ a }}"', '"a {% b %}"'],
];

const table = scalars.map((text, at) => `    v${at}: ${text}`);

const structure: readonly CorpusCase[] = [
  yaml('every scalar', `all:\n  hosts: {h: }\n  vars:\n${table.join('\n')}\n`),
  yaml(
    'every scalar in a list',
    `all:\n  hosts: {h: }\n  vars:\n    list:\n${table.map((line) => line.replace(/v\d+:/, '-')).join('\n')}\n`,
  ),
  yaml('a %YAML line', '%YAML 1.2\n---\nall: {hosts: {h: {a: yes, b: 0644}}}\n'),
  yaml('a %YAML line behind a comment', '# x\n%YAML 1.1\n---\nall: {hosts: {h: {a: yes}}}\n'),
  yaml('ordered mappings', 'all: {hosts: {h: {a: !!omap [x: 1, y: 2], b: !!pairs [x: 1, x: 2], c: !!set {x, y}}}}\n'),
  yaml('a block at the end without newline', 'all:\n  hosts:\n    h:\n      a: |\n        one\n        two'),
  yaml('a folded block at the end without newline', 'all:\n  hosts:\n    h:\n      a: >+\n        one\n        two'),
  yaml(
    'blocks of every kind',
    'all:\n  vars:\n    a: |\n      x\n\n    b: |-\n      x\n    c: |+\n      x\n\n    d: >\n      x\n      y\n\n      z\n  hosts: {h: }\n',
  ),
  yaml('flow collections closed at column 0', 'all: {hosts: {\n  h: {x: [\n1,\n  2\n]},\n}}\n'),
  yaml('text with U+2028 behind a blank', 'all: {hosts: {h: {a: "x \u2028 y"}}}\n'),
  yaml(
    'JSON, whose numbers are numbers',
    '{"all": {"hosts": {"h": {"a": 1e3, "b": 1.5e3, "c": "yes", "d": null,\t"e": 5}}}}',
  ),
  yaml(
    'merge keys',
    'x: {vars: {a: &a {p: 1, q: 1}, b: &b {q: 2, r: 2}}}\nall: {hosts: {h: {<<: [*a, *b], r: 3}, i: {<<: *a, <<: *b}}}\n',
  ),
  yaml('merged groups', 'a: &a {vars: {x: 7}, hosts: {h: }}\nb: {<<: *a, hosts: {i: }}\n'),
  yaml('duplicate keys', 'all: {hosts: {h: {a: 1, a: 2}}}\nweb: {hosts: {h: }}\nweb: {hosts: {i: }}\n'),
  yaml(
    'a group whose hosts are written before its children',
    'all: {hosts: {h: {a: 1}}, children: {web: {hosts: {h: {a: 2}}}}}\n',
  ),
  yaml(
    'a group whose children are written before its hosts',
    'all: {children: {web: {hosts: {h: {a: 2}}}}, hosts: {h: {a: 1}}}\n',
  ),
  yaml('text for hosts and children', 'all: {hosts: h, children: web}\n'),
  yaml('a key that is no mapping', 'version: 2\nall: {hosts: {h: }, x: 1, y: {z: 1}}\n'),
  yaml('keys that are unknown', 'web: {host: {h: }, hosts: {i: }}\n'),
  yaml('empty sections', 'web: {hosts: , children: , vars: }\ndb:\nall: {hosts: {h: }}\n'),
  yaml('strange group names', 'my-web: {hosts: {h: }}\n"a.b": {hosts: {h: }}\n'),
  yaml(
    'groups in groups',
    'a: {children: {b: {children: {c: {hosts: {h: }}}}}, hosts: {i: }}\nc: {hosts: {j: }}\nd: {children: {a: }}\n',
  ),
  yaml('ungrouped hosts', 'all: {hosts: {h: , i: }}\nungrouped: {hosts: {j: , i: }}\nweb: {hosts: {i: }}\n'),
  yaml('CRLF and a byte order mark', '\uFEFFall:\r\n  hosts:\r\n    h:\r\n      a: yes\r\n'),
  yaml('numbers as names of variables', 'all: {hosts: {h: {1: a, no: b}}}\n'),
  yaml(
    'templates and encrypted values',
    'all: {hosts: {h: {a: "{{ b }}", c: [1, "{% if x %}"], d: !vault "$ANSIBLE_VAULT;1.1;AES256\\n61\\n"}}}\n',
  ),
  yaml(
    'ranges',
    'all: {hosts: {"w[1:3]": , "x[08:10].y": , "z[1:9:4]": , "l[a:c]": , "m[:2]": , "n[1:2]o[a:b]": , "p[5:1]": }}\n',
  ),
  yaml(
    'ports',
    'all: {hosts: {"h:2223": , "i[1:2]:2224": {a: 1}, "[2001:db8::10]:2200": , "10.0.0.1:22": , "2001:db8::11": }}\n',
  ),
  yaml('a port of a host that is known', 'a: {hosts: {h: , "i:22": }}\nb: {hosts: {"h:22": , "i:23": }}\n'),
  yaml('a port under a variable', 'all: {hosts: {"h:22": {ansible_port: 23}}}\n'),
  yaml('a list of hosts', 'all: {hosts: [h]}\n', { isRefused: true }),
  yaml('a host that is a number', 'all: {hosts: {12: }}\n', { isRefused: true }),
  yaml('a loop', 'a: {children: {b: }}\nb: {children: {a: }}\n', { isRefused: true }),
  yaml('broken YAML', 'all: {hosts: [\n', { isRefused: true }),
  yaml('two documents', 'a: {hosts: {h: }}\n---\nb: \n', { isRefused: true }),
  yaml('a range without end', 'all: {hosts: {"w[1:]": }}\n', { isRefused: true }),
  yaml('a range whose ends differ in length', 'all: {hosts: {"w[01:100]": }}\n', { isRefused: true }),
  yaml('a name with blanks', 'all: {hosts: {"a b": }}\n', { differs: 'names end up in commands and paths' }),
  yaml('a tag that is unknown', 'all: {hosts: {h: {a: !foo x}}}\n', {
    differs: 'a value that nobody uses stops nothing',
  }),
  yaml('a date that is none', 'all: {hosts: {h: {a: 2024-13-45}}}\n', {
    differs: 'a value that nobody uses stops nothing',
  }),
  yaml('an address in brackets', 'all: {hosts: {"[2001:db8::10]": }}\n', { differs: 'it can mean nothing else' }),
];

const precedence: readonly CorpusCase[] = [
  yaml(
    'depth before priority',
    'all: {vars: {x: all}, children: {p: {vars: {x: p, ansible_group_priority: 99}, children: {c: {vars: {x: c}, hosts: {h: }}}}}}\n',
  ),
  yaml(
    'priority before name',
    'a: {vars: {x: a, ansible_group_priority: 2}, hosts: {h: }}\nb: {vars: {x: b}, hosts: {h: }}\n',
  ),
  yaml('name last', 'b: {vars: {x: b}, hosts: {h: }}\na: {vars: {x: a}, hosts: {h: }}\n'),
  yaml(
    'group_vars/all above inline groups, host_vars on top',
    'web: {vars: {a: 1, b: 1, c: 1, d: 1}, hosts: {h: {c: 2, d: 2}}}\n',
    {
      files: {
        'group_vars/all.yml': 'a: 3\nb: 3\nc: 3\n',
        'group_vars/web.yml': 'b: 4\nc: 4\n',
        'host_vars/h': 'd: 5\n',
      },
    },
  ),
  yaml('files of group_vars of every kind', 'web: {hosts: {h: }}\ndb: {hosts: {h: }}\napp: {hosts: {h: }}\n', {
    files: {
      'group_vars/web/a.yml': 'a: 1\n',
      'group_vars/web/sub/b': 'b: 1\n',
      'group_vars/web/old.d/c.yml': 'c: 1\n',
      'group_vars/web/.hidden.yml': 'd: 1\n',
      'group_vars/web/e.yml~': 'e: 1\n',
      'group_vars/web/f.txt': 'f: 1\n',
      'group_vars/db': 'g: 1\n',
      'group_vars/db.yml': 'g: 2\n',
      'group_vars/app.json': '{"i": 1e3}',
      'group_vars/other.yml': 'j: 1\n',
    },
  }),
  yaml('mappings are replaced whole', 'all: {vars: {x: {a: 1, b: 2}}, hosts: {h: {x: {a: 3}}}}\n'),
  yaml('extra variables', 'all: {hosts: {h: {a: 0}}}\n', {
    files: { 'more.yml': 'f: yes\n' },
    extraVars: [
      'a=1 b="x y" c=\'z\' d=yes',
      'e={"a":1}',
      '@DIR/more.yml',
      '{g: 0644, "h": [1]}',
      'i=a=b',
      'j="a\\nb"',
      'k={{ x y }}',
      'l=',
      'm="a" n=a"b c"d',
    ],
  }),
  yaml('several inventories, the later on top', 'web: {vars: {x: a}, hosts: {h: {y: a}}}\n', {
    sources: ['hosts.yaml', 'b.yml', 'sub/c'],
    files: {
      'b.yml': 'web: {vars: {x: b}, hosts: {i: }}\n',
      'sub/c': '[web]\nh y=c\n',
      'group_vars/web.yml': 'z: 1\n',
      'sub/group_vars/web.yml': 'z: 2\n',
    },
  }),
];

const literals = [
  ...['1', '0', '007', '0644', '0x1F', '0b11', '0o17', '1_000', '1.5', '.5', '1.', '1e3', '1E-7', '-5', '--5', '+5'],
  ...['True', 'true', 'yes', 'None', 'none', "'a'", '"a b"', "u'x'", "b'x'", "r'\\d'", "'a' 'b'", '[1, 2]', '[a, b]'],
  ...['(1, 2)', '(1)', '1, 2', '{"a": 1}', "{'a': [1, None], 'b': {'c': True}}", '{a: 1}', '{1: 2}', '{}', '[]', '()'],
  ...['5 apples', '10.0.0.1', '2001:db8::1', '03:00', 'a=b', '5 # five', '"x" # y', 'x # y', 'x#y', '', '"open', '1+2'],
  ...['-o ProxyJump=a -o X="b c"', 'C:\\x', "'\\n\\x41\\d'", '424242424242424242', '1__0', '{{ x }}', "['a', 'b',]"],
];

const inis: readonly CorpusCase[] = [
  ini('hosts before the first section', 'h1\nh2 a=1\n\n[web]\nh3\n'),
  ini(
    'values of variables of groups',
    `[all]\nh\n[all:vars]\n${literals.map((text, at) => `v${at}=${text}`).join('\n')}\n`,
  ),
  ini(
    'values of variables of hosts',
    `[all]\nh ${literals
      .filter((text) => !/["'#\\ {]/.test(text))
      .map((text, at) => `v${at}=${text}`)
      .join(' ')}\n`,
  ),
  ini(
    'quoted values of hosts',
    `h a="x y" b='[1, 2]' c="'5'" d='{"a": 1}' e=\\"z\\" f="" g=x\\ y i="a\\b" j="a\\"b" k='"5"' l="5"\n`,
  ),
  ini('comments behind hosts', '# c\n; c\nh a=1 # b=2\ni a=x#y b=2\nj # all\nk a="#"\n  l a=1\n'),
  ini(
    'sections of every kind',
    '[web]\nh1\nh2\n[db]\nh3\n[prod:children]\nweb\ndb\n[prod:vars]\na=1\n[web:vars]\na=2\nb = x y \n',
  ),
  ini(
    'children that are defined later',
    '[all:vars]\nx=1\n[a:children]\nb\n[b:children]\nc # d\n[c]\nh\n[d:children]\na\n',
  ),
  ini('variables of a group that is defined later', '[web:vars]\na=1\n[web]\nh\n'),
  ini(
    'ranges and ports',
    'web[01:03].x:2222 a=1\ndb[a:c]\n[n]\nn[1:9:4]\n10.0.0.[1:2]\n[2001:db8::1]:22\n2001:db8::2\n',
  ),
  ini('a port of a host that is known', 'h\n[a]\nh:22\ni:23\n[b]\ni:24\n'),
  ini('strange group names', '[my-web]\nh\n[a.b:vars]\nx=1\n[a.b]\nh\n'),
  ini('a comment behind a section', '[web] # x\nh\n[web:vars]# y\na=1\n'),
  ini('a priority', '[a]\nh\n[b]\nh\n[a:vars]\nx=a\nansible_group_priority=10\n[b:vars]\nx=b\n'),
  ini('spaces around equal signs', '[all]\nh\n[all:vars]\na = 1\nb= two words \nc =3\nd=\n e = 5\n'),
  ini('the last of two values', '[a]\nh x=1\n[b]\nh x=2 y=1\n[a:vars]\nz=1\nz=2\n'),
  ini('a host alone', 'web01\n'),
  ini('hosts alone, one a line', 'web01\nweb02\n'),
  ini('a host with a port alone', 'web01:2222 a=b\n'),
  ini('one range alone', 'web[01:10]\n'),
  ini('an INI inventory named yaml', '', { files: { 'hosts.yaml': '[web]\nh a=yes\n' }, sources: ['hosts.yaml'] }),
  ini('an INI inventory named ini', '', { files: { 'hosts.ini': '[web]\nh a=yes\n' }, sources: ['hosts.ini'] }),
  ini('an INI inventory of any ending', '', {
    files: { 'hosts.lab': 'web: {hosts: {h: }}\n' },
    sources: ['hosts.lab'],
    isRefused: true,
  }),
  ini('YAML without an ending', 'web: {hosts: {h: {a: yes}}}\n'),
  ini('an empty file', ''),
  ini('only comments', '# a\n; b\n'),
  ini('CRLF', '[web]\r\nh a=1\r\n\r\n[web:vars]\r\nb=x\r\n'),
  ini('group_vars beside it', '[web]\nh a=1 c=1\n[web:vars]\nb=1\n', {
    files: { 'group_vars/web.yml': 'a: 2\nb: 2\n', 'host_vars/h.yml': 'c: 2\n', 'group_vars/all': 'd: 03:00\n' },
  }),
  ini('templates', '[all]\nh a="{{ b }}"\n[all:vars]\nc={{ d }}/x\n'),
  ini('ungrouped and all as sections', '[ungrouped]\nh\n[all]\ni\n[web]\ni\n[all:vars]\nx=1\n'),
  ini('the same group twice', '[web]\nh\n[db]\ni\n[web]\nj\n'),
  ini('variables that are no text', '[web]\nh a=[1,2] b={"x":1} c=(1,) d=None\n'),
  ini('a variable without value', 'h a= b\n', { isRefused: true }),
  ini('a word that is no variable', 'h a\n', { isRefused: true }),
  ini('a line without equal sign in vars', '[web]\nh\n[web:vars]\nx\n', { isRefused: true }),
  ini('a section of unknown kind', '[web:host]\nh\n', { isRefused: true }),
  ini('a section with blanks', '[web db]\nh\n', { isRefused: true }),
  ini('variables of a group that is not defined', '[web:vars]\nx=1\n', { isRefused: true }),
  ini('children that are not defined', '[a:children]\nb\n', { isRefused: true }),
  ini('children that have only variables', '[a:children]\nb\n[b:vars]\nx=1\n', { isRefused: true }),
  ini('an open quote', 'h a="x\n', { isRefused: true }),
  ini('a loop', '[a:children]\nb\n[b:children]\na\n', { isRefused: true }),
  ini('a colon without a port', 'h:\n[web]\nh: a=1\n', { isRefused: true }),
  ini('a host that is part of a sentence', 'this is no inventory\n', { isRefused: true }),
];

const directories: readonly CorpusCase[] = [
  {
    title: 'a directory',
    sources: ['inv'],
    files: {
      'inv/10-web': '[web]\nh1 x=1\n',
      'inv/20-db.yml': 'db: {hosts: {h2: }, vars: {y: 1}}\nweb: {hosts: {h1: {x: 2}}}\n',
      'inv/sub/30-more.yaml': 'web: {hosts: {h3: }}\n',
      'inv/group_vars/web.yml': 'z: top\n',
      'inv/sub/group_vars/web.yml': 'z: sub\n',
      'inv/host_vars/h2.yml': 'y: 2\n',
      'inv/README.md': 'not read\n',
      'inv/ansible.cfg': '[defaults]\n',
      'inv/.hidden': '[hidden]\nh\n',
      'inv/old.bak': '[old]\nh\n',
      'inv/x.retry': 'h9\n',
      'inv/x~': 'h9\n',
      'inv/notes.txt': 'a b\n',
    },
  },
  {
    title: 'a directory with variables only in files',
    sources: ['inv/', 'extra.yml'],
    files: {
      'inv/hosts': '[web]\nh\n',
      'inv/group_vars/all/a.yml': 'a: 1\n',
      'extra.yml': 'db: {hosts: {h: }}\n',
      'group_vars/db.yml': 'b: 1\n',
    },
  },
  {
    title: 'a .ini file in a directory',
    sources: ['inv'],
    files: { 'inv/a.ini': '[web]\nh\n', 'inv/b': '[db]\ni\n' },
    differs: 'Ansible reads it since 2.19, before it passed over it',
  },
  { title: 'a host list', sources: ['a,b:22,10.0.0.1, c ,2001:db8::1'], files: {} },
  { title: 'a host list of one', sources: ['a,'], files: {} },
  {
    title: 'a host list beside a file',
    sources: ['hosts', 'h1,h2,'],
    files: { hosts: '[web]\nh1 x=1\n', 'group_vars/all.yml': 'y: 1\n' },
  },
];

const fleet = `
all:
  hosts: {lone: , "2001:db8::10": }
web: {hosts: {"web[1:12]": , web.x: }}
db: {hosts: {db-a: , db-b: , db-c: }}
canary: {hosts: {web1: , db-a: }}
prod: {hosts: {edge: }, children: {web: , db: }}
empty: {}
both: {hosts: {web1: }}
rack: {hosts: {both: }}
`;

const patterns: readonly string[] = [
  ...['all', '*', 'web', 'web1', 'web1,lone', 'web1:db-b', 'prod:&canary', '!web:prod', '&canary,!db,prod', '!prod'],
  ...[
    '&canary',
    '2001:db8::10',
    '!2001:db8::10,all,!prod',
    'web*',
    'web1?',
    'web[12]*',
    'web[!1]*',
    'w*b1',
    '*b*',
    'd*',
  ],
  ...[
    '~web1',
    '~(web|db-)0?[1a]',
    '~d',
    '~.*-a$',
    '~web\\-a',
    '~db\\-a',
    '~(?i)WEB1',
    '~\\Aweb1',
    '~web1\\Z',
    '~(?P<n>web1)',
  ],
  ...[
    'web[0]',
    'web[-1]',
    'web[0:1]',
    'web[2:]',
    'web[1:2]:db[0]',
    'prod[0]',
    'db[0-1]',
    'web[0-5]',
    'web1[0-5]',
    'db[1:0]',
  ],
  ...['db[0:0]', 'db[9]', 'db[5:9]', 'db[1:1]', 'db[-3]', 'db[-4]', '*[0]', '*[-1]', 'db*[-1]', 'web1*[1]'],
  ...['all[0]', 'all[-1]', 'all[3:5]', 'web,!empty', ' web1 , db-a ', 'web,', ',web', 'web:', 'web,nosuch', 'nosuch'],
  ...['Web1', 'both', '!both', 'all:!both', 'all:&both', 'both[0]', 'ungrouped', 'empty', 'web:&db', 'canary:!web1'],
  ...['web.x', 'web.*', '*.x', 'w?b.x', 'db-[ab]', 'db-[a-b]', 'db-[!a]', 'prod:!web:!db', 'web1:web2:!web1'],
  ...['rack', '~^web\\d{2}$', '~web\\d{,2}$', 'all:!~web', '&web,!~1'],
  ...['web,&all,!db', 'db-a,db-b,db-c,!canary', '!all', '&nosuch', 'all,!nosuch', 'web[1:3],&canary', 'db[0],!db-a'],
];

const limits: readonly Selected[] = [
  { select: 'web', limit: 'canary,db' },
  { select: 'all', limit: '@DIR/list' },
  { select: 'all', limit: 'lone,@DIR/list' },
  { select: 'prod', limit: '!web' },
];

// Where several groups of one level have children, Ansible walks sets: what stands where differs from run to run.
const nested = 'all: {children: {site: {children: {rack: {hosts: {r2: }}}, hosts: {r1: }}}}\n';
const nestedPatterns = [
  '*[-1]',
  '*[0]',
  'site*[-1]',
  'site',
  'site:!rack',
  'site[0]',
  'site[1]',
  'r*',
  '~r[12]',
  'all[1]',
];

const selection: CorpusCase = {
  title: 'patterns',
  files: { 'hosts.yaml': fleet, list: 'web1\ndb-b\n\n' },
  patterns: [...patterns, ...limits],
};

export const corpus: readonly CorpusCase[] = [
  ...structure,
  ...precedence,
  ...inis,
  ...directories,
  selection,
  yaml('patterns of groups in groups', nested, { patterns: nestedPatterns }),
];
