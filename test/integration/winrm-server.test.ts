// The WinRM server of the tests, tried by an independent client: Debian's python3-winrm.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { text } from 'node:stream/consumers';
import { legacyConfiguration, missingPython, python } from '../peers/gss-peer.ts';
import { makeCertificate, type MadeCertificate } from '../support/winrm-server/certificate.ts';
import { md4 } from '../support/winrm-server/md4.ts';
import { NtlmSealing } from '../support/winrm-server/ntlm-sealing.ts';
import { ntlmChannelBinding, RefusedHandshake, verifyHandshake } from '../support/winrm-server/ntlm-verify.ts';
import { ScriptedHost } from '../support/winrm-server/scripted-host.ts';
import { startWinrmServer, type WinrmServer, type WinrmServerOptions } from '../support/winrm-server/winrm-server.ts';

interface ClientResult {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
  readonly error?: string;
  readonly message?: string;
}

interface ClientRequest {
  readonly transport: 'ntlm' | 'basic';
  readonly command: string;
  readonly stdin?: string;
  readonly as?: { readonly user: string; readonly password: string };
  readonly operationTimeout?: number;
  /** Default auto: sealed over plain HTTP. */
  readonly encryption?: 'never';
}

const client = join(import.meta.dirname, '../peers/winrm_client.py');
const account = { user: 'patcher', password: 'Pass w0rd é' };
// The client writes Basic in Latin-1.
const plainAccount = { user: 'local', password: 'Pass:w0rd' };
const noClient = missingPython('winrm, requests_ntlm, xmltodict', 'python3-winrm');

describe('the known handshake of MS-NLMP', () => {
  const negotiate = hex('4e544c4d5353500001000000358288e2000000002800000000000000280000000a00614a0000000f');
  const challenge = hex(
    '4e544c4d53535000020000000600060038000000358289e20123456789abcdef00000000000000005c005c003e0000000a00614a0000000f' +
      '4c0041004200020006004c004100420001000a00570049004e0030003100040010006c00610062002e00740065007300740003001c0077' +
      '0069006e00300031002e006c00610062002e007400650073007400070008000090d336b734c30100000000',
  );
  const authenticate = hex(
    '4e544c4d53535000030000001800180058000000d200d20070000000060006004201000008000800480100000c000c0050010000100010005c01' +
      '0000358289e20a00614a0000000fa16803a3375686425cc16990e85917fc000000000000000000000000000000000000000000000000cee8' +
      'f7f03acc320037bd3ee80239afde01010000000000000090d336b734c301aaaaaaaaaaaaaaaa00000000020006004c004100420001000a00' +
      '570049004e0030003100040010006c00610062002e00740065007300740003001c00770069006e00300031002e006c00610062002e007400' +
      '650073007400070008000090d336b734c30106000400020000000a0010006586e99d81c2fc984e47172fd4dd03100900260048005400540050' +
      '002f00770069006e00300031002e006c00610062002e00740065007300740000000000000000004c0041004200550073006500720043004c' +
      '00490045004e005400b2bd4989e9583a15544af925f289ea38',
  );
  const known = { negotiate, challenge, authenticate };

  test('MD4 gives the digests of RFC 1320', () => {
    assert.equal(md4(Buffer.from('')).toString('hex'), '31d6cfe0d16ae931b73c59d7e0c089c0');
    assert.equal(md4(Buffer.from('abc')).toString('hex'), 'a448017aaf21d8525fc10ae87aa6729d');
    assert.equal(md4(Buffer.from('1234567890'.repeat(8))).toString('hex'), 'e33b4ddc9c38f2199c3e7b164fcc0536');
  });

  test('the right password is let in, with its session key, binding and service', () => {
    const verified = verifyHandshake(known, 'Password');
    assert.equal(verified.exportedKey.toString('hex'), '55'.repeat(16));
    assert.equal(verified.user, 'User');
    const hash = hex('ea05fefecc6b0bd571dbbc5baa3ed45386d0446835f7b74c85621b9983475f95');
    assert.deepEqual(verified.pairs.get(10), ntlmChannelBinding(hash));
    assert.equal(verified.pairs.get(9)?.toString('utf16le'), 'HTTP/win01.lab.test');
  });

  test('another password, another MIC and changed target information are refused', () => {
    assert.throws(() => verifyHandshake(known, 'password'), RefusedHandshake);
    for (const at of [72, 0x70 + 60]) {
      const changed = Buffer.from(authenticate);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.throws(() => verifyHandshake({ ...known, authenticate: changed }, 'Password'), RefusedHandshake);
    }
    const other = Buffer.from(negotiate);
    other[30] = 1;
    assert.throws(() => verifyHandshake({ ...known, negotiate: other }, 'Password'), /MIC/);
  });

  test('sealed messages open in their order only', () => {
    const first = { ciphertext: hex('3884425b'), signature: hex('01000000fb3e08e09d7f22b500000000') };
    const second = {
      ciphertext: hex('977e1469e13b2febc3e7446a6d1a'),
      signature: hex('010000000171fc073218976a01000000'),
    };
    const inOrder = new NtlmSealing(Buffer.alloc(16, 0x55), 0xe2898235);
    assert.equal(inOrder.unseal(first)?.toString(), '<a/>');
    assert.equal(inOrder.unseal(second)?.toString(), 'second message');
    assert.equal(new NtlmSealing(Buffer.alloc(16, 0x55), 0xe2898235).unseal(second), undefined);
  });
});

