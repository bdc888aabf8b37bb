// A WinRM service in this process: real NTLM, real sealing, its own reading of the protocol documents.
import { createHash, X509Certificate } from 'node:crypto';
import { createServer as createPlainServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { MadeCertificate } from './certificate.ts';
import type { CommandHost } from './command-host.ts';
import { Connection, type ServerContext } from './connection.ts';
import { FaultPlan } from './faults.ts';
import type { WireShape } from './http-wire.ts';
import type { Account, BindingLevel } from './ntlm-acceptor.ts';
import { Operations } from './operations.ts';
import type { PartStyle } from './sealed-body.ts';
import { emptyStats, type ServerStats } from './server-stats.ts';
import { defaultQuotas, type Quotas, type Shell } from './shells.ts';

export interface WinrmServerOptions {
  readonly commands: CommandHost;
  readonly accounts: readonly Account[];
  /** Makes it HTTPS. */
  readonly certificate?: MadeCertificate;
  /** NetBIOS name. Default WIN01. */
  readonly computer?: string;
  /** Where to listen. Default 127.0.0.1 and a free port. */
  readonly listen?: { readonly address?: string; readonly port?: number };
  /** Default relaxed, as on Windows. */
  readonly bindingLevel?: BindingLevel;
  /** Default true. */
  readonly isNegotiateOffered?: boolean;
  /** Inside TLS. Default false, as on Windows. */
  readonly isBasicAllowed?: boolean;
  /** Plain SOAP over plain HTTP. Default false, as on Windows. */
  readonly isUnencryptedAllowed?: boolean;
  /** PEM of a client's certificate and the account it stands for. */
  readonly clientCertificates?: readonly { readonly certificate: string; readonly user: string }[];
  /** Default: whatever Node offers. */
  readonly maxTlsVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** NTLM flags withheld in every challenge: a downgrade. */
  readonly withheldFlags?: number;
  readonly hasTimestamp?: boolean;
  readonly lockoutThreshold?: number;
  readonly quotas?: Partial<Quotas>;
  /** Bytes of output in one Stream element: an odd number tears characters apart. */
  readonly streamBytes?: number;
  /** Items in one answer of Enumerate and Pull. */
  readonly pageItems?: number;
  /** Default tab, as Windows writes. */
  readonly partStyle?: PartStyle;
  /** How answers go onto the wire; `WinrmServer.shape` changes it later. */
  readonly shape?: WireShape;
  /** Closes connections without traffic. Milliseconds. */
  readonly idleCloseMs?: number;
  /** Empty answer while the command host boots. Default 503. */
  readonly statusWhileBooting?: 500 | 503;
}

export interface WinrmServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly certificate?: MadeCertificate;
  readonly stats: ServerStats;
  readonly faults: FaultPlan;
  shape: WireShape;
  /** Live shells. */
  readonly shells: readonly Shell[];
  /** Cuts every connection; what runs goes on. */
  dropConnections(): void;
  /** All shells and commands are gone, every connection is cut. */
  reboot(): void;
}

/** A listening server. Disposing of it ends its commands, its connections and the listener. */
export async function startWinrmServer(options: WinrmServerOptions): Promise<WinrmServer> {
  const service = new Service(options);
  const server = listener(options, (socket) => service.accept(socket));
  server.prependListener('connection', (socket: Socket) => service.arrive(socket));
  const { address = '127.0.0.1', port = 0 } = options.listen ?? {};
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port, backlog: 511 }, resolve);
  });
  service.listener = server;
  return service;
}

class Service implements WinrmServer {
  readonly stats = emptyStats();
  readonly faults = new FaultPlan();
  readonly certificate?: MadeCertificate;
  readonly #context: ServerContext;
  readonly #commands: CommandHost;
  readonly #connections = new Set<Connection>();
  readonly #sockets = new Set<Socket>();
  #serving: Promise<void>[] = [];
  #boot: string | number | undefined;
  shape: WireShape;
  listener: Server | undefined;

