import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP, type Socket } from 'node:net';
import {
  connect as connectTls,
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { fileProblem } from '../../../base/file-problem.ts';
import { FettleError } from '../../../domain/error.ts';
import type { CertificatePolicy } from '../../../domain/host.ts';
import { cancelled, whenAborted } from '../../limit.ts';
import type { ConnectLimit } from './connect.ts';
import { failure, type Endpoint } from './endpoint.ts';
import type { KnownCertificates } from './known-certificates.ts';

/** Which certificates are trusted, and the client certificate. Files are PEM. */
export interface TlsSettings {
  readonly policy: CertificatePolicy;
  readonly pin: string | undefined;
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

export interface SecureSocket {
  readonly socket: TLSSocket;
  /** DER. */
  readonly certificate: Buffer;
}

/** TLS for all hosts of one process: authorities are read and parsed once. */
export class Tls {
  readonly #known: KnownCertificates;
  readonly #contexts = new Map<string, Promise<SecureContext>>();

  constructor(known: KnownCertificates) {
    this.#known = known;
  }

  /** Handshake and check, before any data is sent. Throws `host-key` for a certificate that is not trusted. */
  async secure(socket: Socket, endpoint: Endpoint, { settings, limit }: SecureOptions): Promise<SecureSocket> {
    const secured = await handshake(socket, endpoint, { context: await this.prepare(settings), limit });
    try {
      const certificate = secured.getPeerX509Certificate()?.raw;
      if (certificate === undefined) throw new FettleError('host-key', `${endpoint.hostName} presented no certificate`);
      await this.#check(secured, certificate, { settings, endpoint });
      return { socket: secured, certificate };
    } catch (error) {
      secured.destroy();
      throw error;
    }
  }

  /** Reads the files; throws `config` for one that cannot be used. Called before a host is contacted. */
  prepare(settings: TlsSettings): Promise<SecureContext> {
    const key = JSON.stringify([settings.policy === 'verify', settings.caFile, settings.certFile, settings.keyFile]);
    const known = this.#contexts.get(key) ?? makeContext(settings);
    this.#contexts.set(key, known);
    // A file that was mended is read again.
    known.catch(() => this.#contexts.delete(key));
    return known;
  }

  async #check(socket: TLSSocket, certificate: Buffer, { settings, endpoint }: Check): Promise<void> {
    const shown = fingerprint(certificate);
    switch (settings.policy) {
      case 'off':
        return;
      case 'verify':
        if (!socket.authorized) throw notVerified(endpoint, socket.authorizationError, certificate);
        return;
      case 'pin':
        return checkPin(endpoint, shown, settings.pin);
      case 'trust-on-first-use':
        return this.#checkKnown(endpoint, shown);
    }
  }

  async #checkKnown(endpoint: Endpoint, shown: string): Promise<void> {
    const { address, port } = endpoint;
    const known = await this.#known.of(address, port);
    if (known.length === 0) return this.#known.add(address, port, shown);
    if (known.includes(shown)) return;
    const what = `presents a different certificate than before: sha256:${shown}; ${this.#known.file} has sha256:${known.join(', sha256:')}`;
    const hint = `this may be a man-in-the-middle attack; if the certificate was renewed, remove the line of [${address}]:${port} there`;
    throw untrusted(endpoint, { what, hint, shown });
  }
}

export interface SecureOptions {
  readonly settings: TlsSettings;
  readonly limit: ConnectLimit;
}

interface Check {
  readonly settings: TlsSettings;
  readonly endpoint: Endpoint;
}

/** SHA-256 of the DER, lower-case hexadecimal. */
function fingerprint(certificate: Buffer): string {
  return createHash('sha256').update(certificate).digest('hex');
}

async function makeContext({ policy, caFile, certFile, keyFile }: TlsSettings): Promise<SecureContext> {
  const [ca, cert, key] = await Promise.all([caFile, certFile, keyFile ?? certFile].map(readPem));
  // A company's own authority is in the system's store; only `verify` consults it.
  const authorities =
    policy === 'verify' ? [...getCACertificates('default'), ...getCACertificates('system')] : undefined;
  try {
    return createSecureContext({
      minVersion: 'TLSv1.2',
      // The service asks for client certificates by renegotiation or after the handshake, which ends with TLS 1.2.
      ...(cert === undefined ? {} : { cert, key, maxVersion: 'TLSv1.2' as const }),
      ...(ca === undefined && authorities === undefined ? {} : { ca: ca ?? [...new Set(authorities)] }),
    });
  } catch (cause) {
    const files = [caFile, certFile, keyFile].filter((file) => file !== undefined).join(', ');
    throw new FettleError('config', `${files} cannot be used for TLS: ${messageOf(cause)}`, {
      hint: 'certificates and keys are PEM files; the key must belong to the certificate and be without passphrase',
      cause,
    });
  }
}

async function readPem(file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file);
  } catch (cause) {
    throw new FettleError('config', `${file} cannot be opened: ${fileProblem(cause)}`, { cause });
  }
}

interface Handshake {
  readonly context: SecureContext;
  readonly limit: ConnectLimit;
}

