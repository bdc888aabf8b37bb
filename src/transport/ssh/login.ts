import type { Duplex } from 'node:stream';
import type { Client, ConnectConfig } from 'ssh2';
import SshClient from 'ssh2/lib/client.js';
import type { Slots } from '../../base/slots.ts';
import { FettleError } from '../../domain/error.ts';
import type { ConnectionLimits, HostKeyPolicy } from '../../domain/host.ts';
import { cancelled, whenAborted } from '../limit.ts';
import { algorithmsFor, type AllowedAlgorithms } from './algorithms.ts';
import type { Authentication } from './auth.ts';
import { isShortage } from '../shortage.ts';
import type { HostKeys } from './known-hosts.ts';
import { mismatch, offerBytes } from './offer.ts';

export interface LoginRequest {
  /** Bytes to sshd: a socket of this process, a channel through a jump host, or a command's input and output. */
  readonly stream: Duplex;
  readonly host: string;
  readonly user: string;
  readonly keys: HostKeys;
  readonly policy: HostKeyPolicy;
  /** Called with the key, in the form of RFC 4253 section 6.6, that the host proved to hold and that was accepted. */
  readonly onHostKey: (key: Buffer) => void;
  readonly authentication: Authentication;
  readonly limits: ConnectionLimits;
  readonly signal: AbortSignal | undefined;
  readonly algorithms: AllowedAlgorithms;
  /** A handshake is CPU-bound: many at once would only delay everything else. */
  readonly handshakes: Slots;
  /** The last error output of the proxy command behind `stream`, if there is one. */
  readonly complaint: () => Promise<string>;
}

/** Handshake and authentication, each under its own limit: ssh2 itself has one limit and one message for both. */
export async function login(request: LoginRequest): Promise<Client> {
  const { stream, authentication, signal, host } = request;
  const client = new SshClient();
  const { promise, resolve, reject } = Promise.withResolvers<Client>();
  using attempt = new Attempt(request, reject);
  using _abort = whenAborted(signal, (aborted) => reject(cancelled(aborted, `the connection to ${host}`)));
  client.on('error', (cause) => attempt.fail(cause));
  client.on('close', () => attempt.fail(new Error('it closed the connection')));
  client.on('handshake', () => {
    slot?.[Symbol.dispose]();
    attempt.enter('authentication');
  });
  client.on('change password', () => attempt.refuse('the password has expired'));
  client.on('ready', () => resolve(client));
  authentication.onWait = (isWaiting) => attempt.pause(isWaiting);
  let slot: Disposable | undefined;
  try {
    attempt.enter('handshake');
    client.connect(connectConfig(request, attempt));
    stream.on('data', attempt.hear);
    // A host that accepts the connection but sends nothing uses no CPU, so it must not hold up others.
    const gate = holdBack(stream);
    await Promise.race([gate.spoken, promise]);
    attempt.pause(true);
    slot = whileItSpeaks(await request.handshakes.take(signal), stream);
    attempt.pause(false);
    gate.release();
    const ready = await promise;
    authentication.accepted();
    return ready;
  } catch (error) {
    authentication.ended(attempt.isAnswered);
    client.destroy();
    stream.destroy();
    if (error instanceof FettleError) throw error;
    throw attempt.translate(error, await request.complaint());
  } finally {
    slot?.[Symbol.dispose]();
  }
}

function connectConfig(request: LoginRequest, attempt: Attempt): ConnectConfig {
  const { stream, user, limits, algorithms, keys, authentication, host } = request;
  return {
    sock: stream,
    username: user,
    readyTimeout: 0,
    // Only makes the host answer; `watchSilence` decides when it is lost.
    keepaliveInterval: Math.max(50, Math.floor(limits.idleMs / 4)),
    keepaliveCountMax: Number.MAX_SAFE_INTEGER,
    algorithms: algorithmsFor(algorithms, keys.types, host),
    authHandler: authentication.handler,
    hostVerifier: (key: Buffer, verify: (isTrusted: boolean) => void) => attempt.verify(key, verify),
  };
}

/** Keeps the host's bytes in the stream's buffer until released, despite ssh2's own listener. */
function holdBack(stream: Duplex): { readonly spoken: Promise<void>; readonly release: () => void } {
  const { promise: spoken, resolve } = Promise.withResolvers<void>();
  const onReadable = (): void => resolve();
  // With such a listener `data` comes only by `read()`, see stream.Readable; once it is gone the stream flows again.
  stream.on('readable', onReadable);
  for (const event of ['end', 'close', 'error']) stream.once(event, onReadable);
  return { spoken, release: () => void stream.off('readable', onReadable) };
}

/** A host that stalls in the middle of its handshake uses no CPU either. */
const silentMs = 500;

/** Releases the slot when the host stops answering, or on disposal. */
function whileItSpeaks(slot: Disposable, stream: Duplex): Disposable {
  let timer: NodeJS.Timeout | undefined;
  const dispose = (): void => {
    clearTimeout(timer);
    stream.off('data', restart);
    slot[Symbol.dispose]();
  };
  const restart = (): void => {
    clearTimeout(timer);
    timer = setTimeout(dispose, silentMs);
  };
  stream.on('data', restart);
  restart();
  return { [Symbol.dispose]: dispose };
}

