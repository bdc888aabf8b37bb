import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatDiagnostic, type Diagnostic } from '../../../src/config/yaml/diagnostic.ts';
import { resolveHosts, type HostOverrides } from '../../../src/config/host/host-settings.ts';
import { loadInventory } from '../../../src/config/inventory/inventory.ts';
import type { Connection, Host, PatchSettings } from '../../../src/domain/host.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { filesWith } from '../files.ts';

type Overrides = Partial<HostOverrides>;

async function resolve(
  variables: string,
  overrides: Overrides = {},
): Promise<{ host: Host; diagnostics: readonly Diagnostic[] }> {
  const { hosts, diagnostics } = await resolveAll(`all:\n  hosts:\n    h: {${variables}}\n`, overrides);
  return { host: hosts[0] ?? assert.fail(diagnostics.map(formatDiagnostic).join('\n')), diagnostics };
}

async function resolveAll(
  text: string,
  overrides: Overrides = {},
): Promise<{ hosts: readonly Host[]; diagnostics: readonly Diagnostic[] }> {
  await using files = await filesWith({ 'hosts.yaml': text, key: 'key' });
  const { inventory } = await loadInventory({ sources: [files.path('hosts.yaml')], extraVars: [] });
  return resolveHosts(inventory, [...inventory.hosts.keys()], { homeDir: files.directory, ...overrides });
}

const connections: readonly [title: string, variables: string, expected: Partial<Connection>, overrides?: Overrides][] =
  [
    [
      'is ssh to its name by default',
      '',
      { transport: 'ssh', address: 'h', sshArguments: [], hostKeyPolicy: 'strict' },
    ],
    [
      'has limits by default',
      '',
      { limits: { connectMs: 10_000, handshakeMs: 20_000, authMs: 30_000, idleMs: 60_000 } },
    ],
    [
      'takes ansible_ssh_timeout in seconds',
      'ansible_ssh_timeout: "7"',
      { limits: { connectMs: 7000, handshakeMs: 20_000, authMs: 30_000, idleMs: 60_000 } },
    ],
    [
      'takes address, port and user',
      'ansible_host: a, ansible_port: "22", ansible_user: u',
      { address: 'a', port: 22, user: 'u' },
    ],
    [
      'takes the ssh aliases over the plain names',
      'ansible_host: a, ansible_ssh_host: b, ansible_ssh_port: 1, ansible_ssh_user: v',
      { address: 'b', port: 1, user: 'v' },
    ],
    [
      'over ssh leaves the names of WinRM alone',
      'ansible_port: 22, ansible_winrm_port: 5986, ansible_winrm_user: w, ansible_psrp_host: p',
      { port: 22, address: 'h' },
    ],
    [
      'over WinRM leaves the names of ssh alone',
      'ansible_connection: winrm, ansible_port: 5986, ansible_ssh_port: 22, ansible_ssh_host: s',
      { port: 5986, address: 'h' },
    ],
    ['knows local', 'ansible_connection: ansible.builtin.local', { transport: 'local' }],
    ['knows smart and paramiko as ssh', 'ansible_connection: paramiko_ssh', { transport: 'ssh' }],
    [
      'follows the command line in the transport',
      'ansible_connection: ssh',
      { transport: 'local' },
      { connection: 'local' },
    ],
    ['lets the inventory win over -u', 'ansible_user: u', { user: 'u' }, { user: 'cli' }],
    ['takes -u where the inventory is silent', '', { user: 'cli' }, { user: 'cli' }],
    [
      'keeps ssh options, without those that fettle sets',
      `ansible_ssh_args: "-C -o ControlMaster=auto -o ControlPersist=60s", ansible_ssh_common_args: "-o ProxyCommand='ssh -W %h:%p jump' -oBatchMode=yes", ansible_ssh_extra_args: "-J a,b"`,
      { sshArguments: ['-o', 'ProxyCommand=ssh -W %h:%p jump', '-J', 'a,b'] },
    ],
    [
      'takes the host key policy of the command line',
      'ansible_host_key_checking: false',
      { hostKeyPolicy: 'accept-new' },
      { hostKeyPolicy: 'accept-new' },
    ],
    [
      'takes StrictHostKeyChecking=accept-new',
      'ansible_ssh_common_args: "-o StrictHostKeyChecking=accept-new"',
      { hostKeyPolicy: 'accept-new' },
    ],
    ['elevates by sudo to root', 'ansible_become: "yes"', { elevation: { method: 'sudo', user: 'root', flags: [] } }],
    [
      'elevates as configured, without the flags sudo has anyway',
      'ansible_become: true, ansible_become_method: ansible.builtin.sudo, ansible_become_user: a, ansible_become_exe: /x, ansible_become_flags: "-H -S -n -i"',
      { elevation: { method: 'sudo', user: 'a', exe: '/x', flags: ['-i'] } },
    ],
    [
      'knows the names of its method',
      'ansible_become: true, ansible_become_method: su, ansible_su_user: a, ansible_sudo_user: b',
      { elevation: { method: 'su', user: 'a', flags: [] } },
    ],
    [
      'elevates where the command line asks for it',
      '',
      { elevation: { method: 'sudo', user: 'root', flags: [] } },
      { become: true },
    ],
  ];