describe('an independent client', { skip: noClient }, () => {
  test('runs a command with stdin over plain HTTP, every message sealed', async () => {
    await using made = await serve({});
    const result = await run(made.server, {
      transport: 'ntlm',
      command: 'tr a-z A-Z; echo oops >&2; exit 7',
      stdin: 'grüße',
    });
    assert.deepEqual(result, { stdout: 'GRüßE', stderr: 'oops\n', exitCode: 7 });
    const { operations, refusedCleartext, logins } = made.server.stats;
    // A busy machine may need a second Receive.
    const names = new Set(operations.map(({ name }) => name));
    assert.deepEqual([...names], ['Create', 'Command', 'Send', 'Receive', 'Signal', 'Delete']);
    assert.ok(operations.every(({ isSealed }) => isSealed));
    assert.deepEqual([refusedCleartext, logins, made.server.shells.length], [0, 1, 0]);
  });

  test('gets a large output in many answers, torn and chunked, characters split over the pieces', async () => {
    for (const shape of [{ splitBytes: 700 }, { chunkBytes: 333, hasTrailers: true }]) {
      await using made = await serve({ shape, streamBytes: 997 });
      const result = await run(made.server, { transport: 'ntlm', command: 'yes grüße | head -c 300000' });
      assert.equal(result.stdout, 'grüße\n'.repeat(37_500), result.message);
      assert.ok(made.server.stats.operations.filter(({ name }) => name === 'Receive').length > 2);
    }
  });

  test('continues after the fault that nothing came in time', async () => {
    await using made = await serve({});
    const result = await run(made.server, { transport: 'ntlm', command: 'sleep 1.3; echo late', operationTimeout: 1 });
    assert.equal(result.stdout, 'late\n', result.message);
    assert.ok(made.server.stats.operations.some(({ faultCode }) => faultCode === 2150858793));
  });

  test('gets an empty 500 for messages in the clear, unless they are allowed', async () => {
    for (const isUnencryptedAllowed of [false, true]) {
      await using made = await serve({ isUnencryptedAllowed });
      const result = await run(made.server, { transport: 'ntlm', encryption: 'never', command: 'echo clear' });
      assert.equal(result.stdout, isUnencryptedAllowed ? 'clear\n' : undefined);
      assert.equal(made.server.stats.refusedCleartext, isUnencryptedAllowed ? 0 : 1);
      if (!isUnencryptedAllowed) assert.match(result.message ?? '', /500/);
    }
  });

  test('is refused with a wrong password, and the connection without login stays out', async () => {
    await using made = await serve({});
    const result = await run(made.server, {
      transport: 'ntlm',
      command: 'echo in',
      as: { ...account, password: 'wrong' },
    });
    assert.equal(result.error, 'InvalidCredentialsError');
    assert.deepEqual(made.server.stats.failedLogins[0], { user: account.user, why: 'the password is wrong' });
    assert.equal(made.server.stats.operations.length, 0);
  });

  for (const digest of ['sha256', 'sha384'] as const) {
    test(`sends the channel binding that a strict server wants, ${digest}`, async () => {
      await using made = await serve({
        certificate: makeCertificate({ digest, keyType: 'rsa' }),
        bindingLevel: 'strict',
      });
      const result = await run(made.server, { transport: 'ntlm', command: 'echo bound' });
      assert.equal(result.stdout, 'bound\n', result.message);
      assert.equal(made.server.stats.channelBindings.length, 1);
    });
  }

  test('is refused by a server whose certificate has changed', async () => {
    const [seen, other] = [makeCertificate({ keyType: 'rsa' }), makeCertificate()];
    const certificate: MadeCertificate = { ...seen, bindingHash: other.bindingHash };
    await using made = await serve({ certificate });
    const result = await run(made.server, { transport: 'ntlm', command: 'echo in' });
    assert.equal(result.error, 'InvalidCredentialsError');
    assert.match(made.server.stats.failedLogins[0]?.why ?? '', /channel binding/);
  });

  test('logs in with Basic inside TLS where that is allowed, and nowhere else', async () => {
    const certificate = makeCertificate();
    {
      await using made = await serve({ certificate, isBasicAllowed: true });
      const request = { transport: 'basic', as: plainAccount, command: 'cat; exit 3', stdin: 'in' } as const;
      const result = await run(made.server, request);
      assert.deepEqual(result, { stdout: 'in', stderr: '', exitCode: 3 });
    }
    await using made = await serve({ certificate });
    const refused = await run(made.server, { transport: 'basic', as: plainAccount, command: 'echo in' });
    assert.equal(refused.error, 'InvalidCredentialsError');
  });
});

