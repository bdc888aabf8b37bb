// Files of known_hosts(5) form, sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT".
import { createHmac, randomBytes } from 'node:crypto';
import { appendFile, mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FettleError } from '../../domain/error.ts';
import { matchesPattern, matchesPatternList } from './pattern.ts';

export interface KnownKey {
  readonly marker: 'revoked' | 'cert-authority' | undefined;
  readonly patterns: readonly string[];
  readonly type: string;
  /** Base64 of the key blob. */
  readonly key: string;
  readonly file: string;
  readonly line: number;
}

export function parseKnownHosts(text: string, file: string): readonly KnownKey[] {
  return text.split('\n').flatMap((line, index): KnownKey[] => {
    const words = line.trim().split(/\s+/);
    const first = words[0] ?? '';
    if (first === '' || first.startsWith('#')) return [];
    const marker = first === '@revoked' ? 'revoked' : first === '@cert-authority' ? 'cert-authority' : undefined;
    if (first.startsWith('@') && marker === undefined) return [];
    const [patterns, type, key] = marker === undefined ? words : words.slice(1);
    // Other forms (protocol 1 keys) decide nothing today.
    if (patterns === undefined || key === undefined || !/^(ssh|ecdsa|sk)-/.test(type ?? '')) return [];
    return [{ marker, patterns: patterns.split(','), type: type ?? '', key, file, line: index + 1 }];
  });
}

/** As OpenSSH names a host there: `name`, or `[name]:port` off port 22. */
export function knownName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

export function isKeyOf(known: KnownKey, name: string): boolean {
  return matchesPatternList(name, known.patterns, matchesName);
}

function matchesName(name: string, pattern: string): boolean {
  const [, salt, hash] = /^\|1\|([^|]+)\|([^|]+)$/.exec(pattern) ?? [];
  if (salt === undefined || hash === undefined) return matchesPattern(name, pattern);
  return hashOf(name, Buffer.from(salt, 'base64')) === hash;
}

function hashOf(name: string, salt: Buffer): string {
  return createHmac('sha1', salt).update(name).digest('base64');
}

/** `|1|salt|hash`, as `HashKnownHosts` writes names. */
function hashedName(name: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString('base64')}|${hashOf(name, salt)}`;
}

interface Parsed {
  readonly stamp: string;
  readonly keys: readonly KnownKey[];
}

/** Known keys of one process: each file is parsed once for as long as it does not change. */
export class KnownHostsFiles {
  readonly #parsed = new Map<string, Parsed>();
  #writing: Promise<void> = Promise.resolve();

  async read(file: string): Promise<readonly KnownKey[]> {
    try {
      const { mtimeMs, size, ino } = await stat(file);
      const stamp = `${mtimeMs} ${size} ${ino}`;
      const known = this.#parsed.get(file);
      if (known?.stamp === stamp) return known.keys;
      const keys = parseKnownHosts(await readFile(file, 'utf8'), file);
      this.#parsed.set(file, { stamp, keys });
      return keys;
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && ['ENOENT', 'ENOTDIR'].includes(String(cause.code))) return [];
      throw new FettleError('host-key', `${file} cannot be read`, { hint: 'check its permissions', cause });
    }
  }

  /** One line in one append, so that processes writing at once do not mix; one after the other within this one. */
  async add(file: string, name: string, key: { type: string; blob: Buffer; isHashed: boolean }): Promise<void> {
    const line = `${key.isHashed ? hashedName(name) : name} ${key.type} ${key.blob.toString('base64')}\n`;
    const written = this.#writing.then(() => append(file, line));
    this.#writing = written.catch(() => undefined);
    try {
      await written;
    } catch (cause) {
      throw new FettleError('host-key', `the host key of ${name} cannot be written to ${file}`, {
        hint: 'check the file, or add the key by hand',
        cause,
      });
    }
  }
}

async function append(file: string, line: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const text = await readFile(file, 'utf8').catch(() => '');
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  await appendFile(file, `${gap}${line}`, { mode: 0o600 });
}