describe('a connection', () => {
  for (const [title, variables, expected, overrides] of connections) {
    test(title, async () => {
      const { host } = await resolve(variables, overrides);
      const keys = Object.keys(expected) as (keyof Connection)[];
      assert.deepEqual(Object.fromEntries(keys.map((key) => [key, host.connection[key]])), expected);
    });
  }

  test('finds its key below the home directory', async () => {
    const { host } = await resolve('ansible_ssh_private_key_file: ~/key, ansible_ssh_private_key_passphrase: pp');
    assert.match(host.connection.privateKeyFile ?? '', /^\/.*\/key$/);
    assert.equal(host.connection.privateKeyPassphrase?.reveal(), 'pp');
  });

  test('has its passwords as secrets, and shows none', async () => {
    const { host } = await resolve('ansible_ssh_pass: planted, ansible_become: true, ansible_sudo_pass: planted2');
    assert.equal(host.connection.password?.reveal(), 'planted');
    assert.equal(host.connection.elevation?.password?.reveal(), 'planted2');
    assert.doesNotMatch(JSON.stringify(host), /planted/);
  });

  test('takes the passwords that were asked for where the inventory has none', async () => {
    const { host } = await resolve('ansible_become: true', {
      password: new Secret('p'),
      becomePassword: new Secret('b'),
    });
    assert.equal(host.connection.password?.reveal(), 'p');
    assert.equal(host.connection.elevation?.password?.reveal(), 'b');
  });
});

const patches: readonly [variables: string, expected: Partial<PatchSettings>][] = [
  ['', { enabled: true, hold: [], clusters: [] }],
  ['patch_enabled: no, patch_disabled_reason: r', { enabled: false, disabledReason: 'r' }],
  ['patch_disabled_until: 2026-11-30', { disabledUntilMs: Date.UTC(2026, 10, 30) }],
  ['patch_disabled_until: "2026-11-30T06:00:00+01:00"', { disabledUntilMs: Date.UTC(2026, 10, 30, 5) }],
  ['patch_hold: [a*, b], patch_cluster: pg', { hold: ['a*', 'b'], clusters: ['pg'] }],
  ['patch_reboot: never, patch_max_reboots: 1', { reboot: 'never', maxReboots: 1 }],
];

describe('patch variables', () => {
  for (const [variables, expected] of patches) {
    test(`{${variables}} are read`, async () => {
      const { host } = await resolve(variables);
      assert.deepEqual({ ...host.patch, ...expected }, host.patch);
    });
  }

  test('patch_id is the identity, else the name', async () => {
    assert.equal((await resolve('patch_id: i')).host.id, 'i');
    assert.equal((await resolve('')).host.id, 'h');
  });
});

