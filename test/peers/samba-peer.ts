// Samba's ntlm_auth as the accepting side of one login.
import { join } from 'node:path';
import { canRun } from './gss-peer.ts';
import { LineProcess } from './line-process.ts';

/** For `skip`. */
export function missingSamba(): string | false {
  if (process.getuid?.() !== 0) return 'only root can give samba namespaces of its own';
  const missing = ['ntlm_auth', 'winbindd', 'pdbedit', 'unshare', 'ip'].filter(
    (name) => !canRun('/bin/sh', ['-c', `PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v ${name}`]),
  );
  return missing.length === 0
    ? false
    : `${missing.join(', ')} missing: install samba, winbind, util-linux and iproute2`;
}

export class SambaPeer implements AsyncDisposable {
  readonly #process: LineProcess;

  constructor(options: { readonly dir: string; readonly user: string; readonly password: string }) {
    const own = ['-n', '-m', '-p', '-f', '--kill-child', '--mount-proc'];
    const words = [...own, 'sh', join(import.meta.dirname, 'samba.sh'), options.dir, options.user];
    this.#process = new LineProcess({ file: '/usr/bin/unshare', words });
    this.#process.write(options.password);
  }

  /** CHALLENGE_MESSAGE for a NEGOTIATE_MESSAGE. */
  async challenge(negotiate: Buffer): Promise<Buffer> {
    const features = ['SESSION_KEY', 'SIGN', 'SEAL'].map((name) => `NTLMSSP_FEATURE_${name}`);
    const agreed = await this.#process.ask(`SF ${features.join(' ')}`);
    if (agreed !== 'OK') throw new Error(`ntlm_auth says ${agreed}`);
    const answer = await this.#process.ask(`YR ${negotiate.toString('base64')}`);
    if (!answer.startsWith('TT ')) throw new Error(`ntlm_auth says ${answer}`);
    return Buffer.from(answer.slice(3), 'base64');
  }

  /** Who was let in, or the reason why nobody was. */
  async authenticate(message: Buffer): Promise<{ readonly user: string } | { readonly refused: string }> {
    const answer = await this.#process.ask(`KK ${message.toString('base64')}`);
    return answer.startsWith('AF ') ? { user: answer.slice(3) } : { refused: answer };
  }

  /** Of the login that was accepted: the key that signing and sealing derive from. */
  async sessionKey(): Promise<Buffer> {
    const answer = await this.#process.ask('GK');
    if (!answer.startsWith('GK ') || answer === 'GK <NULL>') throw new Error(`ntlm_auth says ${answer}`);
    return Buffer.from(answer.slice(3), 'base64');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
