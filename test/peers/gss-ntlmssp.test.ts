// Our NTLM against gss-ntlmssp, an implementation of its own.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { NtlmContext } from '../../src/transport/winrm/auth/ntlm.ts';
import { makeCertificate } from '../support/winrm-server/certificate.ts';
import { GssContext, missingPython, missingSharedMechanism, ntlmUsers, scratch } from './gss-peer.ts';

const password = 'Pass w0rd é';
const skip = missingPython('gssapi', 'python3-gssapi') || missingSharedMechanism('gssntlmssp', 'gss-ntlmssp');

interface Login {
  readonly user?: string;
  readonly password?: string;
  /** The certificate the client saw. */
  readonly certificate?: Buffer;
  /** The hash the acceptor insists on. */
  readonly binding?: Buffer;
}

describe('NTLM with gss-ntlmssp at the other end', { skip }, () => {
  test('a login is accepted, and messages open in both directions, small and large, in their order', async () => {
    await using both = await login({});
    assert.equal(both.context.isComplete, true);
    assert.deepEqual(await both.peer.initiator(), { name: 'LAB\\patcher', isDelegated: false });
    for (const plain of [Buffer.from('<a/>'), randomBytes(150_000), Buffer.from('second'), randomBytes(1)]) {
      assert.deepEqual(await both.peer.unseal(both.context.seal(plain)), plain);
      assert.deepEqual(both.context.unseal(await both.peer.seal(plain)), plain);
    }
  });

  test('a message that was changed on the way is refused at either end', async () => {
    await using there = await login({});
    const sent = there.context.seal(Buffer.from('do nothing'));
    sent.ciphertext[3] = (sent.ciphertext[3] ?? 0) ^ 1;
    await assert.rejects(there.peer.unseal(sent));
    await using back = await login({});
    const received = await back.peer.seal(Buffer.from('it is done'));
    received.signature[5] = (received.signature[5] ?? 0) ^ 1;
    assert.throws(() => back.context.unseal(received), { code: 'lost' });
  });

  test('a wrong password and an unknown user are refused', async () => {
    await refused({ password: 'Pass w0rd e' });
    await refused({ user: 'LAB\\somebody' });
  });

  for (const options of [{}, { digest: 'sha384' }, { keyType: 'rsa', digest: 'sha512' }] as const) {
    test(`the binding to the certificate is what the other end expects: ${JSON.stringify(options)}`, async () => {
      const certificate = makeCertificate(options);
      await using both = await login({ certificate: certificate.der, binding: certificate.bindingHash });
      assert.equal((await both.peer.initiator()).name, 'LAB\\patcher');
    });
  }

  test('a binding to another certificate is refused', async () => {
    const [seen, presented] = [makeCertificate(), makeCertificate()];
    await refused({ certificate: seen.der, binding: presented.bindingHash });
  });
});

interface Both extends AsyncDisposable {
  readonly context: NtlmContext;
  readonly peer: GssContext;
}

async function login(asked: Login): Promise<Both> {
  const place = scratch();
  const environment = ntlmUsers(place.dir, [`LAB:patcher:${password}`]);
  const peer = new GssContext('ntlm', {
    environment,
    ...(asked.binding === undefined ? {} : { binding: asked.binding }),
  });
  const context = new NtlmContext({
    user: asked.user ?? 'LAB\\patcher',
    password: asked.password ?? password,
    serviceHost: 'win01.lab.test',
    isSealingRequired: true,
    randomBytes: (size) => randomBytes(size),
    now: () => Date.now(),
    ...(asked.certificate === undefined ? {} : { certificate: asked.certificate }),
  });
  const both = {
    context,
    peer,
    [Symbol.asyncDispose]: async () => {
      context[Symbol.dispose]();
      await peer[Symbol.asyncDispose]();
      place[Symbol.dispose]();
    },
  };
  try {
    const { token: challenge } = await peer.step(required(context.step()?.token));
    const { isComplete } = await peer.step(required(context.step(required(challenge))?.token));
    assert.equal(isComplete, true);
    return both;
  } catch (error) {
    await both[Symbol.asyncDispose]();
    throw error;
  }
}

/** The other end's library says no. */
async function refused(asked: Login): Promise<void> {
  const tried = async (): Promise<void> => {
    await using both = await login(asked);
    assert.fail(`${(await both.peer.initiator()).name} was let in`);
  };
  await assert.rejects(tried, /^Error: (GSSError|\w+Error): .*Major/);
}

function required(token: Buffer | undefined): Buffer {
  return token ?? assert.fail('there is no token');
}