  constructor(options: WinrmServerOptions) {
    this.shape = options.shape ?? {};
    this.#commands = options.commands;
    this.#boot = options.commands.boot;
    if (options.certificate !== undefined) this.certificate = options.certificate;
    this.#context = makeContext(options, {
      stats: this.stats,
      faults: this.faults,
      shape: () => this.shape,
      noticeBoot: () => this.#noticeBoot(),
    });
  }

  get host(): string {
    return this.#address.address;
  }

  get port(): number {
    return this.#address.port;
  }

  get shells(): readonly Shell[] {
    return this.#context.operations.shells.all;
  }

  get #address(): AddressInfo {
    const address = this.listener?.address();
    if (address === null || address === undefined || typeof address === 'string') throw new Error('nobody listens');
    return address;
  }

  /** Before any TLS. */
  arrive(socket: Socket): void {
    socket.on('error', () => undefined);
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    if (this.#commands.state === 'off') socket.destroy();
  }

  accept(socket: Socket): void {
    if (this.#commands.state === 'off') return;
    this.#noticeBoot();
    const connection = new Connection(socket, this.#context);
    this.#connections.add(connection);
    const over = connection.serve().finally(() => {
      this.#connections.delete(connection);
      this.#serving = this.#serving.filter((one) => one !== over);
    });
    this.#serving.push(over);
  }

  dropConnections(): void {
    for (const connection of this.#connections) connection.drop();
    for (const socket of this.#sockets) socket.destroy();
  }

  reboot(): void {
    this.#context.operations.shells.deleteAll();
    this.dropConnections();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reboot();
    const listener = this.listener;
    if (listener?.listening === true) await new Promise<void>((resolve) => listener.close(() => resolve()));
    await Promise.all(this.#serving);
  }

  #noticeBoot(): void {
    const { boot, state } = this.#commands;
    const isOther = boot !== this.#boot;
    this.#boot = boot;
    if (isOther || (state !== 'running' && this.shells.length > 0)) this.reboot();
  }
}

type Shared = Pick<ServerContext, 'stats' | 'faults' | 'shape' | 'noticeBoot'>;

function makeContext(options: WinrmServerOptions, shared: Shared): ServerContext {
  const quotas = { ...defaultQuotas, ...options.quotas };
  const { commands: host, streamBytes, pageItems } = options;
  const pages = {
    ...(streamBytes === undefined ? {} : { streamBytes }),
    ...(pageItems === undefined ? {} : { pageItems }),
  };
  return {
    ...shared,
    commands: host,
    operations: new Operations({ host, quotas, ...pages }),
    authentication: authenticationOf(options),
    isUnencryptedAllowed: options.isUnencryptedAllowed ?? false,
    maxEnvelopeBytes: quotas.maxEnvelopeBytes,
    partStyle: options.partStyle ?? 'tab',
    statusWhileBooting: options.statusWhileBooting ?? 503,
    idleCloseMs: options.idleCloseMs,
  };
}

function authenticationOf(options: WinrmServerOptions): ServerContext['authentication'] {
  const { certificate, withheldFlags, hasTimestamp, lockoutThreshold } = options;
  return {
    accounts: options.accounts,
    computer: options.computer ?? 'WIN01',
    bindingLevel: options.bindingLevel ?? 'relaxed',
    isNegotiateOffered: options.isNegotiateOffered ?? true,
    isBasicAllowed: options.isBasicAllowed ?? false,
    certificateUsers: new Map(
      (options.clientCertificates ?? []).map((one) => [fingerprint(one.certificate), one.user]),
    ),
    ...(certificate === undefined ? {} : { bindingHash: certificate.bindingHash }),
    ...(withheldFlags === undefined ? {} : { withheldFlags }),
    ...(hasTimestamp === undefined ? {} : { hasTimestamp }),
    ...(lockoutThreshold === undefined ? {} : { lockoutThreshold }),
  };
}

function listener(
  { certificate, maxTlsVersion, clientCertificates = [] }: WinrmServerOptions,
  accept: (socket: Socket) => void,
): Server {
  if (certificate === undefined) return createPlainServer(accept);
  const server = createTlsServer(
    {
      key: certificate.key,
      cert: certificate.certificate,
      requestCert: clientCertificates.length > 0,
      rejectUnauthorized: false,
      ...(maxTlsVersion === undefined ? {} : { maxVersion: maxTlsVersion }),
    },
    accept,
  );
  return server.on('tlsClientError', () => undefined);
}

function fingerprint(pem: string): string {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
}
