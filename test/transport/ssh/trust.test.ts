// What ~/.ssh/config says about trust holds, or is refused by its name.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { FettleError } from '../../../src/domain/error.ts';
import { openTransports, type TransportEnvironment } from '../../../src/transport/registry.ts';
import { objectionTo, rsaBitsOf } from '../../../src/transport/ssh/host-key-rules.ts';
import { harmlessKeywords, obeyedKeywords, refusedKeywords } from '../../../src/transport/ssh/keywords.ts';
import { rejectsWith } from '../../contract/session.ts';
import { loginName, makeKey, noSshd, sshHost, Sshd, type MadeKey } from '../../support/sshd.ts';

const dir = mkdtempSync(join(tmpdir(), 'fettle-trust-'));
after(() => rmSync(dir, { recursive: true }));
mkdirSync(join(dir, 'home'));

const environment = { env: process.env, homeDir: join(dir, 'home'), userName: loginName };

function blobOf({ publicLine }: MadeKey): Buffer {
  return Buffer.from(publicLine.split(' ')[1] ?? '', 'base64');
}

/** Logs in with further options of ssh, as an inventory gives them, and runs `true`. */
async function logIn(
  sshd: Sshd,
  options: readonly string[],
  more: Partial<TransportEnvironment> & { readonly port?: number; readonly keyFile?: string } = {},
): Promise<void> {
  const { port = sshd.port, keyFile = sshd.clientKey.file, ...rest } = more;
  await using transports = openTransports({ ...environment, ...rest });
  const sshArguments = [...sshd.arguments(), ...options.flatMap((option) => ['-o', option])];
  const host = sshd.host('web01', { sshArguments, port, privateKeyFile: keyFile });
  const opening = transports.get('ssh')?.open(host, {}) ?? assert.fail('there is no ssh');
  await using session = await opening;
  assert.equal((await session.exec({ command: 'true' })).exitCode, 0);
}

describe('keywords of ssh_config', () => {
  /** ssh_config(5) of OpenSSH 10.0, its keywords. */
  const manual = `Host Match AddKeysToAgent AddressFamily BatchMode BindAddress BindInterface CanonicalDomains
    CanonicalizeFallbackLocal CanonicalizeHostname CanonicalizeMaxDots CanonicalizePermittedCNAMEs
    CASignatureAlgorithms CertificateFile ChannelTimeout CheckHostIP Ciphers ClearAllForwardings Compression
    ConnectionAttempts ConnectTimeout ControlMaster ControlPath ControlPersist DynamicForward EnableEscapeCommandline
    EnableSSHKeysign EscapeChar ExitOnForwardFailure FingerprintHash ForkAfterAuthentication ForwardAgent ForwardX11
    ForwardX11Timeout ForwardX11Trusted GatewayPorts GlobalKnownHostsFile GSSAPIAuthentication
    GSSAPIDelegateCredentials HashKnownHosts HostbasedAcceptedAlgorithms HostbasedAuthentication HostKeyAlgorithms
    HostKeyAlias Hostname IdentitiesOnly IdentityAgent IdentityFile IgnoreUnknown Include IPQoS
    KbdInteractiveAuthentication KexAlgorithms KnownHostsCommand LocalCommand LocalForward LogLevel LogVerbose MACs
    NoHostAuthenticationForLocalhost NumberOfPasswordPrompts ObscureKeystrokeTiming PasswordAuthentication
    PermitLocalCommand PermitRemoteOpen PKCS11Provider Port PreferredAuthentications ProxyCommand ProxyJump
    ProxyUseFdpass PubkeyAcceptedAlgorithms PubkeyAuthentication RekeyLimit RemoteCommand RemoteForward RequestTTY
    RequiredRSASize RevokedHostKeys SecurityKeyProvider SendEnv ServerAliveCountMax ServerAliveInterval SessionType
    SetEnv StdinNull StreamLocalBindMask StreamLocalBindUnlink StrictHostKeyChecking SyslogFacility TCPKeepAlive Tag
    Tunnel TunnelDevice UpdateHostKeys User UserKnownHostsFile VerifyHostKeyDNS VersionAddendum VisualHostKey
    WarnWeakCrypto RefuseConnection XAuthLocation`;
  const listed = [...obeyedKeywords, ...harmlessKeywords, ...refusedKeywords];

  test('are each in one of the lists, those of the manual and those that ssh -G prints here', { skip: noSshd }, () => {
    const printed = execFileSync('ssh', ['-F', 'none', '-G', 'localhost'], { encoding: 'utf8' })
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [line.split(' ', 1)[0]?.toLowerCase() ?? '']));
    const all = new Set([...manual.toLowerCase().split(/\s+/), ...printed]);
    assert.deepEqual(
      [...all].filter((keyword) => !listed.includes(keyword)),
      [],
    );
    assert.equal(new Set(listed).size, listed.length);
  });

  const refused: readonly (readonly [config: string, error: RegExp])[] = [
    ['KnownHostsCommand /usr/bin/true', /the ssh option knownhostscommand \(\/usr\/bin\/true\) .* is not supported/],
    ['BindAddress 127.0.0.1', /the ssh option bindaddress .* is not supported/],
    ['CheckHostIP yes', /the ssh option checkhostip .* is not supported/],
    ['ProxyUseFdpass yes', /the ssh option proxyusefdpass .* is not supported/],
    ['KexAlgorithms sntrup761x25519-sha512@openssh.com', /KexAlgorithms .* lists no algorithm that fettle supports/],
    ['MACs umac-64@openssh.com', /MACs .* lists no algorithm that fettle supports/],
  ];
  for (const [line, error] of refused) {
    test(`that decide about trust are not dropped in silence: ${line}`, { skip: noSshd }, async () => {
      await using transports = openTransports(environment);
      const file = join(dir, 'config');
      writeFileSync(file, `Host *\n  ${line}\n`);
      for (const sshArguments of [
        ['-F', file],
        ['-F', 'none', '-o', line.replace(' ', '=')],
      ]) {
        const host = sshHost('web01', { sshArguments });
        await assert.rejects(
          async () => transports.get('ssh')?.route?.(host),
          (thrown: FettleError) => {
            assert.equal(thrown.code, 'config');
            assert.match(thrown.message, new RegExp(error.source, 'i'));
            return true;
          },
        );
      }
    });
  }
});

