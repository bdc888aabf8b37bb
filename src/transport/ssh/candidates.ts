// Credentials to offer to a host, in OpenSSH's order: key files, agent, password.
import type { AnyAuthMethod, Prompt } from 'ssh2';
import { FettleError } from '../../domain/error.ts';
import type { Secret } from '../../domain/secret.ts';
import { ChosenAgent } from './agent.ts';
import { mayLogIn, type AllowedAlgorithms } from './algorithms.ts';
import { rsaBitsOf } from './host-key-rules.ts';
import { blobType, type Identities, type Identity } from './identity.ts';

export interface AuthSources {
  readonly host: string;
  readonly user: string;
  /** Named by the inventory: must be usable. */
  readonly keyFile: string | undefined;
  readonly passphrase: Secret | undefined;
  /** OpenSSH's identities: used if they exist and are readable. */
  readonly identityFiles: readonly string[];
  readonly agent: string | undefined;
  readonly identitiesOnly: boolean;
  readonly password: Secret | undefined;
  readonly algorithms: Pick<AllowedAlgorithms, 'userKeys'>;
  /** `RequiredRSASize`, which holds for keys that log in too. */
  readonly rsaBits: number;
  /** Methods that the configuration enables, in its order of preference. */
  readonly methods: readonly AuthMethodName[];
  /** Methods that OpenSSH would use and fettle does not support, for the hint of a failure. */
  readonly beyondUs: readonly string[];
}

export const authMethodNames = ['publickey', 'password', 'keyboard-interactive'] as const;
export type AuthMethodName = (typeof authMethodNames)[number];

export interface Candidate {
  readonly name: AuthMethodName;
  /** For the error when it is refused; never a secret. */
  readonly what: string;
  readonly method: AnyAuthMethod;
  readonly secret?: Secret;
}

export interface Candidates {
  readonly offers: readonly Candidate[];
  /** Skipped credentials and why; shown when all others were refused. */
  readonly notes: () => readonly string[];
}

/** sshd's MaxAuthTries is 6, sshd_config(5); one is kept for the password. */
const keysBeforePassword = 5;

export async function findCandidates(sources: AuthSources, keys: Identities): Promise<Candidates> {
  const notes: string[] = [];
  const byName: Record<AuthMethodName, Candidate[]> = {
    publickey: sources.methods.includes('publickey') ? await keyCandidates(sources, keys, notes) : [],
    password: passwordCandidates(sources),
    'keyboard-interactive': questionCandidates(sources, notes),
  };
  const agent = byName.publickey.map(({ method }) => method).find((method) => method.type === 'agent')?.agent;
  return {
    offers: sources.methods.flatMap((name) => byName[name]),
    notes: () => {
      const leftOut = agent instanceof ChosenAgent ? agent.leftOut : 0;
      return leftOut === 0 ? notes : [...notes, `${leftOut} more keys of the agent were not offered`];
    },
  };
}

async function keyCandidates(sources: AuthSources, keys: Identities, notes: string[]): Promise<Candidate[]> {
  const { keyFile, passphrase, user, agent, host } = sources;
  const files = [...new Set([...(keyFile === undefined ? [] : [keyFile]), ...sources.identityFiles])];
  const identities = await Promise.all(files.map((file) => keys.get(file, passphrase)));
  for (const identity of identities) {
    if (identity.kind === 'ready') continue;
    const isNamed = identity.file === keyFile;
    if (isNamed && (identity.kind === 'unusable' || agent === undefined)) throw unusable(identity, host);
    if (identity.kind === 'locked' || !identity.isAbsent) notes.push(`${identity.file} ${identity.why}`);
  }
  const atMost = sources.password === undefined ? Infinity : keysBeforePassword;
  const isAllowed = (blob: Buffer): boolean =>
    mayLogIn(blobType(blob), sources.algorithms) && (rsaBitsOf(blob) ?? Infinity) >= sources.rsaBits;
  const read = identities.filter((identity) => identity.kind === 'ready');
  for (const { file, publicKey } of read) {
    if (!isAllowed(publicKey)) notes.push(`${file} is not allowed by PubkeyAcceptedAlgorithms or RequiredRSASize`);
  }
  const ready = read.filter(({ publicKey }) => isAllowed(publicKey)).slice(0, atMost);
  const offers = ready.map(({ file, key }): Candidate => ({
    name: 'publickey',
    what: `key ${file}`,
    method: { type: 'publickey', username: user, key },
  }));
  if (agent === undefined) return offers;
  const listed = identities.flatMap((item) =>
    item.kind === 'unusable' || item.publicKey === undefined ? [] : [item.publicKey],
  );
  const chosen = new ChosenAgent(agent, {
    only: sources.identitiesOnly ? listed : undefined,
    isAllowed,
    except: ready.map(({ publicKey }) => publicKey),
    atMost: atMost - ready.length,
  });
  return [...offers, { name: 'publickey', what: 'agent', method: { type: 'agent', username: user, agent: chosen } }];
}

function unusable(identity: Exclude<Identity, { kind: 'ready' }>, host: string): FettleError {
  const hint =
    identity.kind === 'locked'
      ? 'add it to ssh-agent, or set ansible_ssh_private_key_passphrase'
      : 'check ansible_ssh_private_key_file or --private-key';
  return new FettleError('auth', `the private key ${identity.file} for ${host} ${identity.why}`, { hint });
}

function passwordCandidates({ user, password }: AuthSources): Candidate[] {
  if (password === undefined) return [];
  const method: AnyAuthMethod = { type: 'password', username: user, password: password.reveal() };
  return [{ name: 'password', what: 'password', secret: password, method }];
}

/** RFC 4256: the password answers the first hidden prompt for a password; no other prompt is answered. */
function questionCandidates({ user, password }: AuthSources, notes: string[]): Candidate[] {
  if (password === undefined) return [];
  let isTold = false;
  const answer = ({ prompt, echo }: Prompt): string => {
    const isOurs = !isTold && echo !== true && !/new|code|token|otp|verification|passcode/i.test(prompt);
    if (!isOurs) notes.push(`it asks ${JSON.stringify(prompt.trim())}, for which fettle has no answer`);
    isTold ||= isOurs;
    return isOurs ? password.reveal() : '';
  };
  return [
    {
      name: 'keyboard-interactive',
      what: 'keyboard-interactive',
      secret: password,
      method: {
        type: 'keyboard-interactive',
        username: user,
        prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.map(answer)),
      },
    },
  ];
}