type Stage = 'handshake' | 'authentication';

/** The stage of one login, its limit and the meaning of its errors. */
class Attempt implements Disposable {
  readonly #request: LoginRequest;
  readonly #reject: (error: Error) => void;
  #stage: Stage = 'handshake';
  #timer: NodeJS.Timeout | undefined;
  #receivedBytes = 0;
  /** The first bytes from the host, for error messages. */
  readonly #received: Buffer[] = [];
  #isOver = false;
  #trusted: Buffer | undefined;
  /** The host itself ended it, not a limit or signal of fettle. */
  isAnswered = false;

  constructor(request: LoginRequest, reject: (error: Error) => void) {
    this.#request = request;
    this.#reject = reject;
  }

  readonly hear = (chunk: Buffer): void => {
    this.#receivedBytes += chunk.length;
    if (this.#stage === 'handshake' && this.#receivedBytes <= offerBytes) this.#received.push(chunk);
  };

  enter(stage: Stage): void {
    this.#stage = stage;
    this.pause(false);
  }

  /** The stage's limit pauses while it waits for other hosts, and then starts again. */
  pause(isPaused: boolean): void {
    clearTimeout(this.#timer);
    if (isPaused || this.#isOver) return;
    const { limits } = this.#request;
    const ms = this.#stage === 'handshake' ? limits.handshakeMs : limits.authMs;
    this.#timer = setTimeout(() => this.#reject(this.#timeout(ms)), ms);
  }

  /**
   * A later exchange of keys is answered at once: while an answer is awaited ssh2 still sends (window adjustments), and
   * its packets would be counted twice ("Bad packet length" at sshd). The host's key must stay the same.
   */
  verify(key: Buffer, answer: (isTrusted: boolean) => void): void {
    if (this.#trusted !== undefined) {
      answer(this.#trusted.equals(key));
      return;
    }
    this.#request.keys.check(key, this.#request.policy).then(
      () => {
        this.#request.onHostKey(key);
        this.#trusted = Buffer.from(key);
        answer(true);
      },
      (error: unknown) => {
        this.#reject(error as Error);
        answer(false);
      },
    );
  }

  fail(cause: Error): void {
    const level = 'level' in cause ? cause.level : undefined;
    if (isShortage(cause)) {
      this.#reject(cause);
      return;
    }
    // An agent that is not there or a key that does not sign: ssh2 goes on with what is next.
    if (level === 'agent') return;
    if (level === 'client-authentication' && !this.#request.authentication.isExhausted) return;
    this.isAnswered = true;
    this.#reject(cause);
  }

  refuse(why: string): void {
    this.isAnswered = true;
    this.#reject(this.#request.authentication.failure(undefined, why));
  }

  translate(cause: unknown, complaint: string): FettleError {
    const { host, authentication } = this.#request;
    const message = cause instanceof Error ? cause.message : String(cause);
    if (authentication.isExhausted) return authentication.failure(cause);
    if (this.#stage === 'authentication') return authentication.failure(cause, message);
    const failed = `the SSH handshake with ${host} failed: `;
    if (complaint !== '') {
      const hint = 'run the proxy command by hand to check';
      return new FettleError('connect', `${failed}${message}; output of the proxy command: ${complaint}`, {
        hint,
        cause,
      });
    }
    const offered = mismatch(message, Buffer.concat(this.#received));
    if (offered !== undefined) {
      return new FettleError('connect', `${failed}${message}; ${offered.detail}`, { hint: offered.hint, cause });
    }
    const details = { dropped: this.isDropped };
    const hint = this.isDropped
      ? 'sshd on the host may drop logins while others are in progress (sshd_config MaxStartups, PerSourcePenalties)'
      : 'is sshd listening on that port, and does it support an algorithm that fettle supports?';
    return new FettleError('connect', `${failed}${message}`, { hint, details, cause });
  }

  /** It accepted the connection and closed it before any SSH data, as sshd does beyond MaxStartups. */
  get isDropped(): boolean {
    return (
      this.#stage === 'handshake' &&
      !/^SSH-|\nSSH-/.test(Buffer.concat(this.#received).toString('latin1', 0, 300)) &&
      this.#receivedBytes < 300
    );
  }

  #timeout(ms: number): FettleError {
    const { host } = this.#request;
    const within = `within ${ms / 1000} s (${this.#stage} limit)`;
    if (this.#stage === 'authentication') {
      const hint = 'PAM or a directory service may hang';
      return new FettleError('timeout', `${host} did not finish the authentication ${within}`, { hint });
    }
    if (this.#receivedBytes === 0) {
      const hint = 'something accepts connections on that port, but it may not be sshd, or sshd hangs';
      return new FettleError('timeout', `${host} accepted the connection but sent nothing ${within}`, { hint });
    }
    const hint = 'the network may drop large packets (MTU), or the host is overloaded';
    return new FettleError('timeout', `${host} did not finish the handshake ${within}`, { hint });
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#request.stream.off('data', this.hear);
    this.#request.authentication.onWait = () => undefined;
  }
}
