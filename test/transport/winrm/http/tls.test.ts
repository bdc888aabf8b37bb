import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createServer } from 'node:tls';
import { FettleError } from '../../../../src/domain/error.ts';
import { KnownCertificates } from '../../../../src/transport/winrm/http/known-certificates.ts';
import { rejectsWith } from '../../../contract/session.ts';
import { makeCertificate } from '../../../support/winrm-server/certificate.ts';
import { listen } from '../peer.ts';
import { account, Rig, sharedCertificate } from '../rig.ts';

const basic = { server: { isBasicAllowed: true }, settings: { auth: 'basic' } } as const;

describe('a host whose TLS is too old', () => {
  test('is reported in plain words, on one line, with what to switch on', async () => {
    const { certificate, key } = sharedCertificate();
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const server = createServer({ cert: certificate, key, ...old }).listen(0, '127.0.0.1');
    server.on('tlsClientError', () => undefined);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await using rig = await Rig.start({ scheme: 'https' });
    const error = await rig.open(rig.with({}, { port })).catch((thrown: unknown) => thrown);
    server.close();
    assert.ok(error instanceof FettleError);
    assert.equal(error.code, 'connect');
    assert.match(error.message, /offers no TLS 1\.2/);
    assert.doesNotMatch(error.message, /\n|error:|ssl\//);
    assert.match(error.hint ?? '', /SCHANNEL\\Protocols/);
  });
});

describe('the certificate of a host', () => {
  test('is taken when its authority is known and its name fits', async () => {
    await using rig = await Rig.start({ scheme: 'https' });
    assert.equal((await (await rig.open()).exec({ command: 'exit 3' })).exitCode, 3);
  });

  test('is refused when it is self-signed, before anything is sent, naming its fingerprint', async () => {
    await using rig = await Rig.start({ scheme: 'https', ...basic });
    const { caFile: _ca, ...winrm } = rig.host.connection.winrm ?? assert.fail();
    const host = { ...rig.host, connection: { ...rig.host.connection, winrm } };
    const words = new RegExp(`cannot be trusted: it is self-signed \\(sha256:${sharedCertificate().fingerprint}\\)`);
    await rejectsWith(rig.open(host), 'host-key', words);
    assert.equal(rig.server.stats.requests, 0);
  });

  test('is refused when it has expired or is for another name', async () => {
    await using expired = await Rig.start({ scheme: 'https', certificate: makeCertificate({ isExpired: true }) });
    await rejectsWith(expired.open(), 'host-key', /it has expired/);
    await using rig = await Rig.start({ scheme: 'https' });
    await rejectsWith(rig.open(rig.with({}, { address: '127.0.0.2' })), 'connect', /refuses the connection/);
    await using elsewhere = await Rig.start({ scheme: 'https', server: { listen: { address: '127.0.0.2' } } });
    await rejectsWith(elsewhere.open(elsewhere.with({}, { address: '127.0.0.2' })), 'host-key', /for another name/);
  });

  test('is taken without an authority when it is the pinned one, however the pin is written', async () => {
    const { fingerprint } = sharedCertificate();
    const colons = fingerprint.toUpperCase().replace(/..(?=.)/g, '$&:');
    await using rig = await Rig.start({ scheme: 'https' });
    for (const certificatePin of [fingerprint, colons, `sha256:${fingerprint}`]) {
      await rig.open(withoutCa(rig, certificatePin));
    }
    const other = fingerprint.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    const words = new RegExp(`instead of sha256:${other}`);
    await rejectsWith(rig.open(withoutCa(rig, other)), 'host-key', words);
    await rejectsWith(rig.open(withoutCa(rig, 'abc')), 'config', /is not a SHA-256 digest/);
  });

  test('is written down on first use, and refused with both fingerprints when it changes', async () => {
    const certificatePolicy = 'trust-on-first-use';
    await using rig = await Rig.start({ scheme: 'https' });
    await rig.open(rig.with({ certificatePolicy }));
    await rig.open(rig.with({ certificatePolicy }));
    const { fingerprint } = sharedCertificate();
    assert.equal(readFileSync(rig.certificatesFile, 'utf8'), `[127.0.0.1]:${rig.server.port} sha256:${fingerprint}\n`);
    assert.equal(statSync(rig.certificatesFile).mode & 0o777, 0o600);
    const before = '0'.repeat(64);
    writeFileSync(rig.certificatesFile, `# mine\n[127.0.0.1]:${rig.server.port} sha256:${before}\n`);
    const { requests } = rig.server.stats;
    const words = new RegExp(`sha256:${fingerprint}; .*winrm_certificates has sha256:${before}`);
    await rejectsWith(rig.open(rig.with({ certificatePolicy })), 'host-key', words);
    assert.equal(rig.server.stats.requests, requests);
  });

  test('may be any where that was asked for by name', async () => {
    await using rig = await Rig.start({ scheme: 'https', certificate: makeCertificate({ isExpired: true }) });
    await rig.open(rig.with({ certificatePolicy: 'off' }));
  });

  test('files that are not there or are no certificates are mistakes of the inventory', async () => {
    await using rig = await Rig.start({ scheme: 'https' });
    await rejectsWith(
      rig.open(rig.with({ caFile: '/nonexistent/ca.pem' })),
      'config',
      /ca\.pem cannot be opened: no such file/,
    );
    const junk = join(rig.dir, 'junk.pem');
    writeFileSync(junk, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    const files = { auth: 'certificate', certFile: junk, keyFile: junk } as const;
    await rejectsWith(rig.open(rig.with(files)), 'config', /junk\.pem cannot be used for TLS/);
  });
});

describe('a client certificate', () => {
  test('logs in where it is mapped to an account, with TLS 1.2', async () => {
    const mine = makeCertificate({ commonName: account.user, isForClient: true });
    const clientCertificates = [{ certificate: mine.certificate, user: account.user }];
    await using rig = await Rig.start({ scheme: 'https', server: { clientCertificates } });
    const [certFile, keyFile] = [join(rig.dir, 'mine.pem'), join(rig.dir, 'mine.key')];
    writeFileSync(certFile, mine.certificate);
    writeFileSync(keyFile, mine.key);
    const session = await rig.open(rig.with({ auth: 'certificate', certFile, keyFile }));
    assert.equal((await session.exec({ command: 'cat', stdin: 'x' })).stdout.toString(), 'x');
  });

  test('that is not mapped is refused', async () => {
    const mine = makeCertificate({ commonName: 'stranger', isForClient: true });
    const mapped = makeCertificate({ commonName: account.user, isForClient: true });
    const clientCertificates = [{ certificate: mapped.certificate, user: account.user }];
    await using rig = await Rig.start({ scheme: 'https', server: { clientCertificates } });
    const certFile = join(rig.dir, 'mine.pem');
    writeFileSync(certFile, `${mine.certificate}${mine.key}`);
    await rejectsWith(
      rig.open(rig.with({ auth: 'certificate', certFile })),
      'auth',
      /refuses the certificate login of us/,
    );
  });
});

describe('the wrong scheme', () => {
  test('https to a port with http is reported as such', async () => {
    const answer = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
    await using peer = await listen((socket) => socket.once('data', () => socket.end(answer)));
    await using rig = await Rig.start({ scheme: 'https' });
    const opened = rig.open(rig.with({}, { port: peer.port }));
    await rejectsWith(opened, 'connect', /speaks plain http where TLS was expected \(tls\)/);
  });

  test('http to a port with https is reported as such, or as a closed connection', async () => {
    await using rig = await Rig.start({ scheme: 'https' });
    await assert.rejects(rig.open(rig.with({ scheme: 'http' })), /speaks TLS where plain http|closed the connection/);
  });
});

describe('known certificates', () => {
  test('of several hosts written at once all get their line', async () => {
    await using rig = await Rig.start();
    const known = new KnownCertificates(rig.certificatesFile);
    const fingerprint = 'a'.repeat(64);
    await Promise.all(Array.from({ length: 20 }, (_, at) => known.add(`HOST${at}`, 5986, fingerprint)));
    for (let at = 0; at < 20; at += 1) assert.deepEqual(await known.of(`host${at}`, 5986), [fingerprint]);
    assert.deepEqual(await known.of('host1', 5985), []);
  });

  test('in a file without a last line end do not run into the new one', async () => {
    await using rig = await Rig.start();
    const file = join(rig.dir, 'known');
    writeFileSync(file, `[old]:5986 sha256:${'b'.repeat(64)}`);
    const known = new KnownCertificates(file);
    await known.add('new', 5986, 'c'.repeat(64));
    assert.deepEqual([await known.of('old', 5986), await known.of('new', 5986)], [['b'.repeat(64)], ['c'.repeat(64)]]);
  });

  test('that cannot be written or read are an error, and the host is not trusted', async () => {
    await using rig = await Rig.start({ scheme: 'https' });
    writeFileSync(join(rig.dir, 'state'), 'a file where a directory should be');
    await rejectsWith(rig.open(rig.with({ certificatePolicy: 'trust-on-first-use' })), 'host-key', /cannot be/);
  });
});

/** Pinned, and without a CA file. */
function withoutCa(rig: Rig, certificatePin: string): ReturnType<Rig['with']> {
  const host = rig.with({ certificatePolicy: 'pin', certificatePin });
  const { caFile: _ca, ...winrm } = host.connection.winrm ?? assert.fail();
  return { ...host, connection: { ...host.connection, winrm } };
}
