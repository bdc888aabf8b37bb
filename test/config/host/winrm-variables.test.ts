// Every variable of Ansible's winrm and psrp connections is honoured or reported, and each only once.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatDiagnostic, type Diagnostic } from '../../../src/config/yaml/diagnostic.ts';
import { resolveHosts } from '../../../src/config/host/host-settings.ts';
import { loadInventory } from '../../../src/config/inventory/inventory.ts';
import { checkName, isSetting } from '../../../src/config/inventory/variable-names.ts';
import type { Connection, Host, WinrmSettings } from '../../../src/domain/host.ts';
import { filesWith } from '../files.ts';

async function resolve(
  variables: string,
): Promise<{ hosts: readonly Host[]; diagnostics: readonly Diagnostic[]; said: string }> {
  const text = `all:\n  hosts:\n    h: {${variables}}\n`;
  await using files = await filesWith({ 'hosts.yaml': text, 'ca.pem': 'ca', 'cert.pem': 'cert', 'key.pem': 'key' });
  const { inventory, diagnostics } = await loadInventory({ sources: [files.path('hosts.yaml')], extraVars: [] });
  const resolved = resolveHosts(inventory, ['h'], { homeDir: files.directory });
  const all = [...diagnostics, ...resolved.diagnostics];
  return { hosts: resolved.hosts, diagnostics: all, said: all.map(formatDiagnostic).join('\n') };
}

const windows = 'ansible_connection: winrm';

/** The value of a variable of both connections, and what of the connection it decides. */
type Honoured = readonly [names: readonly string[], value: string, expected: Expected];
interface Expected {
  readonly connection?: Partial<Connection>;
  readonly settings?: Partial<WinrmSettings>;
}

const honoured: readonly Honoured[] = [
  [['ansible_winrm_host', 'ansible_psrp_host'], 'a.example', { connection: { address: 'a.example' } }],
  [['ansible_winrm_port', 'ansible_psrp_port'], '1234', { connection: { port: 1234 } }],
  [['ansible_winrm_user', 'ansible_psrp_user'], 'EXAMPLE\\\\u', { connection: { user: String.raw`EXAMPLE\\u` } }],
  [['ansible_winrm_scheme', 'ansible_psrp_protocol'], 'http', { settings: { scheme: 'http' } }],
  [['ansible_winrm_path', 'ansible_psrp_path'], 'other', { settings: { path: '/other' } }],
  [['ansible_winrm_transport', 'ansible_psrp_auth'], 'kerberos', { settings: { auth: 'kerberos' } }],
  [['ansible_winrm_transport'], '[credssp, ntlm]', { settings: { auth: 'ntlm' } }],
  [['ansible_winrm_transport'], 'ssl', { settings: { auth: 'basic' } }],
  [['ansible_winrm_transport', 'ansible_psrp_auth'], 'certificate', { settings: { auth: 'certificate' } }],
  [
    ['ansible_winrm_server_cert_validation', 'ansible_psrp_cert_validation'],
    'validate',
    { settings: { certificatePolicy: 'verify' } },
  ],
  [
    ['ansible_winrm_message_encryption', 'ansible_psrp_message_encryption'],
    'always',
    { settings: { messageEncryption: 'always' } },
  ],
  [
    ['ansible_winrm_operation_timeout_sec', 'ansible_psrp_operation_timeout'],
    '33',
    { settings: { operationTimeoutSec: 33 } },
  ],
  [['ansible_winrm_read_timeout_sec', 'ansible_psrp_read_timeout'], '77', { settings: { readTimeoutSec: 77 } }],
  [
    ['ansible_winrm_connection_timeout', 'ansible_psrp_connection_timeout'],
    '7',
    { connection: { limits: { connectMs: 7_000, handshakeMs: 20_000, authMs: 30_000, idleMs: 60_000 } } },
  ],
  [['ansible_winrm_kerberos_delegation', 'ansible_psrp_negotiate_delegate'], 'yes', { settings: { delegation: true } }],
  [
    ['ansible_winrm_kerberos_hostname_override', 'ansible_psrp_negotiate_hostname_override'],
    'k.example',
    { settings: { serviceHost: 'k.example' } },
  ],
  [['ansible_winrm_service', 'ansible_psrp_negotiate_service'], 'WSMAN', { settings: { servicePrincipal: 'WSMAN' } }],
];

