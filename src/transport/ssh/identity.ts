// Private key files as OpenSSH leaves them: ready to sign, locked by a passphrase, or unusable.
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { ParsedKey } from 'ssh2';
import keys from 'ssh2/lib/protocol/keyParser.js';
import { fileProblem } from '../../base/file-problem.ts';
import type { Secret } from '../../domain/secret.ts';
import { isShortage } from '../shortage.ts';

export type Identity =
  | { readonly kind: 'ready'; readonly file: string; readonly key: ParsedKey; readonly publicKey: Buffer }
  /** An agent may still sign with it when it holds the same public key. */
  | { readonly kind: 'locked'; readonly file: string; readonly why: string; readonly publicKey: Buffer | undefined }
  | { readonly kind: 'unusable'; readonly file: string; readonly why: string; readonly isAbsent: boolean };

export interface IdentityEnvironment {
  /** Whose files they are, as far as ssh is concerned. */
  readonly uid?: number | undefined;
  /** Called once for each key that is skipped because others can read it. */
  readonly warn?: ((message: string) => void) | undefined;
}

/** Each file is read once: opening an encrypted one takes longer than all the rest of a connection. */
export class Identities {
  readonly #read = new Map<string, Promise<Identity>>();
  readonly #environment: IdentityEnvironment;

  constructor(environment: IdentityEnvironment) {
    this.#environment = environment;
  }

  get(file: string, passphrase: Secret | undefined): Promise<Identity> {
    const digest = createHash('sha256')
      .update(`${file}\0${passphrase?.reveal() ?? ''}`)
      .digest('hex');
    let identity = this.#read.get(digest);
    if (identity === undefined) {
      identity = readIdentity(file, passphrase, this.#environment);
      this.#read.set(digest, identity);
      // This rejects only on a shortage of this machine, which is temporary.
      identity.catch(() => this.#read.delete(digest));
    }
    return identity;
  }
}

async function readIdentity(
  file: string,
  passphrase: Secret | undefined,
  { uid, warn }: IdentityEnvironment,
): Promise<Identity> {
  let bytes: Buffer;
  try {
    const openTo = await othersWhoMayRead(file, uid);
    if (openTo !== undefined) {
      warn?.(`warning: the private key ${file} ${openTo}; it is ignored, as ssh does\nhint: chmod 600 ${file}`);
      return { kind: 'unusable', file, why: openTo, isAbsent: false };
    }
    bytes = await readFile(file);
  } catch (cause) {
    return unopened(file, cause);
  }
  return parseIdentity(file, bytes, passphrase);
}

/** A key file that does not exist may belong to a key of the agent, whose public part lies beside it. */
async function unopened(file: string, cause: unknown): Promise<Identity> {
  if (isShortage(cause)) throw cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const isAbsent = code === 'ENOENT' || code === 'ENOTDIR';
  const publicKey = isAbsent ? await publicKeyBeside(file) : undefined;
  if (publicKey !== undefined) return { kind: 'locked', file, why: 'is held by the agent only', publicKey };
  const why = isAbsent ? 'does not exist' : `cannot be opened: ${fileProblem(cause)}`;
  return { kind: 'unusable', file, why, isAbsent };
}

async function parseIdentity(file: string, bytes: Buffer, passphrase: Secret | undefined): Promise<Identity> {
  const parsed: unknown = keys.parseKey(bytes, passphrase?.reveal());
  const key = Array.isArray(parsed) ? (parsed[0] as ParsedKey | undefined) : (parsed as ParsedKey | Error);
  if (key === undefined) return { kind: 'unusable', file, why: 'contains no key', isAbsent: false };
  if (!(key instanceof Error)) {
    if (key.isPrivateKey()) return { kind: 'ready', file, key, publicKey: key.getPublicSSH() };
    return { kind: 'unusable', file, why: 'contains a public key, not a private key', isAbsent: false };
  }
  const publicKey = publicPart(bytes) ?? (await publicKeyBeside(file));
  if (isAboutPassphrase(key.message)) {
    const why =
      passphrase === undefined
        ? 'is encrypted, and no passphrase was given'
        : 'cannot be decrypted with the passphrase given';
    return { kind: 'locked', file, why, publicKey };
  }
  if (publicKey !== undefined && blobType(publicKey).startsWith('sk-')) {
    return { kind: 'locked', file, why: 'is a FIDO key, which only an agent can use', publicKey };
  }
  return { kind: 'unusable', file, why: `is not a valid private key (${key.message})`, isAbsent: false };
}

function isAboutPassphrase(message: string): boolean {
  return /passphrase|encrypted|bad decrypt|integrity/i.test(message);
}

/** OpenSSH's own format holds the public key in clear text even if the private one is encrypted, PROTOCOL.key. */
function publicPart(bytes: Buffer): Buffer | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/.exec(bytes.toString('latin1'))?.[1];
  const blob = Buffer.from(body ?? '', 'base64');
  const magic = 'openssh-key-v1\0';
  if (blob.toString('latin1', 0, magic.length) !== magic) return undefined;
  let at = magic.length;
  const readString = (): Buffer => {
    const length = blob.readUInt32BE(at);
    at += 4 + length;
    return blob.subarray(at - length, at);
  };
  try {
    for (const _field of ['cipher', 'kdf', 'kdf options']) readString();
    at += 4;
    return readString();
  } catch {
    return undefined;
  }
}

/** OpenSSH's `sshkey_perm_ok`, authfile.c: a key of the user that others can read is not used. */
async function othersWhoMayRead(file: string, uid: number | undefined): Promise<string | undefined> {
  const { uid: owner, mode } = await stat(file);
  if (uid === undefined || owner !== uid || (mode & 0o077) === 0) return undefined;
  return `can be read by others (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`;
}

async function publicKeyBeside(file: string): Promise<Buffer | undefined> {
  const text = await readFile(`${file}.pub`, 'utf8').catch((cause: unknown) => {
    if (isShortage(cause)) throw cause;
    return '';
  });
  const blob = text.trim().split(/\s+/)[1];
  return blob === undefined ? undefined : Buffer.from(blob, 'base64');
}

/** The type in a key blob: a length and as many letters, RFC 4253 6.6. */
export function blobType(blob: Buffer): string {
  const length = blob.length >= 4 ? blob.readUInt32BE(0) : 0;
  return blob.toString('latin1', 4, Math.min(4 + length, blob.length));
}
