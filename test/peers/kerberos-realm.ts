// An MIT Kerberos realm on loopback: a KDC, a user, a service.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { canRun } from './gss-peer.ts';

export interface RealmOptions {
  readonly dir: string;
  readonly user: string;
  readonly password: string;
  /** Hosts that have an `HTTP/` principal in the keytab. */
  readonly serviceHosts: readonly string[];
  /** Default aes256-cts-hmac-sha1-96. */
  readonly enctype?: string;
}

export const realmName = 'LAB.TEST';
const defaultEnctype = 'aes256-cts-hmac-sha1-96';

/** For `skip`. */
export function missingKerberos(): string | false {
  const missing = ['krb5kdc', 'kdb5_util', 'kadmin.local'].filter(
    (name) => !canRun('/bin/sh', ['-c', `PATH=/usr/sbin:/sbin command -v ${name}`]),
  );
  return missing.length === 0 ? false : `${missing.join(', ')} missing: install krb5-kdc and krb5-admin-server`;
}

export class KerberosRealm implements AsyncDisposable {
  /** For clients: KRB5_CONFIG and a cache of their own. */
  readonly clientEnvironment: Readonly<Record<string, string>>;
  /** For the service: its keytab too. */
  readonly serviceEnvironment: Readonly<Record<string, string>>;
  readonly #kdc: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(dir: string, kdc: ChildProcess) {
    this.#kdc = kdc;
    this.#ended = once(kdc, 'close');
    this.clientEnvironment = { KRB5_CONFIG: join(dir, 'krb5.conf'), KRB5CCNAME: `FILE:${join(dir, 'cache')}` };
    this.serviceEnvironment = {
      KRB5_CONFIG: join(dir, 'krb5.conf'),
      KRB5_KTNAME: `FILE:${join(dir, 'keytab')}`,
      KRB5RCACHENAME: 'none:',
    };
  }

  static async start(options: RealmOptions): Promise<KerberosRealm> {
    const { dir, user, password, serviceHosts } = options;
    const port = await freePort();
    mkdirSync(join(dir, 'kdc'));
    writeFileSync(join(dir, 'krb5.conf'), clientFile(port, options.enctype ?? defaultEnctype));
    writeFileSync(join(dir, 'kdc.conf'), kdcFile({ ...options, port }));
    const env = {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      KRB5_CONFIG: join(dir, 'krb5.conf'),
      KRB5_KDC_PROFILE: join(dir, 'kdc.conf'),
    };
    const run = (file: string, words: readonly string[], input = ''): void => {
      execFileSync(file, words, { env, input, stdio: ['pipe', 'ignore', 'pipe'] });
    };
    run('kdb5_util', ['create', '-r', realmName, '-s', '-P', 'master']);
    const services = serviceHosts.map((host) => `HTTP/${host}`);
    const queries = [
      `addprinc -pw "${password}" ${user}`,
      ...services.map((name) => `addprinc -randkey +ok_as_delegate ${name}`),
      ...services.map((name) => `ktadd -k ${join(dir, 'keytab')} ${name}`),
    ];
    run('kadmin.local', ['-r', realmName], `${queries.join('\n')}\n`);
    const kdc = spawn('krb5kdc', ['-n', '-r', realmName], { env, stdio: 'ignore' });
    await answers(port);
    return new KerberosRealm(dir, kdc);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kdc.kill('SIGTERM');
    await this.#ended;
  }
}

function clientFile(port: number, enctype: string): string {
  return `[libdefaults]
  default_realm = ${realmName}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  forwardable = true
  permitted_enctypes = ${enctype}
  udp_preference_limit = 1
[realms]
  ${realmName} = {
    kdc = 127.0.0.1:${port}
  }
[domain_realm]
  localhost = ${realmName}
  .lab.test = ${realmName}
`;
}

function kdcFile({ dir, port, enctype = defaultEnctype }: RealmOptions & { readonly port: number }): string {
  return `[kdcdefaults]
  kdc_listen = ""
  kdc_tcp_listen = 127.0.0.1:${port}
[realms]
  ${realmName} = {
    database_name = ${join(dir, 'kdc', 'principal')}
    key_stash_file = ${join(dir, 'kdc', 'stash')}
    acl_file = ${join(dir, 'kdc', 'acl')}
    max_life = 1h
    master_key_type = ${enctype}
    supported_enctypes = ${enctype}:normal
  }
[logging]
  kdc = FILE:${join(dir, 'kdc.log')}
`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const socket = createConnection({ host: '127.0.0.1', port });
    const isThere = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (isThere) return;
    await sleep(50);
  }
  throw new Error(`no KDC came up on port ${port}`);
}
