// Our Kerberos against an MIT realm: its KDC gives the tickets, its GSSAPI accepts them in a process of its own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { Secret } from '../../src/domain/secret.ts';
import { CredentialGuard } from '../../src/transport/credential-guard.ts';
import { openKerberos } from '../../src/transport/winrm/auth/kerberos.ts';
import type { ContextRequest, SecurityContext } from '../../src/transport/winrm/auth/security-context.ts';
import { WinrmTransport } from '../../src/transport/winrm/winrm.ts';
import { rejectsWith } from '../contract/session.ts';
import { makeCertificate, type MadeCertificate } from '../support/winrm-server/certificate.ts';
import { hostAt } from '../transport/winrm/rig.ts';
import { GssContext, GssWinrm, missingPython, scratch } from './gss-peer.ts';
import { KerberosRealm, missingKerberos, realmName } from './kerberos-realm.ts';

const password = 'Pass w0rd';
const principal = `patcher@${realmName}`;
const skip = missingKerberos() || missingPython('gssapi', 'python3-gssapi');
const ownEnvironment = new Map(['KRB5_CONFIG', 'KRB5CCNAME'].map((name) => [name, process.env[name]]));

describe('Kerberos with MIT at the other end', { skip }, () => {
  afterEach(() => {
    for (const [name, value] of ownEnvironment) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  for (const enctype of ['aes256-cts-hmac-sha1-96', 'aes128-cts-hmac-sha256-128', 'aes256-cts-hmac-sha384-192']) {
    test(`a login with a password is accepted, and messages open in both directions: ${enctype}`, async () => {
      await using made = await realm(enctype);
      await using both = await login(made);
      assert.equal(both.context.isComplete, true);
      assert.deepEqual(await both.peer.initiator(), { name: principal, isDelegated: false });
      for (const plain of [Buffer.from('<a/>'), randomBytes(150_000), Buffer.from('second'), randomBytes(1)]) {
        const sealed = both.context.seal(plain);
        assert.equal(sealed.ciphertext.length, plain.length);
        assert.deepEqual(await both.peer.unseal(sealed), plain);
        assert.deepEqual(both.context.unseal(await both.peer.seal(plain)), plain);
      }
    });
  }

  test('a ticket of kinit does in place of a password, and is handed on where that is asked for', async () => {
    await using made = await realm();
    execFileSync('kinit', [principal], { input: `${password}\n`, stdio: ['pipe', 'ignore', 'pipe'] });
    for (const delegation of [false, true]) {
      await using both = await login(made, { withPassword: undefined, delegation });
      assert.deepEqual(await both.peer.initiator(), { name: principal, isDelegated: delegation });
    }
  });

  test('a message that was changed on the way is refused at either end', async () => {
    await using made = await realm();
    await using both = await login(made);
    const sent = both.context.seal(Buffer.from('do nothing'));
    sent.ciphertext[3] = (sent.ciphertext[3] ?? 0) ^ 1;
    await assert.rejects(both.peer.unseal(sent), /Major/);
    const received = await both.peer.seal(Buffer.from('it is done'));
    received.ciphertext[3] = (received.ciphertext[3] ?? 0) ^ 1;
    assert.throws(() => both.context.unseal(received), { code: 'lost' });
  });

  test('a wrong password, a service that is not known and a realm without a KDC are errors of the login', async () => {
    await using made = await realm();
    const wrong: readonly Partial<LoginRequest>[] = [{ withPassword: 'wrong' }, { serviceHost: 'other.lab.test' }];
    for (const request of wrong) await rejectsWith(loginAndLeave(made, request), 'auth', /./);
    await made.realm[Symbol.asyncDispose]();
    await rejectsWith(loginAndLeave(made, {}), 'auth', /./);
  });

  test('the binding to the certificate is what the other end expects, and one to another certificate is refused', async () => {
    await using made = await realm();
    const certificate = makeCertificate({ digest: 'sha384' });
    await using both = await login(made, { certificate: certificate.der, binding: certificate.bindingHash });
    assert.equal((await both.peer.initiator()).name, principal);
    const other = makeCertificate();
    const refused = loginAndLeave(made, { certificate: other.der, binding: certificate.bindingHash });
    await assert.rejects(refused, /BadChannelBindings|channel bindings/i);
  });

  test('the transport runs commands through an independent service, every message sealed', async () => {
    await using made = await realm();
    await using peer = await GssWinrm.start({
      mechanism: 'kerberos',
      environment: made.realm.serviceEnvironment,
      dir: made.dir,
    });
    await using session = await open(made, { port: peer.port });
    const stdin = 'grüße '.repeat(50_000);
    const result = await session.exec({ command: 'cat; exit 7', stdin });
    assert.deepEqual([result.stdout.toString() === stdin, result.exitCode], [true, 7]);
    const [first, ...rest] = await peer.notices();
    assert.deepEqual(first, { login: principal, isDelegated: false });
    assert.ok(rest.length > 4);
    assert.ok(
      rest.every(({ sealed }) => sealed !== undefined),
      JSON.stringify(rest),
    );
  });

  test('the transport binds its login to the certificate of the service', async () => {
    await using made = await realm();
    const [shown, own] = [makeCertificate(), makeCertificate()];
    for (const certificate of [shown, { ...shown, bindingHash: own.bindingHash }]) {
      const environment = made.realm.serviceEnvironment;
      await using peer = await GssWinrm.start({ mechanism: 'kerberos', environment, dir: made.dir, certificate });
      const opening = open(made, { port: peer.port, certificate });
      if (certificate !== shown) await rejectsWith(opening, 'auth', /./);
      else {
        await using session = await opening;
        assert.equal((await session.exec({ command: 'echo bound' })).stdout.toString(), 'bound\n');
      }
    }
  });
});

interface Made extends AsyncDisposable {
  readonly realm: KerberosRealm;
  readonly dir: string;
}

interface LoginRequest {
  readonly withPassword: string | undefined;
  readonly serviceHost: string;
  readonly delegation: boolean;
  readonly certificate: Buffer;
  readonly binding: Buffer;
}

interface Both extends AsyncDisposable {
  readonly context: SecurityContext;
  readonly peer: GssContext;
}

/** A realm, to which this process belongs until the test is over. */
async function realm(enctype?: string): Promise<Made> {
  const place = scratch();
  const made = await KerberosRealm.start({
    dir: place.dir,
    user: 'patcher',
    password,
    serviceHosts: ['localhost', 'win01.lab.test'],
    ...(enctype === undefined ? {} : { enctype }),
  });
  Object.assign(process.env, made.clientEnvironment);
  return {
    realm: made,
    dir: place.dir,
    [Symbol.asyncDispose]: async () => {
      await made[Symbol.asyncDispose]();
      place[Symbol.dispose]();
    },
  };
}

async function login(made: Made, asked: Partial<LoginRequest> = {}): Promise<Both> {
  const { binding, certificate, serviceHost = 'win01.lab.test', delegation = false } = asked;
  const context = await openKerberos({
    user: principal,
    serviceHost,
    delegation,
    isSealingRequired: true,
    randomBytes: (size) => randomBytes(size),
    now: () => Date.now(),
    ...(certificate === undefined ? {} : { certificate }),
    ...passwordOf(asked),
  });
  const environment = made.realm.serviceEnvironment;
  const peer = new GssContext('kerberos', { environment, ...(binding === undefined ? {} : { binding }) });
  const both = {
    context,
    peer,
    [Symbol.asyncDispose]: async () => {
      context[Symbol.dispose]();
      await peer[Symbol.asyncDispose]();
    },
  };
  try {
    let step = context.step();
    while (step !== undefined) {
      const { token } = await peer.step(step.token);
      step = token === undefined ? undefined : context.step(token);
    }
    return both;
  } catch (error) {
    await both[Symbol.asyncDispose]();
    throw error;
  }
}

function passwordOf(asked: Partial<LoginRequest>): Pick<ContextRequest, 'password'> {
  if (!('withPassword' in asked)) return { password };
  return asked.withPassword === undefined ? {} : { password: asked.withPassword };
}

/** For what must not succeed: leaves nothing behind where it does. */
async function loginAndLeave(made: Made, asked: Partial<LoginRequest>): Promise<void> {
  await using both = await login(made, asked);
  assert.equal(both.context.isComplete, true);
}

function open(
  { dir }: Made,
  { port, certificate }: { readonly port: number; readonly certificate?: MadeCertificate },
): ReturnType<WinrmTransport['open']> {
  const caFile = join(dir, 'ca.pem');
  if (certificate !== undefined) writeFileSync(caFile, certificate.certificate);
  const scheme = certificate === undefined ? ({ scheme: 'http' } as const) : { caFile };
  const settings = { ...scheme, auth: 'kerberos', serviceHost: 'win01.lab.test' } as const;
  const certificatesFile = join(dir, 'certificates');
  const transport = new WinrmTransport({ credentials: new CredentialGuard(), certificatesFile, clock: systemClock });
  const connection = { user: principal, password: new Secret(password) };
  return transport.open(hostAt(port, { settings, connection }), {});
}
