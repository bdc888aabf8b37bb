// Our NTLM against samba: winbindd says who is let in and which key signing and sealing derive from.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { NtlmContext } from '../../src/transport/winrm/auth/ntlm.ts';
import { NtlmSealing } from '../support/winrm-server/ntlm-sealing.ts';
import { scratch } from './gss-peer.ts';
import { missingSamba, SambaPeer } from './samba-peer.ts';

const password = 'Pass w0rd';

describe('NTLM with samba at the other end', { skip: missingSamba() }, () => {
  for (const user of ['patcher', '.\\patcher', 'sambapeer\\PATCHER']) {
    test(`${user} is let in, and both ends have the same session key`, async () => {
      using place = scratch();
      await using samba = new SambaPeer({ dir: place.dir, user: 'patcher', password });
      using context = client(user, password);
      const last = await handshake(context, samba);
      assert.deepEqual(await samba.authenticate(last), { user: 'SAMBAPEER\\patcher' });
      const sealing = new NtlmSealing(await samba.sessionKey(), last.readUInt32LE(60));
      for (const plain of [Buffer.from('<a/>'), randomBytes(100_000)]) {
        assert.deepEqual(sealing.unseal(context.seal(plain)), plain);
        assert.deepEqual(context.unseal(sealing.seal(plain)), plain);
      }
    });
  }

  test('a wrong password is refused, and so is a message whose MIC is not its own', async () => {
    using place = scratch();
    await using samba = new SambaPeer({ dir: place.dir, user: 'patcher', password });
    using wrong = client('patcher', 'password');
    const refused = await samba.authenticate(await handshake(wrong, samba));
    assert.match('refused' in refused ? refused.refused : '', /NT_STATUS_(WRONG_PASSWORD|LOGON_FAILURE)/);
    using right = client('patcher', password);
    const last = await handshake(right, samba);
    last[75] = (last[75] ?? 0) ^ 1;
    assert.ok('refused' in (await samba.authenticate(last)));
  });
});

function client(user: string, text: string): NtlmContext {
  return new NtlmContext({
    user,
    password: text,
    serviceHost: 'win01.lab.test',
    isSealingRequired: true,
    randomBytes: (size) => randomBytes(size),
    now: () => Date.now(),
  });
}

/** AUTHENTICATE_MESSAGE for samba's challenge. */
async function handshake(context: NtlmContext, samba: SambaPeer): Promise<Buffer> {
  const negotiate = context.step()?.token ?? assert.fail('there is no first message');
  return context.step(await samba.challenge(negotiate))?.token ?? assert.fail('there is no last message');
}
