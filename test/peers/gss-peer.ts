// The programs of this directory that accept by the system's GSSAPI, as tests use them.
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MadeCertificate } from '../support/winrm-server/certificate.ts';
import { LineProcess } from './line-process.ts';

export type Mechanism = 'ntlm' | 'kerberos';

/** What an acceptor needs to know secrets: NTLM_USER_FILE, KRB5_KTNAME, KRB5_CONFIG. */
export type PeerEnvironment = Readonly<Record<string, string>>;

export const python = '/usr/bin/python3';

/** Turns MD4 and RC4 on, which are in the provider that OpenSSL 3 does not load by itself. */
export const legacyConfiguration = `openssl_conf = all
[all]
providers = providers
[providers]
default = on
legacy = on
[on]
activate = 1
`;

/** For `skip`: the package that is missing for this module of Python, or false. */
export function missingPython(module: string, debian: string): string | false {
  return canRun(python, ['-c', `import ${module}`]) ? false : `${python} has no ${module}: install ${debian}`;
}

/** For `skip`: the package that is missing for this mechanism of the system's GSSAPI, or false. */
export function missingSharedMechanism(library: string, debian: string): string | false {
  const isThere = globSync(`/usr/lib/*/${library}/${library}.so`).length > 0;
  return isThere ? false : `the system's GSSAPI has no ${library}: install ${debian}`;
}

export function canRun(file: string, words: readonly string[]): boolean {
  try {
    execFileSync(file, words, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A temporary directory that goes with its scope. */
export function scratch(): Disposable & { readonly dir: string } {
  const dir = mkdtempSync(join(tmpdir(), 'fettle-peer-'));
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}

/** A directory of users for gss-ntlmssp and what points there. */
export function ntlmUsers(dir: string, users: readonly string[]): PeerEnvironment {
  writeFileSync(join(dir, 'users'), users.map((line) => `${line}\n`).join(''), { mode: 0o600 });
  writeFileSync(join(dir, 'openssl.cnf'), legacyConfiguration);
  return { NTLM_USER_FILE: join(dir, 'users'), OPENSSL_CONF: join(dir, 'openssl.cnf') };
}

/** One accepting security context, without HTTP. */
export class GssContext implements AsyncDisposable {
  readonly #process: LineProcess;

  constructor(mechanism: Mechanism, options: { readonly environment: PeerEnvironment; readonly binding?: Buffer }) {
    const binding = options.binding === undefined ? [] : [options.binding.toString('hex')];
    const words = [join(import.meta.dirname, 'gss_lines.py'), mechanism, ...binding];
    this.#process = new LineProcess({ file: python, words, environment: options.environment });
  }

  /** The answer to a token of the client. Throws what the library says against it. */
  async step(token: Buffer): Promise<{ readonly token: Buffer | undefined; readonly isComplete: boolean }> {
    const { token: answer, isComplete } = await this.#ask({ step: token.toString('hex') });
    return { token: typeof answer === 'string' ? bytes(answer) : undefined, isComplete: isComplete === true };
  }

  async unseal(message: { readonly signature: Buffer; readonly ciphertext: Buffer }): Promise<Buffer> {
    const parts = [message.signature.toString('hex'), message.ciphertext.toString('hex')];
    return bytes((await this.#ask({ unseal: parts }))['plain']);
  }

  async seal(plain: Buffer): Promise<{ readonly signature: Buffer; readonly ciphertext: Buffer }> {
    const { signature, ciphertext } = await this.#ask({ seal: plain.toString('hex') });
    return { signature: bytes(signature), ciphertext: bytes(ciphertext) };
  }

  async initiator(): Promise<{ readonly name: string; readonly isDelegated: boolean }> {
    const { initiator, isDelegated } = await this.#ask({ tell: true });
    return { name: String(initiator), isDelegated: isDelegated === true };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }

  async #ask(request: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
    const answer = JSON.parse(await this.#process.ask(JSON.stringify(request))) as Record<string, unknown>;
    if (typeof answer['error'] === 'string') throw new Error(answer['error']);
    return answer;
  }
}

export interface GssWinrmOptions {
  readonly mechanism: Mechanism;
  readonly environment: PeerEnvironment;
  /** Makes it HTTPS, and clients' bindings have to name this certificate. */
  readonly certificate?: MadeCertificate;
  /** Where the certificate's files go. */
  readonly dir: string;
}

/** What the service noticed, in its order. */
export interface Notice {
  readonly login?: string;
  readonly isDelegated?: boolean;
  readonly refused?: string;
  /** Bytes of a message that came sealed. */
  readonly sealed?: number;
  /** Bytes of one that came in the clear. */
  readonly cleartext?: number;
  readonly broken?: string;
}

/** A WinRM service over GSSAPI on a free port of loopback. */
export class GssWinrm implements AsyncDisposable {
  readonly port: number;
  readonly #process: LineProcess;

  private constructor(process: LineProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start({ mechanism, environment, certificate, dir }: GssWinrmOptions): Promise<GssWinrm> {
    const files = { certificate: join(dir, 'service.crt'), key: join(dir, 'service.key') };
    if (certificate !== undefined) {
      writeFileSync(files.certificate, certificate.certificate);
      writeFileSync(files.key, certificate.key, { mode: 0o600 });
    }
    const tls = certificate === undefined ? {} : { ...files, binding: certificate.bindingHash.toString('hex') };
    const words = [join(import.meta.dirname, 'gss_winrm.py'), JSON.stringify({ mechanism, ...tls })];
    const process = new LineProcess({ file: python, words, environment });
    return new GssWinrm(process, Number(await process.next()));
  }

  /** What the service noticed since it was asked last. */
  async notices(): Promise<readonly Notice[]> {
    this.#process.write('so far');
    return (await this.#process.until('so far')).map((line) => JSON.parse(line) as Notice);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}

function bytes(digits: unknown): Buffer {
  if (typeof digits !== 'string') throw new Error(`that is no hex text: ${String(digits)}`);
  return Buffer.from(digits, 'hex');
}