describe('host keys that the configuration forbids', { skip: noSshd }, () => {
  test('a revoked key is refused although known_hosts has it: as plain keys and as a KRL', async () => {
    await using sshd = await Sshd.start();
    await logIn(sshd, []);
    const [key] = sshd.hostKeys;
    assert.ok(key !== undefined);
    const plain = join(dir, 'revoked-keys');
    writeFileSync(plain, `# stolen\n${key.publicLine}\n`);
    const krl = join(dir, 'revoked.krl');
    execFileSync('ssh-keygen', ['-q', '-k', '-f', krl, `${key.file}.pub`]);
    for (const file of [plain, krl]) {
      await rejectsWith(logIn(sshd, [`RevokedHostKeys=${file}`]), 'host-key', /its host key is revoked in/);
    }
    const other = makeKey(dir, 'other');
    const others = join(dir, 'others.krl');
    execFileSync('ssh-keygen', ['-q', '-k', '-f', others, `${other.file}.pub`]);
    await logIn(sshd, [`RevokedHostKeys=${others}`]);
    const absent = logIn(sshd, [`RevokedHostKeys=${join(dir, 'absent')}`]);
    await rejectsWith(absent, 'host-key', /absent \(RevokedHostKeys\) cannot be opened: no such file/);
  });

  test('a KRL that ssh-keygen does not understand refuses every key', async () => {
    const broken = join(dir, 'broken.krl');
    writeFileSync(broken, 'SSHKRL\n\0nonsense');
    const rules = { revokedKeys: broken, rsaBits: 1024 };
    const objection = await objectionTo(blobOf(makeKey(dir, 'any')), rules, process.env);
    assert.match(objection ?? '', /ssh-keygen cannot parse .*broken\.krl/);
  });

  test('an RSA key that is too short is refused', async () => {
    await using sshd = await Sshd.start({ hostKeys: ['rsa'] });
    await logIn(sshd, ['RequiredRSASize=2048']);
    const short = logIn(sshd, ['RequiredRSASize=3072']);
    await rejectsWith(short, 'host-key', /its RSA key has 2048 bits, RequiredRSASize requires 3072/);
    assert.equal(rsaBitsOf(blobOf(makeKey(dir, 'ed'))), undefined);
  });

  test('a host that signs by SHA-1 only is refused until the configuration allows it', async () => {
    await using sshd = await Sshd.start({ hostKeys: ['rsa'], config: ['HostKeyAlgorithms ssh-rsa'] });
    const plain = logIn(sshd, []);
    await assert.rejects(plain, (error: FettleError) => {
      assert.match(error.message, /no matching host key format; it offers ssh-rsa/);
      assert.match(error.hint ?? '', /HostKeyAlgorithms \+ssh-rsa/);
      return error.code === 'connect';
    });
    await logIn(sshd, ['HostKeyAlgorithms=+ssh-rsa']);
  });

  test('lists of algorithms are obeyed, and the error lists what the host offers', async () => {
    await using sshd = await Sshd.start({
      config: ['KexAlgorithms curve25519-sha256', 'Ciphers aes256-ctr', 'MACs hmac-sha2-512'],
    });
    await logIn(sshd, ['KexAlgorithms=curve25519-sha256', 'Ciphers=aes128-ctr,aes256-ctr', 'MACs=hmac-sha2-512']);
    const cases = [
      ['KexAlgorithms=ecdh-sha2-nistp256', /no matching key exchange.*it offers curve25519-sha256/],
      ['Ciphers=aes128-ctr', /no matching .*cipher.*it offers aes256-ctr/],
      ['MACs=hmac-sha2-256', /no matching .*MAC.*it offers hmac-sha2-512/],
      ['HostKeyAlgorithms=rsa-sha2-512', /no matching host key format; it offers ssh-ed25519/],
    ] as const;
    for (const [option, error] of cases) await rejectsWith(logIn(sshd, [option]), 'connect', error);
  });

  test('a key of a type that may not log in is not offered', async () => {
    await using sshd = await Sshd.start();
    await logIn(sshd, ['PubkeyAcceptedAlgorithms=ssh-ed25519']);
    const opening = logIn(sshd, ['PubkeyAcceptedAlgorithms=rsa-sha2-512']);
    await rejectsWith(opening, 'auth', /there was nothing to offer.*not allowed by PubkeyAcceptedAlgorithms/);
  });
});

