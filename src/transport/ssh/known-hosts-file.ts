// Files of known_hosts(5) form, sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT".
import { createHmac, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { statSync } from 'node:fs';
import { appendFile, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectory } from '../../trust/trusted-path.ts';
import { fileProblem } from '../../base/file-problem.ts';
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
    // Other forms (protocol 1 keys) are obsolete and ignored.
    if (patterns === undefined || key === undefined || !/^(ssh|ecdsa|sk)-/.test(type ?? '')) return [];
    return [{ marker, patterns: patterns.split(','), type: type ?? '', key, file, line: index + 1 }];
  });
}

/** As OpenSSH names a host there: `name`, or `[name]:port` off port 22. */
export function knownName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

interface HashedKey {
  readonly known: KnownKey;
  readonly salt: KeyObject;
  /** Base64. */
  readonly hash: string;
}

/**
 * The keys of one file by host name. A fleet queries many names, so plain names are indexed and each hashed name is
 * prepared once; only patterns are compared one by one.
 */
export class KnownKeys {
  readonly #byName = new Map<string, KnownKey[]>();
  readonly #hashed: HashedKey[] = [];
  readonly #patterned: KnownKey[] = [];

  constructor(keys: readonly KnownKey[]) {
    for (const known of keys) this.#file(known);
  }

  /** As in the file, from its top. `name` is as `knownName` writes it. */
  of(name: string): readonly KnownKey[] {
    const found = [
      ...(this.#byName.get(name) ?? []),
      ...this.#hashed.filter(({ salt, hash }) => hashOf(name, salt) === hash).map(({ known }) => known),
      ...this.#patterned.filter(({ patterns }) => matchesPatternList(name, patterns, matchesName)),
    ];
    return found.sort((a, b) => a.line - b.line);
  }

  #file(known: KnownKey): void {
    const { patterns } = known;
    const hashed = patterns.length === 1 ? readHashed(patterns[0] ?? '') : undefined;
    if (hashed !== undefined) this.#hashed.push({ known, ...hashed });
    else if (patterns.some((pattern) => /[*?!|]/.test(pattern))) this.#patterned.push(known);
    else for (const name of new Set(patterns.map((pattern) => pattern.toLowerCase()))) this.#name(name, known);
  }

  #name(name: string, known: KnownKey): void {
    const others = this.#byName.get(name);
    if (others === undefined) this.#byName.set(name, [known]);
    else others.push(known);
  }
}

function matchesName(name: string, pattern: string): boolean {
  const hashed = readHashed(pattern);
  return hashed === undefined ? matchesPattern(name, pattern) : hashOf(name, hashed.salt) === hashed.hash;
}

function readHashed(pattern: string): Omit<HashedKey, 'known'> | undefined {
  const [, salt, hash] = /^\|1\|([^|]+)\|([^|]+)$/.exec(pattern) ?? [];
  if (salt === undefined || hash === undefined) return undefined;
  return { salt: createSecretKey(salt, 'base64'), hash };
}

function hashOf(name: string, salt: KeyObject): string {
  return createHmac('sha1', salt).update(name).digest('base64');
}

/** `|1|salt|hash`, as `HashKnownHosts` writes names. */
function hashedName(name: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString('base64')}|${hashOf(name, createSecretKey(salt))}`;
}

interface Parsed {
  readonly stamp: string;
  /** Shared from the start: a fleet's first hosts all need it at once. */
  readonly keys: Promise<KnownKeys>;
}

const nothing = new KnownKeys([]);

/** Known keys of one process: each file is parsed once for as long as it does not change. */
export class KnownHostsFiles {
  readonly #parsed = new Map<string, Parsed>();
  #writing: Promise<void> = Promise.resolve();

  async read(file: string): Promise<KnownKeys> {
    try {
      // Four files for each host: through the thread pool that took 0.1 ms of CPU a host, and takes 7 µs so.
      const found = statSync(file, { throwIfNoEntry: false });
      if (found === undefined) return nothing;
      const { mtimeMs, size, ino } = found;
      const stamp = `${mtimeMs} ${size} ${ino}`;
      const known = this.#parsed.get(file);
      if (known?.stamp === stamp) return await known.keys;
      const keys = readFile(file, 'utf8').then((text) => new KnownKeys(parseKnownHosts(text, file)));
      this.#parsed.set(file, { stamp, keys });
      return await keys;
    } catch (cause) {
      this.#parsed.delete(file);
      if (cause instanceof Error && 'code' in cause && ['ENOENT', 'ENOTDIR'].includes(String(cause.code)))
        return nothing;
      throw new FettleError('host-key', `${file} cannot be opened: ${fileProblem(cause)}`, { cause });
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
      throw new FettleError('host-key', `the host key of ${name} cannot be written to ${file}: ${fileProblem(cause)}`, {
        hint: 'check the file, or add the key by hand',
        cause,
      });
    }
  }
}

async function append(file: string, line: string): Promise<void> {
  makeDirectory(dirname(file), 0o700);
  const text = await readFile(file, 'utf8').catch(() => '');
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  await appendFile(file, `${gap}${line}`, { mode: 0o600 });
}
