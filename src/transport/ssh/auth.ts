import { readFile } from 'node:fs/promises';
import ssh2 from 'ssh2';
import type { AnyAuthMethod, AuthenticationType, AuthHandlerMiddleware, ParsedKey } from 'ssh2';
import { FettleError } from '../../domain/error.ts';
import type { Secret } from '../../domain/secret.ts';
import type { CredentialGuard } from './credential-guard.ts';

export interface AuthSources {
  readonly host: string;
  readonly user: string;
  /** Named by the inventory: must be usable. */
  readonly keyFile: string | undefined;
  readonly passphrase: Secret | undefined;
  /** OpenSSH's identities: used where they are there and readable. */
  readonly identityFiles: readonly string[];
  readonly agent: string | undefined;
  readonly password: Secret | undefined;
}

interface Candidate {
  readonly what: string;
  readonly method: AnyAuthMethod;
  readonly secret?: Secret;
}

/** sshd's MaxAuthTries is 6, sshd_config(5). */
const keysAtMost = 4;

/** Offers what there is, one after the other, and remembers what was refused. */
export class Authentication {
  readonly #sources: AuthSources;
  readonly #guard: CredentialGuard;
  readonly #candidates: readonly Candidate[];
  readonly #withheld: readonly string[];
  readonly #tried: string[] = [];
  #next = 0;
  #offered: Candidate | undefined;

  private constructor(
    sources: AuthSources,
    guard: CredentialGuard,
    candidates: readonly Candidate[],
    withheld: readonly string[],
  ) {
    this.#sources = sources;
    this.#guard = guard;
    this.#candidates = candidates;
    this.#withheld = withheld;
  }

  static async prepare(sources: AuthSources, guard: CredentialGuard): Promise<Authentication> {
    const { user, agent, password } = sources;
    const candidates: Candidate[] = await keyCandidates(sources);
    if (agent !== undefined) candidates.push({ what: 'agent', method: { type: 'agent', username: user, agent } });
    const withheld: string[] = [];
    if (password !== undefined && guard.mayOffer(user, password)) {
      candidates.push({
        what: 'password',
        secret: password,
        method: { type: 'password', username: user, password: password.reveal() },
      });
      candidates.push({
        what: 'keyboard-interactive',
        secret: password,
        method: {
          type: 'keyboard-interactive',
          username: user,
          prompt: (_name, _instructions, _lang, prompts, finish) =>
            finish(prompts.map((prompt) => (prompt.echo === true ? '' : password.reveal()))),
        },
      });
    } else if (password !== undefined) {
      withheld.push('the password, which two other hosts refused');
    }
    return new Authentication(sources, guard, candidates, withheld);
  }

  readonly handler: AuthHandlerMiddleware = (allowed, _isPartial, next) => {
    this.#settleRefused();
    for (;;) {
      const candidate = this.#candidates[this.#next];
      this.#next += 1;
      if (candidate === undefined) {
        // ssh2 ends the authentication on false; its type knows only the other forms.
        next(false as unknown as AnyAuthMethod);
        return;
      }
      if (!isAllowed(candidate.method.type, allowed)) continue;
      this.#offered = candidate;
      this.#tried.push(candidate.what);
      next(candidate.method);
      return;
    }
  };

  accepted(): void {
    const secret = this.#offered?.secret;
    if (secret !== undefined) this.#guard.accepted(this.#sources.user, secret);
  }

  #settleRefused(): void {
    const offered = this.#offered;
    this.#offered = undefined;
    // Password and keyboard-interactive are one refusal to the account.
    if (offered?.what === 'password' && offered.secret !== undefined)
      this.#guard.refused(this.#sources.user, offered.secret);
  }

  failure(cause: unknown): FettleError {
    const { host, user } = this.#sources;
    const tried = this.#tried.length === 0 ? 'nothing could be offered' : `tried ${this.#tried.join(', ')}`;
    const withheld = this.#withheld.length === 0 ? '' : `; withheld ${this.#withheld.join(', ')}`;
    return new FettleError('auth', `${host} does not let ${user} in (${tried}${withheld})`, {
      hint:
        this.#withheld.length > 0
          ? 'the password looks wrong; it was kept back so that the account is not locked'
          : 'check the user, the key or the password (-u, --private-key, -k), and that the account may log in',
      details: { user, tried: this.#tried },
      cause,
    });
  }
}

function isAllowed(type: AuthenticationType, allowed: readonly AuthenticationType[] | null): boolean {
  if (allowed === null) return true;
  return allowed.includes(type === 'agent' ? 'publickey' : type);
}

async function keyCandidates(sources: AuthSources): Promise<Candidate[]> {
  const { keyFile, passphrase, identityFiles, user } = sources;
  const found: Candidate[] = [];
  if (keyFile !== undefined) {
    const key = await readKey(keyFile, passphrase, sources.host);
    found.push({ what: `key ${keyFile}`, method: { type: 'publickey', username: user, key } });
  }
  for (const file of identityFiles.filter((name) => name !== keyFile)) {
    if (found.length >= keysAtMost) break;
    // Identities that OpenSSH names by default are often absent or encrypted; those are the agent's.
    const key = await readKey(file, passphrase, sources.host).catch(() => undefined);
    if (key !== undefined) found.push({ what: `key ${file}`, method: { type: 'publickey', username: user, key } });
  }
  return found;
}

async function readKey(file: string, passphrase: Secret | undefined, host: string): Promise<ParsedKey> {
  const hint = 'check ansible_ssh_private_key_file or --private-key';
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new FettleError('secret', `the private key ${file} for ${host} cannot be read`, { hint, cause });
  });
  const parsed = ssh2.utils.parseKey(bytes, passphrase?.reveal());
  if (!(parsed instanceof Error))
    return Array.isArray(parsed) ? ((parsed as ParsedKey[])[0] ?? fail(file, hint)) : parsed;
  const isLocked = /encrypted|passphrase|bad decrypt|integrity/i.test(parsed.message);
  const why = isLocked
    ? passphrase === undefined
      ? 'is encrypted and no passphrase is given'
      : 'does not open with the passphrase'
    : `does not read (${parsed.message})`;
  throw new FettleError('secret', `the private key ${file} for ${host} ${why}`, {
    hint: isLocked ? 'add it to ssh-agent, or set ansible_ssh_private_key_passphrase' : hint,
    cause: parsed,
  });
}

function fail(file: string, hint: string): never {
  throw new FettleError('secret', `the private key ${file} holds no key`, { hint });
}