const files: readonly (readonly [
  names: readonly string[],
  file: string,
  setting: 'caFile' | 'certFile' | 'keyFile',
])[] = [
  [['ansible_winrm_ca_trust_path', 'ansible_psrp_ca_cert', 'ansible_psrp_cert_trust_path'], '~/ca.pem', 'caFile'],
  [['ansible_winrm_cert_pem', 'ansible_psrp_certificate_pem'], '~/cert.pem', 'certFile'],
  [['ansible_winrm_cert_key_pem', 'ansible_psrp_certificate_key_pem'], '~/key.pem', 'keyFile'],
];

describe('a variable of WinRM that is honoured', () => {
  for (const [names, value, { connection = {}, settings = {} }] of honoured) {
    for (const name of names) {
      test(`${name}: ${value}`, async () => {
        const { hosts, said } = await resolve(`${windows}, ${name}: ${value}`);
        assert.equal(said, '');
        const found: Partial<Connection> = hosts[0]?.connection ?? {};
        assert.deepEqual({ ...found, ...connection }, found);
        assert.deepEqual({ ...found.winrm, ...settings }, found.winrm);
      });
    }
  }

  for (const [names, file, setting] of files) {
    for (const name of names) {
      test(`${name} is a file`, async () => {
        const { hosts, said } = await resolve(`${windows}, ${name}: ${file}`);
        assert.equal(said, '');
        assert.match(hosts[0]?.connection.winrm?.[setting] ?? '', new RegExp(`^/.*${file.slice(1)}$`));
        const wrong = await resolve(`${windows}, ${name}: ~/nothing.pem`);
        assert.match(wrong.said, /nothing\.pem cannot be opened/);
        assert.equal(wrong.hosts.length, 0);
      });
    }
  }

  for (const name of ['ansible_winrm_pass', 'ansible_winrm_password', 'ansible_password']) {
    test(`${name} is a secret`, async () => {
      const { hosts } = await resolve(`${windows}, ${name}: planted`);
      assert.equal(hosts[0]?.connection.password?.reveal(), 'planted');
      assert.doesNotMatch(JSON.stringify(hosts), /planted/);
    });
  }
});

const reported: readonly (readonly [variables: string, expected: RegExp, severity: 'error' | 'warning'])[] = [
  ['ansible_winrm_proxy: http://p', /a proxy in front of WinRM is not supported/, 'error'],
  ['ansible_psrp_proxy: http://p', /a proxy in front of WinRM is not supported/, 'error'],
  ['ansible_winrm_send_cbt: no', /channel bindings are always sent/, 'warning'],
  ['ansible_psrp_negotiate_send_cbt: false', /channel bindings are always sent/, 'warning'],
  ['ansible_winrm_transport: credssp', /sends the password to the host/, 'error'],
  ['ansible_winrm_transport: plaintext', /would send the password over the network in clear text/, 'error'],
  ['ansible_psrp_auth: digest', /known are ntlm, kerberos, basic, certificate and negotiate/, 'error'],
  ['ansible_winrm_server_cert_validation: ignore', /certificates are not checked/, 'warning'],
  ['ansible_psrp_cert_validation: ignore', /certificates are not checked/, 'warning'],
  ['ansible_winrm_scheme: ftp', /ansible_winrm_scheme must be one of http, https/, 'error'],
  ['ansible_winrm_message_encryption: maybe', /must be one of auto, always, never/, 'error'],
  ['ansible_winrm_operation_timeout_sec: 61', /must be a whole number from 1 to 60/, 'error'],
  ['patch_winrm_certificate: sha256:12', /must be verify, trust-on-first-use or sha256/, 'error'],
];

describe('a variable of WinRM that is reported', () => {
  for (const [variables, expected, severity] of reported) {
    test(`{${variables}} is a ${severity}`, async () => {
      const { hosts, diagnostics, said } = await resolve(`${windows}, ${variables}`);
      assert.match(said, expected);
      assert.deepEqual(
        diagnostics.map((diagnostic) => diagnostic.severity),
        [severity],
      );
      assert.equal(hosts.length, severity === 'error' ? 0 : 1);
    });
  }

  test('{ansible_connection: psrp} is a warning, once for all hosts of one place', async () => {
    await using made = await filesWith({
      'hosts.yaml': 'all: {vars: {ansible_connection: psrp, ansible_psrp_auth: ntlm}, hosts: {a: , b: , c: }}',
    });
    const { inventory } = await loadInventory({ sources: [made.path('hosts.yaml')], extraVars: [] });
    const { hosts, diagnostics } = resolveHosts(inventory, ['a', 'b', 'c'], { homeDir: '/' });
    assert.deepEqual(
      hosts.map(({ connection }) => [connection.transport, connection.winrm?.auth]),
      [
        ['winrm', 'ntlm'],
        ['winrm', 'ntlm'],
        ['winrm', 'ntlm'],
      ],
    );
    assert.deepEqual(
      diagnostics.map(({ severity }) => severity),
      ['warning'],
    );
  });
});

