import { createHash, createHmac } from 'node:crypto';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { dirname, matchesGlob } from 'node:path';
import { FettleError } from '../../domain/error.ts';
import type { HostKeyPolicy } from '../../domain/host.ts';

/** One line of a known_hosts file, sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT". */
export interface KnownKey {
  readonly marker: 'revoked' | 'cert-authority' | undefined;
  readonly patterns: readonly string[];
  readonly type: string;
  /** Base64 of the key blob. */
  readonly key: string;
  readonly place: string;
}

export function parseKnownHosts(text: string, file: string): readonly KnownKey[] {
  return text.split('\n').flatMap((line, index): KnownKey[] => {
    const words = line.trim().split(/\s+/);
    if (words[0] === undefined || words[0] === '' || words[0].startsWith('#')) return [];
    const marker = words[0] === '@revoked' ? 'revoked' : words[0] === '@cert-authority' ? 'cert-authority' : undefined;
    const [patterns, type, key] = marker === undefined ? words : words.slice(1);
    if (
      patterns === undefined ||
      type === undefined ||
      key === undefined ||
      words[0].startsWith('@') !== (marker !== undefined)
    )
      return [];
    return [{ marker, patterns: patterns.split(','), type, key, place: `${file}:${index + 1}` }];
  });
}

/** As OpenSSH names a host there: `name`, or `[name]:port` off port 22. */
export function knownName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

function matches(known: KnownKey, name: string): boolean {
  let isMatch = false;
  for (const pattern of known.patterns) {
    if (pattern.startsWith('!') && matchesOne(pattern.slice(1), name)) return false;
    isMatch ||= matchesOne(pattern, name);
  }
  return isMatch;
}

function matchesOne(pattern: string, name: string): boolean {
  const hashed = /^\|1\|([^|]+)\|([^|]+)$/.exec(pattern);
  if (hashed !== null) {
    const salt = Buffer.from(hashed[1] ?? '', 'base64');
    return createHmac('sha1', salt).update(name).digest('base64') === hashed[2];
  }
  const plain = pattern.toLowerCase();
  if (plain === name) return true;
  return /[*?]/.test(plain) && matchesGlob(name, plain.replaceAll('[', '\\[').replaceAll(']', '\\]'));
}

/** `SHA256:…`, as ssh-keygen(1) -l prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The type in a key blob: a length and as many letters, RFC 4253 6.6. */
export function keyType(key: Buffer): string {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0;
  return key.toString('latin1', 4, Math.min(4 + length, key.length));
}

export interface KnownHostsFiles {
  /** The first is where unknown keys are written under `accept-new`. */
  readonly user: readonly string[];
  readonly global: readonly string[];
}

/** What is known of one host. */
export class HostKeys {
  readonly #name: string;
  readonly #known: readonly KnownKey[];
  readonly #files: KnownHostsFiles;

  private constructor(name: string, known: readonly KnownKey[], files: KnownHostsFiles) {
    this.#name = name;
    this.#known = known;
    this.#files = files;
  }

  static async read(name: string, files: KnownHostsFiles): Promise<HostKeys> {
    const known: KnownKey[] = [];
    for (const file of [...files.user, ...files.global]) {
      known.push(...parseKnownHosts(await readIfThere(file), file).filter((key) => matches(key, name)));
    }
    return new HostKeys(name, known, files);
  }

  /** Key types the host is known by; asked for first, so that a second key of the host is no change. */
  get types(): readonly string[] {
    return this.#known.filter((item) => item.marker === undefined).map((item) => item.type);
  }

  /** Resolves when the key is to be trusted. */
  async check(key: Buffer, policy: HostKeyPolicy): Promise<void> {
    const blob = key.toString('base64');
    const revoked = this.#known.find((item) => item.marker === 'revoked' && item.key === blob);
    if (revoked !== undefined)
      throw this.#refuse(`its host key is revoked in ${revoked.place}`, key, 'do not connect to it');
    if (policy === 'off') return;
    const plain = this.#known.filter((item) => item.marker === undefined);
    if (plain.some((item) => item.key === blob)) return;
    const other = plain.find((item) => item.type === keyType(key)) ?? plain[0];
    if (other !== undefined) {
      const hint = `if the host was reinstalled: ssh-keygen -R '${this.#name}' -f '${other.place.replace(/:\d+$/, '')}'`;
      throw this.#refuse(`its host key is not the one in ${other.place}; somebody may be in between`, key, hint);
    }
    if (policy === 'accept-new') return this.#remember(key);
    const authority = this.#known.find((item) => item.marker === 'cert-authority');
    const hint =
      authority === undefined
        ? `compare the fingerprint, then use --host-key accept-new, or: ssh-keyscan '${this.#name}'`
        : `${authority.place} names a certificate authority, which is not supported; add the plain host key`;
    throw this.#refuse('its host key is not known', key, hint);
  }

  async #remember(key: Buffer): Promise<void> {
    const [file] = this.#files.user;
    if (file === undefined) return;
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      const text = await readIfThere(file);
      const gap = text === '' || text.endsWith('\n') ? '' : '\n';
      await appendFile(file, `${gap}${this.#name} ${keyType(key)} ${key.toString('base64')}\n`, { mode: 0o600 });
    } catch (cause) {
      throw new FettleError('host-key', `the host key of ${this.#name} cannot be written to ${file}`, {
        hint: 'check the file, or add the key by hand',
        cause,
      });
    }
  }

  #refuse(why: string, key: Buffer, hint: string): FettleError {
    const message = `${this.#name} is not trusted: ${why} (offered: ${keyType(key)} ${fingerprint(key)})`;
    return new FettleError('host-key', message, { hint, details: { fingerprint: fingerprint(key) } });
  }
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && ['ENOENT', 'ENOTDIR'].includes(String(cause.code))) return '';
    throw new FettleError('host-key', `${file} cannot be read`, { hint: 'check its permissions', cause });
  }
}