interface Served extends AsyncDisposable {
  readonly server: WinrmServer;
}

async function serve(options: Partial<WinrmServerOptions>): Promise<Served> {
  const commands = new ScriptedHost();
  const server = await startWinrmServer({ commands, accounts: [account, plainAccount], ...options });
  return {
    server,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      commands[Symbol.dispose]();
    },
  };
}

async function run(server: WinrmServer, request: ClientRequest): Promise<ClientResult> {
  const dir = mkdtempSync(join(tmpdir(), 'fettle-winrm-client-'));
  try {
    const ca = server.certificate === undefined ? null : join(dir, 'ca');
    if (ca !== null) writeFileSync(ca, server.certificate?.certificate ?? '');
    // MD4 is in the legacy provider, which OpenSSL 3 does not load by itself.
    writeFileSync(join(dir, 'openssl.cnf'), legacyConfiguration);
    const env = { PATH: '/usr/bin:/bin', OPENSSL_CONF: join(dir, 'openssl.cnf'), HOME: dir };
    const child = spawn(python, [client], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    const scheme = ca === null ? 'http' : 'https';
    const { stdin = null, as = account, transport, command, operationTimeout = 5, encryption = 'auto' } = request;
    const endpoint = `${scheme}://localhost:${server.port}/wsman`;
    const asked = { endpoint, transport, user: as.user, password: as.password, ca, command, stdin };
    child.stdin.end(JSON.stringify({ ...asked, operation_timeout: operationTimeout, encryption }));
    const [out, problems] = await Promise.all([text(child.stdout), text(child.stderr)]);
    assert.notEqual(out, '', problems);
    return JSON.parse(out) as ClientResult;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function hex(digits: string): Buffer {
  return Buffer.from(digits, 'hex');
}
