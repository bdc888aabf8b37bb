// One NTLM login over one connection, from the server's side.
import { randomBytes } from 'node:crypto';
import { encodeChallenge, encodeTargetInfo, flag, messageType, negotiateFlags, pair, utf16 } from './ntlm-message.ts';
import { NtlmSealing } from './ntlm-sealing.ts';
import { claimedName, isSame, RefusedHandshake, verifyHandshake, type VerifiedHandshake } from './ntlm-verify.ts';

export interface Account {
  readonly user: string;
  readonly password: string;
  /** NetBIOS name of its domain; absent for an account of the host itself, which any spelling of the host names. */
  readonly domain?: string;
}

/** `Service\Auth\CbtHardeningLevel`. */
export type BindingLevel = 'none' | 'relaxed' | 'strict';

export interface AcceptorOptions {
  readonly accounts: readonly Account[];
  /** NetBIOS name of the host. */
  readonly computer: string;
  readonly bindingLevel: BindingLevel;
  /** MD5 of the binding a client over this server's TLS must send; absent without TLS. */
  readonly binding?: Buffer;
  /** Flags taken out of what the client asked for: what someone in between would do. */
  readonly withheldFlags?: number;
  /** False leaves the timestamp out, as old servers do; no MIC is due then. */
  readonly hasTimestamp?: boolean;
}

export interface Login {
  readonly user: string;
  readonly targetName: string;
  readonly channelBinding?: Buffer;
  /** Absent where signing and sealing were not agreed on. */
  readonly sealing?: NtlmSealing;
}

const answerable = flag.requestTarget | flag.sign | flag.seal | flag.ntlm | flag.alwaysSign | flag.extendedSecurity;
const answerableHigh = flag.version | flag.bits128 | flag.keyExchange | flag.bits56;
const noBinding = Buffer.alloc(16);

/** Takes the two messages of one client in turn. */
export class NtlmAcceptor {
  readonly #options: AcceptorOptions;
  #asked: { readonly negotiate: Buffer; readonly challenge: Buffer } | undefined;

  constructor(options: AcceptorOptions) {
    this.#options = options;
  }

  /** @throws RefusedHandshake */
  challenge(negotiate: Buffer): Buffer {
    if (messageType(negotiate) !== 1) throw new RefusedHandshake('that is no NEGOTIATE_MESSAGE');
    const wanted = negotiateFlags(negotiate);
    const encoding = (wanted & flag.unicode) === 0 ? flag.oem : flag.unicode;
    const asked = (wanted & (answerable | answerableHigh)) | encoding;
    const flags = (asked | flag.targetInfo | flag.targetIsServer) & ~(this.#options.withheldFlags ?? 0);
    const targetInfo = encodeTargetInfo(this.#targetInfo());
    const serverChallenge = randomBytes(8);
    const challenge = encodeChallenge({ flags, serverChallenge, targetName: this.#options.computer, targetInfo });
    this.#asked = { negotiate, challenge };
    return challenge;
  }

  /** @throws RefusedHandshake */
  authenticate(authenticate: Buffer): Login {
    if (this.#asked === undefined || messageType(authenticate) !== 3) {
      throw new RefusedHandshake('that is no AUTHENTICATE_MESSAGE in its turn');
    }
    const asked = this.#asked;
    this.#asked = undefined;
    const account = this.#account(claimedName(authenticate));
    const verified = verifyHandshake({ ...asked, authenticate }, account.password);
    const channelBinding = this.#checkBinding(verified);
    const canSeal = (verified.flags & flag.seal) !== 0 && (verified.flags & flag.extendedSecurity) !== 0;
    return {
      user: account.user,
      targetName: verified.pairs.get(pair.targetName)?.toString('utf16le') ?? '',
      ...(channelBinding === undefined ? {} : { channelBinding }),
      ...(canSeal ? { sealing: new NtlmSealing(verified.exportedKey, verified.flags) } : {}),
    };
  }

  #targetInfo(): Map<number, Buffer> {
    const { computer, hasTimestamp = true } = this.#options;
    const pairs = new Map([
      [pair.domain, utf16(computer)],
      [pair.computer, utf16(computer)],
      [pair.dnsDomain, utf16(`${computer.toLowerCase()}.lab.test`)],
      [pair.dnsComputer, utf16(`${computer.toLowerCase()}.lab.test`)],
    ] as [number, Buffer][]);
    if (!hasTimestamp) return pairs;
    const time = Buffer.alloc(8);
    time.writeBigUInt64LE(BigInt(Date.now()) * 10_000n + 116_444_736_000_000_000n);
    return pairs.set(pair.timestamp, time);
  }

  #account(claimed: { readonly user: string; readonly domain: string }): Account {
    const found = this.#options.accounts.find((account) => isNamed(account, claimed, this.#options.computer));
    if (found === undefined) throw new RefusedHandshake(`there is no account ${claimed.domain}\\${claimed.user}`);
    return found;
  }

  #checkBinding({ pairs }: VerifiedHandshake): Buffer | undefined {
    const { bindingLevel, binding } = this.#options;
    const sent = pairs.get(pair.channelBindings);
    if (binding === undefined || bindingLevel === 'none') return sent;
    if (sent === undefined || isSame(sent, noBinding)) {
      if (bindingLevel === 'strict') throw new RefusedHandshake('a channel binding is required and none came');
      return undefined;
    }
    if (!isSame(sent, binding)) throw new RefusedHandshake('the channel binding is that of another certificate');
    return sent;
  }
}

function isNamed(account: Account, claimed: { user: string; domain: string }, computer: string): boolean {
  const [name, domain] = [claimed.user.toLowerCase(), claimed.domain.toLowerCase()];
  const user = account.user.toLowerCase();
  if (account.domain === undefined) return name === user && ['', '.', computer.toLowerCase()].includes(domain);
  const home = account.domain.toLowerCase();
  return (name === user && domain === home) || (name.startsWith(`${user}@${home}`) && domain === '');
}
