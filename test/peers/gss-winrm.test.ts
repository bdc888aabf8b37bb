// Our transport against a WinRM service in Python whose NTLM is gss-ntlmssp.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import type { WinrmSettings } from '../../src/domain/host.ts';
import { Secret } from '../../src/domain/secret.ts';
import { CredentialGuard } from '../../src/transport/credential-guard.ts';
import type { Session } from '../../src/transport/session.ts';
import { WinrmTransport } from '../../src/transport/winrm/winrm.ts';
import { rejectsWith } from '../contract/session.ts';
import { makeCertificate, type MadeCertificate } from '../support/winrm-server/certificate.ts';
import { hostAt } from '../transport/winrm/rig.ts';
import { GssWinrm, missingPython, missingSharedMechanism, ntlmUsers, scratch, type Notice } from './gss-peer.ts';

const password = 'Pass w0rd é';
const skip = missingPython('gssapi', 'python3-gssapi') || missingSharedMechanism('gssntlmssp', 'gss-ntlmssp');

describe('an independent WinRM service, with NTLM', { skip }, () => {
  test('runs a command with a large stdin and a large output, every message sealed', async () => {
    await using peer = await serve({});
    await using session = await peer.open();
    const stdin = 'grüße '.repeat(50_000);
    const result = await session.exec({ command: 'cat; echo done >&2; exit 7', stdin });
    assert.equal(result.stdout.toString(), stdin);
    assert.deepEqual([result.stderr.toString(), result.exitCode], ['done\n', 7]);
    assert.equal((await session.exec({ command: 'cat' })).stdout.length, 0);
    const notices = await peer.notices();
    assert.deepEqual(notices[0], { login: 'LAB\\patcher', isDelegated: false });
    assert.ok(notices.length > 8);
    assert.ok(
      notices.slice(1).every(({ sealed }) => sealed !== undefined),
      JSON.stringify(notices),
    );
  });

  test('gets messages sealed inside TLS too where that is asked for, with the binding it insists on', async () => {
    for (const messageEncryption of ['auto', 'always'] as const) {
      await using peer = await serve({ certificate: makeCertificate(), settings: { messageEncryption } });
      await using session = await peer.open();
      assert.equal((await session.exec({ command: 'echo bound' })).stdout.toString(), 'bound\n');
      const notices = await peer.notices();
      const isSealed = notices.some(({ sealed }) => sealed !== undefined);
      const isClear = notices.some(({ cleartext }) => cleartext !== undefined);
      assert.deepEqual([isSealed, isClear], messageEncryption === 'always' ? [true, false] : [false, true]);
    }
  });

  test('refuses a wrong password', async () => {
    await using peer = await serve({});
    await rejectsWith(peer.open('wrong'), 'auth', /./);
    const notices = await peer.notices();
    assert.deepEqual([notices.length, typeof notices[0]?.refused], [1, 'string']);
  });

  test('refuses a login that came through another certificate', async () => {
    const [shown, own] = [makeCertificate(), makeCertificate()];
    await using peer = await serve({ certificate: { ...shown, bindingHash: own.bindingHash } });
    await rejectsWith(peer.open(), 'auth', /./);
    assert.match((await peer.notices())[0]?.refused ?? '', /Major/);
  });
});

interface Serving extends AsyncDisposable {
  open(withPassword?: string): Promise<Session>;
  notices(): Promise<readonly Notice[]>;
}

interface Served {
  readonly certificate?: MadeCertificate;
  readonly settings?: Partial<WinrmSettings>;
}

async function serve({ certificate, settings = {} }: Served): Promise<Serving> {
  const place = scratch();
  const environment = ntlmUsers(place.dir, [`LAB:patcher:${password}`]);
  const tls = certificate === undefined ? {} : { certificate };
  const peer = await GssWinrm.start({ mechanism: 'ntlm', environment, dir: place.dir, ...tls });
  const caFile = join(place.dir, 'ca.pem');
  if (certificate !== undefined) writeFileSync(caFile, certificate.certificate);
  const scheme = certificate === undefined ? ({ scheme: 'http' } as const) : { caFile };
  const certificatesFile = join(place.dir, 'certificates');
  const transport = new WinrmTransport({ credentials: new CredentialGuard(), certificatesFile, clock: systemClock });
  return {
    open: (withPassword = password) => {
      const connection = { user: 'LAB\\patcher', password: new Secret(withPassword) };
      return transport.open(hostAt(peer.port, { settings: { ...scheme, auth: 'ntlm', ...settings }, connection }), {});
    },
    notices: () => peer.notices(),
    [Symbol.asyncDispose]: async () => {
      await peer[Symbol.asyncDispose]();
      place[Symbol.dispose]();
    },
  };
}