/** Of the way that Ansible goes, without a counterpart here; what to do instead is told. */
const ofAnotherWay: readonly (readonly [name: string, hint: RegExp])[] = [
  ['ansible_winrm_kinit_mode', /GSSAPI gets the ticket/],
  ['ansible_winrm_kinit_cmd', /GSSAPI gets the ticket/],
  ['ansible_winrm_kinit_args', /GSSAPI gets the ticket/],
  ['ansible_winrm_kinit_env_vars', /GSSAPI gets the ticket/],
  ['ansible_winrm_realm', /user@REALM/],
  ['ansible_winrm_keytab', /kinit -k -t/],
  ['ansible_winrm_credssp_disable_tlsv1_2', /CredSSP/],
  ['ansible_psrp_credssp_auth_mechanism', /CredSSP/],
  ['ansible_psrp_credssp_disable_tlsv1_2', /CredSSP/],
  ['ansible_psrp_credssp_minimum_version', /CredSSP/],
  ['ansible_psrp_reconnection_retries', /own rules for reconnecting/],
  ['ansible_psrp_reconnection_backoff', /own rules for reconnecting/],
  ['ansible_psrp_connection_backoff', /own rules for reconnecting/],
  ['ansible_psrp_max_envelope_size', /150 KB/],
  ['ansible_psrp_configuration_name', /no PowerShell session/],
];

describe('a variable of a way that is not gone here', () => {
  for (const [name, hint] of ofAnotherWay) {
    test(`${name} is a warning that names the alternative`, async () => {
      const { hosts, diagnostics, said } = await resolve(`${windows}, ${name}: x`);
      assert.equal(diagnostics[0]?.severity, 'warning', said);
      assert.match(diagnostics[0].message, new RegExp(`^${name} has no effect here$`));
      assert.match(diagnostics[0].hint ?? '', hint);
      assert.equal(hosts.length, 1);
    });
  }

  test('ansible_psrp_ignore_proxy needs no word: no proxy is ever used', () => {
    assert.equal(checkName('ansible_psrp_ignore_proxy'), undefined);
  });
});

test('an unknown variable of either connection is a warning, with the name it is near to', () => {
  for (const [wrong, near] of [
    ['ansible_winrm_transprot', /ansible_winrm_transport/],
    ['ansible_psrp_protocoll', /ansible_psrp_protocol/],
  ] as const) {
    const problem = checkName(wrong);
    assert.equal(problem?.severity, 'warning');
    assert.match(problem.hint ?? '', near);
    assert.equal(isSetting(wrong), false);
  }
});

/** All that Ansible 2.19 documents for its two connections, and what either names in common. */
const documented: Readonly<Record<string, string>> = {
  winrm:
    'host port user pass password scheme path transport kinit_mode kinit_cmd kinit_args kinit_env_vars ' +
    'connection_timeout server_cert_validation ca_trust_path cert_pem cert_key_pem message_encryption ' +
    'operation_timeout_sec read_timeout_sec kerberos_delegation kerberos_hostname_override send_cbt ' +
    'credssp_disable_tlsv1_2 proxy service realm keytab',
  psrp:
    'host port user protocol path auth cert_validation ca_cert cert_trust_path connection_timeout read_timeout ' +
    'operation_timeout reconnection_retries reconnection_backoff connection_backoff message_encryption proxy ' +
    'ignore_proxy certificate_pem certificate_key_pem credssp_auth_mechanism credssp_disable_tlsv1_2 ' +
    'credssp_minimum_version negotiate_delegate negotiate_hostname_override negotiate_send_cbt negotiate_service ' +
    'max_envelope_size configuration_name',
};

test('no documented variable is left out of the lists above', () => {
  const tested = new Set([
    ...honoured.flatMap(([names]) => names),
    ...files.flatMap(([names]) => names),
    ...['ansible_winrm_pass', 'ansible_winrm_password'],
    ...reported.flatMap(([variables]) => variables.split(':', 1)),
    ...ofAnotherWay.map(([name]) => name),
    'ansible_psrp_ignore_proxy',
  ]);
  const names = Object.entries(documented).flatMap(([kind, text]) =>
    text.split(' ').map((name) => `ansible_${kind}_${name}`),
  );
  assert.deepEqual(
    names.filter((name) => !tested.has(name)),
    [],
  );
});
