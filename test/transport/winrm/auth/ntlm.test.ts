import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FettleError } from '../../../../src/domain/error.ts';
import { channelBindingHash, tlsServerEndPoint } from '../../../../src/transport/winrm/auth/channel-binding.ts';
import { ntlmFlags } from '../../../../src/transport/winrm/auth/ntlm-message.ts';
import { NtlmContext } from '../../../../src/transport/winrm/auth/ntlm.ts';
import { NtlmSealing } from '../../../../src/transport/winrm/auth/sealing.ts';
import type { ContextRequest } from '../../../../src/transport/winrm/auth/security-context.ts';
import { makeCertificate } from '../../../support/winrm-server/certificate.ts';

const challenge = Buffer.from(
  '4e544c4d53535000020000000600060038000000358289e20123456789abcdef00000000000000005c005c003e0000000a00614a0000000f' +
    '4c0041004200020006004c004100420001000a00570049004e0030003100040010006c00610062002e0074006500730074000300' +
    '1c00770069006e00300031002e006c00610062002e007400650073007400070008000090d336b734c30100000000',
  'hex',
);
const negotiate = '4e544c4d5353500001000000358288e2000000002800000000000000280000000a00614a0000000f';
const sessionKey = Buffer.alloc(16, 0x55);
const channelBinding = Buffer.concat([
  Buffer.from('tls-server-end-point:'),
  Buffer.from('ea05fefecc6b0bd571dbbc5baa3ed45386d0446835f7b74c85621b9983475f95', 'hex'),
]);

/** Randomness as in the protocol document: client challenge 0xaa, session key 0x55. */
const request: ContextRequest = {
  user: 'LAB\\User',
  password: 'Password',
  serviceHost: 'win01.lab.test',
  workstation: 'CLIENT',
  isSealingRequired: true,
  randomBytes: (size) => Buffer.alloc(size, size === 8 ? 0xaa : 0x55),
  now: () => 0,
};

function authenticate(options: Partial<ContextRequest> = {}, message: Buffer = challenge): Buffer {
  const context = new NtlmContext({ ...request, ...options });
  context.step();
  return context.step(message)?.token ?? Buffer.alloc(0);
}

function withFlags(change: (flags: number) => number): Buffer {
  const message = Buffer.from(challenge);
  message.writeUInt32LE(change(message.readUInt32LE(20)) >>> 0, 20);
  return message;
}

function isAuth(pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof FettleError && error.code === 'auth' && pattern.test(error.message);
}

/** The value of one pair of the NT response. */
function pair(message: Buffer, id: number): Buffer | undefined {
  const at = message.readUInt32LE(24) + 16 + 28;
  for (let offset = at; message.readUInt16LE(offset) !== 0; offset += 4 + message.readUInt16LE(offset + 2)) {
    const end = offset + 4 + message.readUInt16LE(offset + 2);
    if (message.readUInt16LE(offset) === id) return message.subarray(offset + 4, end);
  }
  return undefined;
}

/** Of the whole login below: worked out with two independent implementations. */
const authenticated =
  '4e544c4d53535000030000001800180058000000d200d20070000000060006004201000008000800480100000c000c005001' +
  '0000100010005c010000358289e20a00614a0000000fa16803a3375686425cc16990e85917fc000000000000000000000000' +
  '000000000000000000000000cee8f7f03acc320037bd3ee80239afde01010000000000000090d336b734c301aaaaaaaaaaaa' +
  'aaaa00000000020006004c004100420001000a00570049004e0030003100040010006c00610062002e007400650073007400' +
  '03001c00770069006e00300031002e006c00610062002e007400650073007400070008000090d336b734c301060004000200' +
  '00000a0010006586e99d81c2fc984e47172fd4dd03100900260048005400540050002f00770069006e00300031002e006c00' +
  '610062002e00740065007300740000000000000000004c0041004200550073006500720043004c00490045004e005400b2bd' +
  '4989e9583a15544af925f289ea38';

test('a whole login with time, MIC, binding and service name is byte for byte as known, and so is what it seals', () => {
  const context = new NtlmContext(request, channelBinding);
  assert.equal(context.step()?.token.toString('hex'), negotiate);
  assert.equal(context.step(challenge)?.token.toString('hex'), authenticated);
  const sealed = ['<a/>', 'second message'].map((text) => context.seal(Buffer.from(text)));
  assert.deepEqual(
    sealed.map(({ ciphertext, signature }) => [ciphertext.toString('hex'), signature.toString('hex')]),
    [
      ['3884425b', '01000000fb3e08e09d7f22b500000000'],
      ['977e1469e13b2febc3e7446a6d1a', '010000000171fc073218976a01000000'],
    ],
  );
});

test('what the host seals arrives', () => {
  const context = new NtlmContext(request);
  context.step();
  context.step(challenge);
  const server = new NtlmSealing({ sessionKey, flags: 0xe289_8235, side: 'server' });
  assert.equal(server.unseal(context.seal(Buffer.from('<a/>'))).toString(), '<a/>');
  assert.equal(context.unseal(server.seal(Buffer.from('<b/>'))).toString(), '<b/>');
});