describe('private keys that others can read', { skip: noSshd }, () => {
  test('are ignored with a warning that names them, and refused where the inventory names them', async () => {
    await using sshd = await Sshd.start();
    const open = join(dir, 'open-key');
    writeFileSync(open, readFileSync(sshd.clientKey.file));
    chmodSync(open, 0o644);
    const warnings: string[] = [];
    const ours = { uid: process.getuid?.(), warn: (message: string): void => void warnings.push(message) };
    const named = logIn(sshd, [], { ...ours, keyFile: open });
    await rejectsWith(named, 'auth', /the private key \S+open-key for \S+ can be read by others \(mode 0644\)/);
    assert.match(
      warnings.join(),
      /warning: the private key \S+open-key can be read by others \(mode 0644\); it is ignored/,
    );
    chmodSync(open, 0o600);
    await logIn(sshd, [], { ...ours, keyFile: open });
  });
});

describe('a host that drops the connection before its first word', { skip: noSshd }, () => {
  /** Ends as many connections as told, as sshd does beyond MaxStartups, and hands the others to sshd. */
  async function dropping(drops: number, sshd: Sshd, work: (port: number) => Promise<void>): Promise<number> {
    let taken = 0;
    const server = createServer((client) => {
      taken += 1;
      client.on('error', () => undefined);
      if (taken <= drops) {
        client.destroy();
        return;
      }
      const host = connect(sshd.port, '127.0.0.1').on('error', () => undefined);
      client.pipe(host).pipe(client);
      client.on('close', () => host.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      await work((server.address() as AddressInfo).port);
    } finally {
      server.close();
    }
    return taken;
  }

  test('is tried once more', async () => {
    await using sshd = await Sshd.start();
    const taken = await dropping(1, sshd, async (port) => {
      const known = sshd.hostKeys.map(({ publicLine }) => `[127.0.0.1]:${port} ${publicLine}`);
      sshd.knownHosts('known_hosts', known);
      await logIn(sshd, [], { port });
    });
    assert.equal(taken, 2);
  });

  test('is unreachable after the second time, with the setting that may be behind it', async () => {
    await using sshd = await Sshd.start();
    const taken = await dropping(9, sshd, async (port) => {
      await assert.rejects(logIn(sshd, [], { port }), (error: FettleError) => {
        assert.match(error.hint ?? '', /MaxStartups/);
        return error.code === 'connect';
      });
    });
    assert.equal(taken, 2);
  });
});
