import { FettleError } from '../../../domain/error.ts';
import type { Secret } from '../../../domain/secret.ts';
import type { CredentialGuard, Offer } from '../../credential-guard.ts';
import { cancelled } from '../../limit.ts';
import { basicAuthorization, certificateAuthorization } from './basic.ts';
import { authority, failure, type Endpoint } from '../http/endpoint.ts';
import { identifyEnvelope } from '../soap/envelope.ts';
import type { HttpConnection } from '../http/http.ts';
import type { HttpResponse } from '../http/http-response.ts';
import type { ContextRequest, SecurityContext } from './security-context.ts';
import { bodyOf, readIdentity } from '../soap/soap.ts';
import { statusFailure } from '../http/status.ts';
import { parseXml } from '../../../domain/xml.ts';

export type LoginKind = 'ntlm' | 'kerberos' | 'basic' | 'certificate';

/** Makes a context of one mechanism; throws `auth` or `config` where it is not to be had on this machine. */
export type ContextFactory = (kind: 'ntlm' | 'kerberos', request: ContextRequest) => Promise<SecurityContext>;

export interface LoginPlan {
  readonly kind: LoginKind;
  /** Empty where the mechanism knows it (a ticket, a certificate). */
  readonly user: string;
  readonly password: Secret | undefined;
  readonly serviceHost: string;
  /** Kerberos only: whole principal, or its service part. */
  readonly servicePrincipal: string | undefined;
  /** Kerberos only: delegates the ticket. */
  readonly isDelegating: boolean;
  readonly isSealingRequired: boolean;
}

export interface LoginPorts {
  readonly guard: CredentialGuard;
  readonly createContext: ContextFactory;
  readonly randomBytes: (size: number) => Buffer;
  readonly now: () => number;
  /** For each answer of the host. Milliseconds. */
  readonly authMs: number;
}

export interface LoginRequest {
  readonly connection: HttpConnection;
  readonly endpoint: Endpoint;
  readonly plan: LoginPlan;
  readonly ports: LoginPorts;
  readonly signal: AbortSignal | undefined;
}