test('the first message requests everything and reveals nothing', () => {
  const context = new NtlmContext(request);
  assert.deepEqual(context.step(), { token: Buffer.from(negotiate, 'hex'), isLast: false });
  assert.equal(context.isComplete, false);
  assert.equal(context.scheme, 'Negotiate');
});

test('the login ends with its second message', () => {
  const context = new NtlmContext(request);
  context.step();
  assert.equal(context.step(challenge)?.isLast, true);
  assert.equal(context.isComplete, true);
  assert.equal(context.step(challenge), undefined);
});

test('a binding is sent with a certificate and not without one', () => {
  const { der } = makeCertificate();
  const binding = channelBindingHash(tlsServerEndPoint(der));
  assert.deepEqual(pair(authenticate({ certificate: der }), 10), binding);
  assert.equal(pair(authenticate(), 10), undefined);
  assert.equal(pair(authenticate(), 9)?.toString('utf16le'), 'HTTP/win01.lab.test');
});

test('a binding or service name of the host is replaced by one of fettle', () => {
  const message = Buffer.concat([
    challenge.subarray(0, challenge.length - 4),
    Buffer.from('0a00020041410900020042420000', 'hex'),
    Buffer.alloc(2),
  ]);
  message.writeUInt16LE(0x5c + 12, 40);
  const answer = authenticate({}, message);
  assert.equal(pair(answer, 10), undefined);
  assert.equal(pair(answer, 9)?.toString('utf16le'), 'HTTP/win01.lab.test');
});

test('flags of the host keep their other bits next to the one for the MIC', () => {
  const message = Buffer.concat([
    challenge.subarray(0, challenge.length - 4),
    Buffer.from('06000400010000000000', 'hex'),
    Buffer.alloc(2),
  ]);
  message.writeUInt16LE(0x5c + 8, 40);
  assert.equal(pair(authenticate({}, message), 6)?.toString('hex'), '03000000');
});

test('what the host claims to have agreed to beyond our wish is not echoed', () => {
  assert.equal(
    authenticate(
      {},
      withFlags((flags) => flags | 0x0000_0882),
    ).readUInt32LE(60),
    0xe289_8235,
  );
});

test('a host that drops a protection is refused when messages must be sealed', () => {
  const { seal, sign, extendedSessionSecurity, bits128 } = ntlmFlags;
  for (const flag of [seal, sign, extendedSessionSecurity, bits128]) {
    assert.throws(
      () =>
        authenticate(
          {},
          withFlags((flags) => flags & ~flag),
        ),
      isAuth(/win01\.lab\.test refuses/),
    );
  }
  assert.throws(
    () =>
      authenticate(
        {},
        withFlags((flags) => flags & ~ntlmFlags.targetInfo),
      ),
    isAuth(/time for the MIC/),
  );
  assert.throws(
    () =>
      authenticate(
        { isSealingRequired: false },
        withFlags((flags) => flags & ~1),
      ),
    isAuth(/Unicode/),
  );
});

test('inside of TLS a host may do without, but nothing can be sealed then', () => {
  const context = new NtlmContext({ ...request, isSealingRequired: false });
  context.step();
  assert.equal(context.step(withFlags((flags) => flags & ~ntlmFlags.seal))?.isLast, true);
  assert.throws(() => context.seal(Buffer.from('<a/>')), /nothing was agreed on/);
});

test('without key exchange the session key is not sent and sealing goes on with the other one', () => {
  const context = new NtlmContext(request, channelBinding);
  context.step();
  const token = context.step(withFlags((flags) => flags & ~ntlmFlags.keyExchange))?.token;
  assert.equal(token?.readUInt16LE(52), 0);
  const sessionKey = Buffer.from('38646ab769294293874ea4870af1f254', 'hex');
  const flags = (0xe289_8235 & ~ntlmFlags.keyExchange) >>> 0;
  const server = new NtlmSealing({ sessionKey, flags, side: 'server' });
  assert.equal(server.unseal(context.seal(Buffer.from('<a/>'))).toString(), '<a/>');
});

test('a user and a password are needed', () => {
  assert.throws(() => new NtlmContext({ ...request, user: '' }), isAuth(/needs a user and a password/));
  const { password: _none, ...withoutPassword } = request;
  assert.throws(() => new NtlmContext(withoutPassword), isAuth(/needs a user and a password/));
});

test('a name that does not fit a message is refused', () => {
  assert.throws(() => authenticate({ user: 'u'.repeat(40_000) }), isAuth(/too long/));
  assert.throws(() => authenticate({ serviceHost: 'h'.repeat(40_000) }), isAuth(/too long/));
});

test('after it is disposed of a login is of no use', () => {
  const context = new NtlmContext(request);
  context.step();
  context.step(challenge);
  context[Symbol.dispose]();
  assert.throws(() => context.seal(Buffer.from('<a/>')), FettleError);
  assert.throws(() => context.step(), FettleError);
});

test('keys do not outlive the login', () => {
  const keys: Buffer[] = [];
  const context = new NtlmContext({
    ...request,
    randomBytes: (size) => {
      const bytes = request.randomBytes(size);
      if (size === 16) keys.push(bytes);
      return bytes;
    },
  });
  context.step();
  context.step(challenge);
  assert.deepEqual(keys, [Buffer.alloc(16)]);
});
