// Rules of the configuration that reject host keys even if known_hosts has them.
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileProblem } from '../../base/file-problem.ts';
import { isShortage } from '../shortage.ts';

export interface HostKeyRules {
  /** `RevokedHostKeys`: plain keys, one a line, or a KRL of ssh-keygen(1). */
  readonly revokedKeys: string | undefined;
  /** `RequiredRSASize`, bits. */
  readonly rsaBits: number;
}

/** PROTOCOL.krl 1. */
const krlMagic = 'SSHKRL\n\0';

/** Why the key must not be trusted; undefined if there is no reason. A list that cannot be opened refuses all, as in OpenSSH. */
export async function objectionTo(
  key: Buffer,
  rules: HostKeyRules,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const bits = rsaBitsOf(key);
  if (bits !== undefined && bits < rules.rsaBits) {
    return `its RSA key has ${bits} bits, RequiredRSASize requires ${rules.rsaBits}`;
  }
  const { revokedKeys: file } = rules;
  if (file === undefined) return undefined;
  const text = await readFile(file, 'latin1').catch((cause: unknown) => {
    if (isShortage(cause)) throw cause;
    return { problem: fileProblem(cause) };
  });
  if (typeof text !== 'string') return `${file} (RevokedHostKeys) cannot be opened: ${text.problem}`;
  const isRevoked = text.startsWith(krlMagic)
    ? await isInKrl(key, file, env)
    : text.split(/\s+/).includes(key.toString('base64'));
  if (isRevoked === undefined) return `ssh-keygen cannot parse ${file} (RevokedHostKeys)`;
  return isRevoked ? `its host key is revoked in ${file}` : undefined;
}

/**
 * Through a pipe of sh: a pipe of Node.js is a socket, which cannot be reopened by path. ssh-keygen(1) -Q: status 0
 * where the key is good, 1 and REVOKED where it is not.
 */
async function isInKrl(
  key: Buffer,
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<boolean | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean | undefined>();
  const child = spawn('sh', ['-c', 'cat | ssh-keygen -Q -f "$1" /dev/stdin', 'sh', file], {
    env: { ...env, LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let output = '';
  child.on('error', (cause) => (isShortage(cause) ? reject(cause) : resolve(undefined)));
  child.stdin?.on('error', () => undefined);
  child.stdout?.on('data', (chunk: Buffer) => (output = `${output}${chunk.toString('latin1')}`.slice(-400)));
  child.on('close', (status) => resolve(status === 0 ? false : /REVOKED\s*$/.test(output) ? true : undefined));
  child.stdin?.end(`${keyType(key)} ${key.toString('base64')}\n`);
  return promise;
}

function keyType(key: Buffer): string {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0;
  return key.toString('latin1', 4, Math.min(4 + length, key.length));
}

/** Bits of the modulus of an RSA key blob (type, e, n: RFC 4253 6.6); undefined for keys of other types. */
export function rsaBitsOf(key: Buffer): number | undefined {
  if (keyType(key) !== 'ssh-rsa') return undefined;
  let at = 0;
  let field: Buffer = Buffer.alloc(0);
  for (let count = 0; count < 3; count += 1) {
    if (at + 4 > key.length) return 0;
    const length = key.readUInt32BE(at);
    field = key.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
  const first = field.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (field.length - first) * 8 - (Math.clz32(field[first] ?? 0) - 24);
}