/** What an authenticated connection sends from then on: `headers` with every request, or messages through `context`. */
export interface Authorization {
  readonly context: SecurityContext | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Authenticates one connection. A password goes through the guard, and its outcome is reported to the guard exactly
 * once. Throws `auth` when it was refused; the connection is then unusable.
 */
export async function login(request: LoginRequest): Promise<Authorization> {
  const { plan, endpoint, signal } = request;
  if (signal?.aborted) throw cancelled(signal, `the login to ${endpoint.hostName}`);
  const offer = plan.password === undefined ? undefined : await offerOf(request, plan.password);
  try {
    const authorization = await (plan.kind === 'ntlm' || plan.kind === 'kerberos'
      ? negotiate(request, plan.kind)
      : present(request));
    offer?.accepted();
    return authorization;
  } catch (error) {
    settle(offer, error);
    throw error;
  }
}

/** User names are case-insensitive on Windows. Waits while other hosts try the same password. */
async function offerOf({ plan, ports, endpoint, signal }: LoginRequest, password: Secret): Promise<Offer> {
  try {
    const offer = await ports.guard.offer(plan.user.toLowerCase(), password, signal);
    if (offer !== undefined) return offer;
  } catch (error) {
    throw signal?.aborted ? cancelled(signal, `the login to ${endpoint.hostName}`) : error;
  }
  throw withheld(endpoint, plan);
}

/** Only an explicit answer of the host about the password counts as a refusal. */
function settle(offer: Offer | undefined, error: unknown): void {
  const isRefusal = error instanceof FettleError && error.details?.['isRefused'] === true;
  if (isRefusal) offer?.refused();
  else offer?.withdrawn();
}

/** More legs than any mechanism has. */
const maxLegs = 6;

async function negotiate(request: LoginRequest, kind: 'ntlm' | 'kerberos'): Promise<Authorization> {
  const context = await makeContext(request, kind).catch((error: unknown) => {
    throw placed(request, error);
  });
  try {
    let step = context.step();
    for (let leg = 0; leg < maxLegs && step !== undefined; leg += 1) {
      const token = `${context.scheme} ${step.token.toString('base64')}`;
      const response = await ask(request, { Authorization: token }, '');
      const challenge = tokenOf(response, context.scheme);
      if (response.status !== 401) return finish(request, context, { response, challenge });
      if (challenge === undefined) throw refusal(request, response, step.isLast);
      step = context.step(challenge);
    }
    throw refusal(request, undefined, true);
  } catch (error) {
    context[Symbol.dispose]();
    throw placed(request, error);
  }
}

function makeContext({ plan, ports, connection }: LoginRequest, kind: 'ntlm' | 'kerberos'): Promise<SecurityContext> {
  return ports.createContext(kind, {
    user: plan.user,
    ...(plan.password === undefined ? {} : { password: plan.password.reveal() }),
    serviceHost: plan.serviceHost,
    ...(connection.certificate === undefined ? {} : { certificate: connection.certificate }),
    ...(plan.servicePrincipal === undefined ? {} : { servicePrincipal: plan.servicePrincipal }),
    delegation: plan.isDelegating,
    isSealingRequired: plan.isSealingRequired,
    randomBytes: ports.randomBytes,
    now: ports.now,
  });
}

/** Mechanisms do not know their connection: host, port and phase are added here. */
function placed({ endpoint }: LoginRequest, error: unknown): unknown {
  if (!(error instanceof FettleError) || error.details?.['phase'] !== undefined) return error;
  if (!['auth', 'parse', 'config'].includes(error.code)) return error;
  return failure(endpoint, {
    code: error.code === 'parse' ? 'auth' : error.code,
    phase: 'auth',
    what: `cannot be logged in to: ${error.message}`,
    hint: error.hint ?? 'check user, password and the authentication of the host',
    details: error.details ?? {},
    cause: error,
  });
}

interface LastAnswer {
  readonly response: HttpResponse;
  readonly challenge: Buffer | undefined;
}

/** The host accepted the login; if the mechanism authenticates the host too, that must have succeeded. */
function finish({ endpoint }: LoginRequest, context: SecurityContext, answer: LastAnswer): Authorization {
  const { response, challenge } = answer;
  if (notWinrm.includes(response.status)) throw statusFailure(endpoint, 'auth', response.status);
  if (!context.isComplete && challenge !== undefined) context.step(challenge);
  if (!context.isComplete && response.status >= 300) throw statusFailure(endpoint, 'auth', response.status);
  if (!context.isComplete) {
    const what = 'accepted the login before it authenticated itself';
    const hint = 'a machine between fettle and the host may be impersonating it; do not trust this connection';
    throw failure(endpoint, { code: 'auth', phase: 'auth', what, hint });
  }
  return { context, headers: {} };
}

/** Statuses that are unrelated to a login at any stage of the handshake. */
const notWinrm = [403, 404, 405, 407, 413, 425, 429, 502, 503, 504];

/** Mechanisms of a single header; an Identify request shows whether it was accepted. */
async function present(request: LoginRequest): Promise<Authorization> {
  const { plan, endpoint } = request;
  if (endpoint.scheme !== 'https') throw new FettleError('internal', 'a password in clear text outside of TLS');
  const value = plan.password === undefined ? certificateAuthorization : basicAuthorization(plan.user, plan.password);
  const headers = { Authorization: value };
  const response = await ask(request, headers, identifyEnvelope());
  if (response.status === 401) throw refusal(request, response, true);
  if (response.status !== 200) throw statusFailure(endpoint, 'auth', response.status);
  if (readIdentity(bodyOf(parseXml(response.body.toString('utf8')))) === undefined) {
    const hint = 'check that the port and the path are those of WinRM';
    throw failure(endpoint, { code: 'connect', phase: 'auth', what: 'does not answer as WinRM', hint });
  }
  return { context: undefined, headers };
}

function ask(request: LoginRequest, headers: Record<string, string>, body: string): Promise<HttpResponse> {
  const { connection, endpoint, ports, signal } = request;
  const sent = {
    path: endpoint.path,
    host: `${authority(endpoint.address)}:${endpoint.port}`,
    headers: { 'Content-Type': 'application/soap+xml;charset=UTF-8', ...headers },
    body: Buffer.from(body, 'utf8'),
  };
  return connection.post(sent, { phase: 'auth', readMs: ports.authMs, signal });
}

/** Challenges of all `WWW-Authenticate` fields, RFC 9110 11.6.1: scheme, and what follows it. */
function challenges(response: HttpResponse): readonly (readonly [scheme: string, rest: string])[] {
  return response.headers
    .all('www-authenticate')
    .flatMap((value) => value.split(','))
    .flatMap((text) => {
      const [, scheme, rest = ''] = /^\s*([A-Za-z][\w-]*)(?:\s+(\S.*))?$/.exec(text) ?? [];
      return scheme === undefined ? [] : [[scheme, rest.trim()] as const];
    });
}

/** The token of one scheme; undefined where there is none or it is no base64. */
function tokenOf(response: HttpResponse, scheme: string): Buffer | undefined {
  const found = challenges(response).find(([name, rest]) => name.toLowerCase() === scheme.toLowerCase() && rest !== '');
  return found !== undefined && /^[A-Za-z0-9+/]+={0,2}$/.test(found[1]) ? Buffer.from(found[1], 'base64') : undefined;
}

const schemeOf: Readonly<Record<LoginKind, readonly string[]>> = {
  ntlm: ['negotiate'],
  kerberos: ['negotiate', 'kerberos'],
  basic: ['basic'],
  certificate: [],
};

/** Names of the service's own settings. */
const titles: Readonly<Record<string, string>> = { negotiate: 'Negotiate', basic: 'Basic', kerberos: 'Kerberos' };

/** `isRefused` in the details: the host has checked the password, and it is wrong. */
function refusal({ endpoint, plan }: LoginRequest, response: HttpResponse | undefined, isLast: boolean): FettleError {
  const offered = response === undefined ? [] : challenges(response).map(([scheme]) => scheme);
  const wanted = schemeOf[plan.kind];
  const isOffered = wanted.length === 0 || offered.some((scheme) => wanted.includes(scheme.toLowerCase()));
  const list = offered.length === 0 ? 'no authentication at all' : [...new Set(offered)].join(', ');
  if (!isOffered && (plan.kind === 'basic' || !isLast)) {
    const what = `does not accept ${plan.kind}; it offers ${list}`;
    const [name = ''] = wanted;
    const hint = `set ansible_winrm_transport to another method, or allow it on the host: winrm set winrm/config/service/auth @{${titles[name]}="true"}`;
    return failure(endpoint, { code: 'auth', phase: 'auth', what, hint, details: { offered } });
  }
  const who = plan.user === '' ? 'us' : plan.user;
  // The KDC accepted the password before: what the host refuses then is not the password.
  const isPassword = plan.kind === 'ntlm' || plan.kind === 'basic';
  const details = { user: plan.user, offered, isRefused: isLast && isPassword };
  return failure(endpoint, {
    code: 'auth',
    phase: 'auth',
    what: `refuses the ${plan.kind} login of ${who}`,
    hint: hints[plan.kind],
    details,
  });
}

const hints: Readonly<Record<LoginKind, string>> = {
  ntlm:
    'check user (DOMAIN\\user, user@domain, or .\\user for an account of the host) and password, and whether the account ' +
    'is locked or disabled; a TLS proxy or a wrong clock can also be the cause',
  kerberos: 'check the ticket (klist), the service principal, and the clocks; or use ntlm with a password',
  basic: 'check user and password; Basic accepts only local accounts of the host, and is off by default',
  certificate: 'the certificate must be mapped to an account on the host (winrm/config/service/certmapping)',
};

function withheld(endpoint: Endpoint, { user }: LoginPlan): FettleError {
  return failure(endpoint, {
    code: 'auth',
    phase: 'auth',
    what: `was not sent the password of ${user}: it was refused twice before`,
    hint: 'correct the user or the password in the inventory (or -k); fettle stops here so that the account is not locked',
    details: { user },
  });
}