const wrong: readonly [variables: string, expected: RegExp, severity?: 'warning'][] = [
  ['ansible_user: !vault x', /:3:\d+: !vault values are not supported in this version[^]*--password-file/],
  ['ansible_host: "{{ x }}.y"', /:3:23: templates .* are not supported in this version/],
  ['ansible_ssh_common_args: "-o ProxyJump={{ j }}"', /:3:\d+: templates/],
  ['ansible_host: !env X', /the tag !env is not supported/],
  ['ansible_connection: docker', /:3:9: ansible_connection docker is not supported\n[^]*ssh, winrm and local$/],
  ['ansible_port: 99999', /:3:9: ansible_port must be a whole number from 1 to 65535/],
  ['ansible_port: [1]', /ansible_port must be a whole number/],
  ['ansible_user: [a]', /ansible_user must be text/],
  ['ansible_host: "$(touch x)"', /ansible_host "\$\(touch x\)" holds the character "\$"/],
  ['ansible_host: -oProxyCommand=id', /ansible_host "-oProxyCommand=id" begins with -/],
  ['ansible_user: "a;b"', /ansible_user "a;b" holds the character ";"/],
  ['ansible_become: true, ansible_become_user: -s', /ansible_become_user "-s" has a - where an option could begin/],
  ['ansible_user: "a\\nb"', /ansible_user must be one line/],
  ['ansible_password: [a]', /ansible_password must be text/],
  ['ansible_become: maybe', /ansible_become must be true or false/],
  ['ansible_become: true, ansible_become_method: pbrun', /ansible_become_method pbrun is not supported/],
  ['ansible_become: true, ansible_become_flags: "\'x"', /become flags have an unclosed quote/],
  ['ansible_ssh_common_args: "\'x"', /ansible_ssh_common_args: unclosed quote/],
  ['ansible_private_key_file: ~/nokey', /:3:9: the private key .*\/nokey cannot be opened: no such file/],
  ['ansible_private_key_file: "~"', /cannot be opened: it is a directory/],
  ['ansible_host_key_checking: false', /warning: host keys are not checked/, 'warning'],
  ['ansible_ssh_common_args: "-o StrictHostKeyChecking=no"', /host keys are not checked \(Strict/, 'warning'],
  ['patch_reboot: sometimes', /patch_reboot must be never, if-needed, always/],
  ['patch_disabled_until: 2026-02-30', /"2026-02-30" is not a date/],
  ['patch_hold: [1]', /patch_hold must be a list of names/],
];

describe('a wrong value', () => {
  for (const [variables, expected, severity = 'error'] of wrong) {
    test(`{${variables}} is reported at its place`, async () => {
      const { hosts, diagnostics } = await resolveAll(`all:\n  hosts:\n    h: {${variables}}\n`);
      const found = diagnostics.find((diagnostic) => expected.test(formatDiagnostic(diagnostic)));
      assert.ok(found, diagnostics.map(formatDiagnostic).join('\n'));
      assert.equal(found.severity, severity);
      assert.equal(hosts.length, severity === 'error' ? 0 : 1);
    });
  }

  test('that many hosts share is reported once', async () => {
    const { diagnostics } = await resolveAll('web: {vars: {ansible_port: x}, hosts: {"w[1:50]": }}');
    assert.equal(diagnostics.length, 1);
  });

  test('keeps the passwords of the command line from hosts whose key the inventory leaves unchecked, with a warning', async () => {
    const overrides = { password: new Secret('login'), becomePassword: new Secret('root') };
    for (const off of ['ansible_host_key_checking: false', 'ansible_ssh_common_args: "-o StrictHostKeyChecking=no"']) {
      const { host, diagnostics } = await resolve(`ansible_become: true, ${off}`, overrides);
      assert.equal(host.connection.password, undefined);
      assert.equal(host.connection.elevation?.password, undefined);
      assert.match(
        diagnostics.map(formatDiagnostic).join(),
        /passwords given on the command line are not sent to these hosts/,
      );
      const own = await resolve(`${off}, ansible_password: own`, overrides);
      assert.equal(own.host.connection.password?.reveal(), 'own');
      const asked = await resolve(`ansible_become: true, ${off}`, { ...overrides, hostKeyPolicy: 'accept-new' });
      assert.equal(asked.host.connection.password?.reveal(), 'login');
    }
  });

  test('knows a host that a password of the command line goes to, by login or elevation', async () => {
    const overrides = { password: new Secret('login'), becomePassword: new Secret('root') };
    const { host: login } = await resolve('', overrides);
    assert.equal(login.connection.hasOperatorPassword, true);
    const { host: own } = await resolve('ansible_password: own', overrides);
    assert.equal(own.connection.hasOperatorPassword, undefined);
    const { host: elevating } = await resolve('ansible_password: own, ansible_become: true', overrides);
    assert.equal(elevating.connection.hasOperatorPassword, true);
  });

  test('of two hosts with one identity is an error', async () => {
    const { diagnostics } = await resolveAll('all: {hosts: {a: {patch_id: i}, b: {patch_id: i}}}');
    assert.match(diagnostics[0]?.message ?? '', /hosts a and b have the same identity "i"/);
  });

  test('of --private-key is a usage error', async () => {
    await assert.rejects(resolve('', { privateKeyFile: '~/nokey' }), { code: 'usage', message: /nokey/ });
  });
});

test('a name that the inventory does not have is a usage error', async () => {
  await using files = await filesWith({ 'hosts.yaml': 'all: {hosts: {h: }}' });
  const { inventory } = await loadInventory({ sources: [files.path('hosts.yaml')], extraVars: [] });
  assert.throws(() => resolveHosts(inventory, ['x'], { homeDir: '/' }), { code: 'usage' });
});

describe('a template or an encrypted value', () => {
  test('that no setting is taken from is kept as text and costs no word', async () => {
    const { host, diagnostics } = await resolve('app: "{{ x }}", list: [!vault y], vault_key: "{{ z }}"');
    assert.deepEqual(diagnostics, []);
    assert.equal(host.variables['app'], '{{ x }}');
    assert.deepEqual(host.variables['list'], ['y']);
  });

  test('is an error only of the hosts that need it', async () => {
    const { hosts, diagnostics } = await resolveAll(
      'all: {vars: {ansible_user: "{{ u }}"}, hosts: {a: {ansible_user: root}, b: , c: {ansible_winrm_user: "{{ w }}", ansible_user: r}}}\n',
    );
    assert.deepEqual(
      hosts.map(({ name }) => name),
      ['a', 'c'],
    );
    assert.match(diagnostics.map(formatDiagnostic).join('\n'), /^[^:]+hosts\.yaml:1:28: templates/);
  });
});

describe('hosts that cannot be resolved', () => {
  const text = `
all: {hosts: {a: , b: {ansible_port: x}}}
cloud: {hosts: {c1: , c2: }, vars: {ansible_connection: docker, ansible_become: true, ansible_become_method: enable}}
`;
  test('are named once for each reason, with a pattern that leaves them out', async () => {
    const { hosts, diagnostics } = await resolveAll(text);
    assert.deepEqual(
      hosts.map(({ name }) => name),
      ['a'],
    );
    assert.deepEqual(
      diagnostics.map(({ hint }) => hint),
      [
        "leave out host b with -l '!b'",
        "this version supports ssh, winrm and local; leave out its 2 hosts with -l '!cloud'",
      ],
    );
  });

  test('need no key as long as nobody connects', async () => {
    const { diagnostics } = await resolve('ansible_ssh_private_key_file: ~/none', { connects: false });
    assert.deepEqual(diagnostics, []);
  });

  test('may have their key below $HOME', async () => {
    const { host } = await resolve('ansible_ssh_private_key_file: $HOME/key');
    assert.match(host.connection.privateKeyFile ?? '', /^\/.*\/key$/);
  });
});
