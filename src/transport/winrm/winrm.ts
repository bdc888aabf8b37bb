import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Host, WinrmSettings } from '../../domain/host.ts';
import type { CredentialGuard } from '../credential-guard.ts';
import { cancelled } from '../limit.ts';
import type { OpenOptions, Transport } from '../session.ts';
import { WsmanChannel } from './wsman/channel.ts';
import { WsmanClient } from './wsman/client.ts';
import { openSocket } from './http/connect.ts';
import { endpointUrl, type Endpoint } from './http/endpoint.ts';
import { HttpConnection } from './http/http.ts';
import { KnownCertificates } from './http/known-certificates.ts';
import { login, type ContextFactory, type LoginPlan, type LoginPorts } from './auth/login.ts';
import { NtlmContext } from './auth/ntlm.ts';
import { planLogin } from './auth/login-plan.ts';
import { WinrmSession } from './shell/session.ts';
import { Shell } from './shell/shell.ts';
import { Tls, type TlsSettings } from './http/tls.ts';

export interface WinrmTransportEnvironment {
  readonly credentials: CredentialGuard;
  /** Where certificates are remembered that were trusted on first use; made when it is first needed. */
  readonly certificatesFile: string;
  readonly clock: Clock;
  /** Creates contexts; by default with the mechanisms of this room. */
  readonly createContext?: ContextFactory;
}

/** The default without settings in the inventory: TLS, with the certificate verified. */
export const defaultWinrmSettings: WinrmSettings = {
  scheme: 'https',
  path: '/wsman',
  auth: 'auto',
  certificatePolicy: 'verify',
  messageEncryption: 'auto',
  operationTimeoutSec: 20,
  readTimeoutSec: 30,
};

const defaultPorts = { http: 5985, https: 5986 } as const;
/** The host answers an operation with a fault at its time-out; that answer needs time too. */
const answerSec = 5;

/** One connection target. */
interface Way {
  readonly host: Host;
  readonly endpoint: Endpoint;
  readonly settings: WinrmSettings;
  readonly plan: LoginPlan;
  readonly tls: TlsSettings;
}

/** Windows Remote Management: WS-Management over HTTP, sealed or inside TLS. Never in clear text. */
export class WinrmTransport implements Transport {
  readonly name = 'winrm';
  readonly #environment: WinrmTransportEnvironment;
  readonly #tls: Tls;

  constructor(environment: WinrmTransportEnvironment) {
    this.#environment = environment;
    this.#tls = new Tls(new KnownCertificates(environment.certificatesFile));
  }

  /** Throws `config` for settings that would be unsafe or cannot work, before the host is contacted. */
  async open(host: Host, { signal }: OpenOptions): Promise<WinrmSession> {
    if (signal?.aborted) throw cancelled(signal, `the connection to ${host.name}`);
    const way = wayTo(host);
    const channel = this.#channel(way);
    try {
      await channel.connect(signal);
    } catch (error) {
      channel[Symbol.dispose]();
      throw error;
    }
    const { endpoint, settings } = way;
    const newId = (): string => randomUUID().toUpperCase();
    const context = {
      url: endpointUrl(endpoint),
      sessionId: newId(),
      operationTimeoutSec: settings.operationTimeoutSec,
      newId,
    };
    const client = new WsmanClient(channel, endpoint, context);
    const { clock, credentials } = this.#environment;
    const shell = new Shell(client, { newId, sleep: (ms, aborted) => clock.sleep(ms, aborted) });
    return new WinrmSession(host.name, { client, shell, credentials, close: () => channel[Symbol.dispose]() });
  }

  #channel(way: Way): WsmanChannel {
    const { endpoint, settings, plan, host } = way;
    const { clock } = this.#environment;
    const ports = this.#loginPorts(host);
    return new WsmanChannel({
      endpoint,
      open: (signal) => this.#connect(way, signal),
      login: (connection, signal) => login({ connection, endpoint, plan, ports, signal }),
      isSealing: plan.isSealingRequired,
      elapsedMs: () => clock.elapsedMs(),
      readMs: Math.max(settings.readTimeoutSec, settings.operationTimeoutSec + answerSec) * 1_000,
    });
  }

  #loginPorts({ connection }: Host): LoginPorts {
    const { credentials, clock, createContext } = this.#environment;
    return {
      guard: credentials,
      createContext: createContext ?? makeContext,
      randomBytes: (size) => randomBytes(size),
      now: () => clock.now(),
      authMs: connection.limits.authMs,
    };
  }

  async #connect({ endpoint, host, tls }: Way, signal: AbortSignal | undefined): Promise<HttpConnection> {
    const { connectMs, handshakeMs } = host.connection.limits;
    if (endpoint.scheme === 'https') await this.#tls.prepare(tls);
    const socket = await openSocket(endpoint, { ms: connectMs, signal });
    if (endpoint.scheme === 'http') return new HttpConnection(socket, endpoint, undefined);
    const secured = await this.#tls.secure(socket, endpoint, { settings: tls, limit: { ms: handshakeMs, signal } });
    return new HttpConnection(secured.socket, endpoint, secured.certificate);
  }
}

/** GSSAPI is loaded only if Kerberos is used. */
const makeContext: ContextFactory = async (kind, request) => {
  if (kind === 'ntlm') return new NtlmContext(request);
  const { openKerberos } = await import('./auth/kerberos.ts');
  return openKerberos(request);
};

function wayTo(host: Host): Way {
  const { connection } = host;
  const settings = connection.winrm ?? defaultWinrmSettings;
  const plan = planLogin(host.name, connection, settings);
  const { scheme, path } = settings;
  const port = connection.port ?? defaultPorts[scheme];
  const isCertificate = plan.kind === 'certificate';
  const tls = {
    policy: settings.certificatePolicy,
    pin: settings.certificatePin,
    caFile: settings.caFile,
    certFile: isCertificate ? settings.certFile : undefined,
    keyFile: isCertificate ? settings.keyFile : undefined,
  };
  return {
    host,
    endpoint: { hostName: host.name, address: connection.address, port, scheme, path },
    settings,
    plan,
    tls,
  };
}
