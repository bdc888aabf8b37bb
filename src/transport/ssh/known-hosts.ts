import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { FettleError } from '../../domain/error.ts';
import type { HostKeyPolicy } from '../../domain/host.ts';
import { objectionTo, type HostKeyRules } from './host-key-rules.ts';
import { blobType } from './identity.ts';
import { knownName, type KnownHostsFiles, type KnownKey, type KnownKeys } from './known-hosts-file.ts';

/** `SHA256:…`, as ssh-keygen(1) -l prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replaceAll('=', '')}`;
}

export interface KnownHostsQuery {
  readonly host: string;
  readonly port: number;
  /** `HostKeyAlias`: stands for host and port. */
  readonly alias: string | undefined;
  /** The first is where unknown keys are written under `accept-new`. */
  readonly userFiles: readonly string[];
  readonly globalFiles: readonly string[];
  readonly isHashed: boolean;
  /** True if the inventory, not the operator's own configuration, names the files. */
  readonly isOfInventory: boolean;
  /** New keys are not accepted because of the inventory alone. */
  readonly isHeld: boolean;
  readonly rules: HostKeyRules;
  /** For programs that are asked about the key. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The known keys of one host. */
export class HostKeys {
  readonly #name: string;
  readonly #query: KnownHostsQuery;
  readonly #known: readonly KnownKey[];
  readonly #withoutPort: readonly KnownKey[];
  readonly #files: KnownHostsFiles;

  private constructor(query: KnownHostsQuery, files: KnownHostsFiles, all: readonly KnownKeys[]) {
    this.#query = query;
    this.#files = files;
    this.#name = query.alias?.toLowerCase() ?? knownName(query.host, query.port);
    this.#known = all.flatMap((keys) => keys.of(this.#name));
    const plain = query.host.toLowerCase();
    const isElsewhere = query.alias !== undefined || plain === this.#name;
    this.#withoutPort = isElsewhere ? [] : all.flatMap((keys) => keys.of(plain));
  }

  static async read(query: KnownHostsQuery, files: KnownHostsFiles): Promise<HostKeys> {
    const all = await Promise.all([...query.userFiles, ...query.globalFiles].map((file) => files.read(file)));
    return new HostKeys(query, files, all);
  }

  /** Key types the host is known by; asked for first, so that a second key of the host is no change. */
  get types(): readonly string[] {
    return [...this.#known, ...this.#withoutPort].filter(({ marker }) => marker === undefined).map(({ type }) => type);
  }

  /** Resolves when the key is to be trusted. */
  async check(key: Buffer, policy: HostKeyPolicy): Promise<void> {
    const objection = await objectionTo(key, this.#query.rules, this.#query.env);
    if (objection !== undefined)
      throw this.#refuse(key, objection, 'do not connect to it, or correct the ssh configuration');
    const blob = key.toString('base64');
    const same = [...this.#known, ...this.#withoutPort].filter((item) => item.key === blob);
    const revoked = same.find(({ marker }) => marker === 'revoked');
    if (revoked !== undefined) {
      throw this.#refuse(key, `its host key is revoked in ${place(revoked)}`, 'do not connect to it');
    }
    // OpenSSH also accepts a key recorded for the bare name on another port, sshconnect.c.
    if (policy === 'off' || same.some(({ marker }) => marker === undefined)) return;
    const plain = this.#known.filter(({ marker }) => marker === undefined);
    const [other] = plain;
    if (other !== undefined) throw this.#changed(key, plain.find(({ type }) => type === blobType(key)) ?? other);
    const authority = this.#known.find(({ marker }) => marker === 'cert-authority');
    if (authority !== undefined) {
      const why = `${place(authority)} trusts it through a certificate authority (@cert-authority), which is not supported`;
      throw this.#refuse(key, why, 'add its plain host key as a line of its own');
    }
    if (policy === 'accept-new') return this.#remember(key);
    const hint = 'compare the fingerprint, then use --host-key accept-new, or add the output of ssh-keyscan';
    const held = this.#query.isHeld
      ? ', and the inventory alone cannot make it trusted when a password given on the command line is sent to it'
      : '';
    throw this.#refuse(key, `its host key is not known${held}`, hint);
  }

  #changed(key: Buffer, other: KnownKey): FettleError {
    const expected = `${other.type} ${fingerprint(Buffer.from(other.key, 'base64'))}`;
    const kind = other.type === blobType(key) ? 'has changed' : 'has a type that is not recorded for this host';
    const why = `its host key ${kind}; this may be a man-in-the-middle attack; ${place(other)} has ${expected}`;
    return this.#refuse(
      key,
      why,
      `if the host was reinstalled: ssh-keygen -f ${shown(other.file)} -R ${shown(this.#name)}`,
    );
  }

  async #remember(key: Buffer): Promise<void> {
    const [file] = this.#query.userFiles;
    if (file === undefined || file === '/dev/null') return;
    // A file named by an inventory must not be a start-up file or authorized_keys: lines are appended to it.
    if (this.#query.isOfInventory && !basename(file).includes('known_hosts')) {
      const why = `the inventory has new host keys written to ${file}`;
      throw this.#refuse(key, why, 'use a file with known_hosts in its name, or add the key by hand');
    }
    await this.#files.add(file, this.#name, { type: blobType(key), blob: key, isHashed: this.#query.isHashed });
  }

  #refuse(key: Buffer, why: string, hint: string): FettleError {
    const offered = `${blobType(key)} ${fingerprint(key)}`;
    const message = `${this.#name} is not trusted: ${why} (offered: ${offered})`;
    return new FettleError('host-key', message, { hint, details: { fingerprint: fingerprint(key) } });
  }
}

function place({ file, line }: KnownKey): string {
  return `${file}:${line}`;
}

function shown(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