async function handshake(socket: Socket, endpoint: Endpoint, { context, limit }: Handshake): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const { address, hostName } = endpoint;
  using _abort = whenAborted(limit.signal, (signal) => reject(cancelled(signal, `the connection to ${hostName}`)));
  const secured = connectTls({
    socket,
    host: address,
    ...(isIP(address) === 0 ? { servername: address } : {}),
    secureContext: context,
    // Checked right after by fettle, so that the error can name the fingerprint. No session is reused: it has no
    // certificate.
    rejectUnauthorized: false,
  });
  const timer = setTimeout(() => {
    const what = `did not finish the TLS handshake within ${limit.ms / 1000} s (handshake limit)`;
    const hint = 'is it an https listener, and does the network drop large packets (MTU)?';
    reject(failure(endpoint, { code: 'timeout', phase: 'tls', what, hint }));
  }, limit.ms);
  secured.once('secureConnect', () => resolve(secured));
  secured.on('error', (cause: NodeJS.ErrnoException) => reject(tlsError(endpoint, cause)));
  secured.once('close', () => reject(tlsError(endpoint, new Error('it closed the connection'))));
  try {
    return await promise;
  } catch (error) {
    secured.destroy();
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** OpenSSL's names of errors: an answer that is not TLS, and one of a version before TLS 1.2. */
const isPlain = /wrong[ _]version[ _]number|packet[ _]length[ _]too[ _]long|http[ _]request/i;
const isOldVersion = /unsupported[ _]protocol|version[ _]too[ _]low|alert[ _]protocol[ _]version/i;

function tlsError(endpoint: Endpoint, cause: Error): FettleError {
  const words = `${cause.message} ${'code' in cause ? String(cause.code) : ''}`;
  const { what, hint } = isPlain.test(words)
    ? {
        what: 'speaks plain http where TLS was expected',
        hint: 'set ansible_port to that of the https listener (5986), or ansible_winrm_scheme: http, which seals its messages',
      }
    : isOldVersion.test(words)
      ? {
          what: 'offers no TLS 1.2: it has older versions only',
          hint: 'enable TLS 1.2 on the host (SCHANNEL\\Protocols\\TLS 1.2\\Server: Enabled=1, DisabledByDefault=0) and restart it',
        }
      : {
          what: `refused the TLS handshake: ${reasonOf(cause)}`,
          hint: 'does the https listener have a certificate (winrm enumerate winrm/config/listener), and TLS 1.2?',
        };
  return failure(endpoint, { code: 'connect', phase: 'tls', what, hint, cause });
}

/** OpenSSL writes `address:error:number:library:function:reason:file:line:` and a line end; the reason alone helps. */
function reasonOf(cause: Error): string {
  const { reason } = cause as { readonly reason?: unknown };
  if (typeof reason === 'string' && reason !== '') return reason;
  return messageOf(cause).replace(/\s+/g, ' ').trim();
}

function checkPin(endpoint: Endpoint, shown: string, pin: string | undefined): void {
  const wanted =
    pin
      ?.replaceAll(':', '')
      .replace(/^sha256/i, '')
      .toLowerCase() ?? '';
  if (!/^[0-9a-f]{64}$/.test(wanted)) {
    throw new FettleError('config', `the certificate pin of ${endpoint.hostName} is not a SHA-256 digest`, {
      hint: 'it has 64 hexadecimal digits: openssl x509 -noout -fingerprint -sha256',
    });
  }
  if (wanted === shown) return;
  const what = `presents a certificate other than the pinned one: sha256:${shown} instead of sha256:${wanted}`;
  throw untrusted(endpoint, { what, hint: 'compare it on the host itself, then update the pin', shown });
}

type Distrust = readonly [what: (shown: X509Certificate) => string, hint: string];

const vouch =
  'set the PEM file of its authority (ansible_winrm_ca_trust_path); or compare the fingerprint on the host itself, then ' +
  'pin it (patch_winrm_certificate: sha256:...)';
const renew =
  'renew it and give the https listener the new one (winrm enumerate winrm/config/listener shows its thumbprint); is the clock of this machine right?';
const foreign: Distrust = [() => 'its authority is not trusted on this machine', vouch];

const causes: Readonly<Record<string, Distrust>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: [() => 'it is self-signed', vouch],
  SELF_SIGNED_CERT_IN_CHAIN: foreign,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: foreign,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: foreign,
  CERT_HAS_EXPIRED: [(shown) => `it has expired${dated(shown.validTo)}`, renew],
  CERT_NOT_YET_VALID: [
    (shown) => `it is not valid yet${dated(shown.validFrom)}`,
    'compare the clock of the host with that of this machine; one of them is wrong',
  ],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    (shown) => `it is for another name (${namesOf(shown)})`,
    'set ansible_host to a name in the certificate, or give the listener a certificate with this name; or pin it (patch_winrm_certificate: sha256:...)',
  ],
};

/** `authorizationError` is the code of what is wrong, or an error that has one. */
function notVerified(endpoint: Endpoint, why: unknown, certificate: Buffer): FettleError {
  const code = typeof why === 'object' && why !== null && 'code' in why ? String(why.code) : String(why);
  const [words, hint] = causes[code] ?? [() => code, vouch];
  const cause = words(new X509Certificate(certificate));
  const shown = fingerprint(certificate);
  return untrusted(endpoint, {
    what: `presents a certificate that cannot be trusted: ${cause} (sha256:${shown})`,
    hint,
    shown,
  });
}

function dated(text: string): string {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? '' : ` (${new Date(ms).toISOString().slice(0, 16)}Z)`;
}

const namesCharacters = 200;

/** They are chosen by the creator of the certificate: cut to one short line. */
function namesOf({ subjectAltName }: X509Certificate): string {
  const text = (subjectAltName ?? '').replace(/\p{Cc}+/gu, ' ');
  if (text === '') return 'none';
  return text.length > namesCharacters ? `${text.slice(0, namesCharacters)}...` : text;
}

interface Untrusted {
  readonly what: string;
  readonly hint: string;
  readonly shown: string;
}

function untrusted(endpoint: Endpoint, { what, hint, shown }: Untrusted): FettleError {
  return failure(endpoint, { code: 'host-key', phase: 'tls', what, hint, details: { fingerprint: shown } });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
