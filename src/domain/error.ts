import type { ExitName } from './exit.ts';

/** The closed set of what can go wrong, by stage. */
export const errorCodes = [
  'usage',
  'config',
  'secret',
  'connect',
  'auth',
  'host-key',
  'timeout',
  'lost',
  'elevate',
  'command',
  'parse',
  'lock-held',
  'disk',
  'drifted',
  'reboot',
  'verify',
  'ledger',
  'window',
  'budget',
  'approval',
  'cancelled',
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/**
 * What an error means for the host that was asked. `outage`: the connection is gone or was never there; another try
 * may help. `denied`: the host answered and refused the login; more tries would only lock the account.
 */
type ErrorClass = 'outage' | 'denied' | 'answer';

interface ErrorTraits {
  readonly class: ErrorClass;
  /** How a command that ends with it exits. */
  readonly exit: ExitName;
}

const traits: Readonly<Record<ErrorCode, ErrorTraits>> = {
  usage: { class: 'answer', exit: 'usage' },
  config: { class: 'answer', exit: 'usage' },
  secret: { class: 'answer', exit: 'usage' },
  connect: { class: 'outage', exit: 'unreachable' },
  auth: { class: 'denied', exit: 'auth' },
  'host-key': { class: 'denied', exit: 'auth' },
  timeout: { class: 'outage', exit: 'unreachable' },
  lost: { class: 'outage', exit: 'partial' },
  elevate: { class: 'denied', exit: 'auth' },
  command: { class: 'answer', exit: 'partial' },
  parse: { class: 'answer', exit: 'partial' },
  'lock-held': { class: 'answer', exit: 'locked' },
  disk: { class: 'answer', exit: 'partial' },
  drifted: { class: 'answer', exit: 'partial' },
  reboot: { class: 'answer', exit: 'unverified' },
  verify: { class: 'answer', exit: 'unverified' },
  ledger: { class: 'answer', exit: 'ledger' },
  window: { class: 'answer', exit: 'closed' },
  budget: { class: 'answer', exit: 'stopped' },
  approval: { class: 'answer', exit: 'refused' },
  cancelled: { class: 'answer', exit: 'interrupted' },
  internal: { class: 'answer', exit: 'internal' },
};

export function exitOfCode(code: ErrorCode): ExitName {
  return traits[code].exit;
}

/** True for a code that means that the host refused the login. */
export function isDeniedCode(code: ErrorCode | undefined): boolean {
  return code !== undefined && traits[code].class === 'denied';
}

export interface FettleErrorOptions {
  /** JSON-serialisable facts; never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** What the operator should do next. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** The form of an error in an event, in the ledger and in `--json`. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * The error class of fettle. `message` is lower case without a full stop and names what failed, on what; `hint` names
 * what to do. The file that touches a technology translates its errors into this; the original stays as `cause`.
 */
export class FettleError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: FettleErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'FettleError';
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
  }
}

/** The same error with the address of its host, unless it has one already. */
export function atAddress(error: unknown, address: string): unknown {
  if (!(error instanceof FettleError) || error.details?.['address'] !== undefined) return error;
  const { code, message, hint, details, cause } = error;
  return new FettleError(code, message, {
    details: { ...details, address },
    cause: cause ?? error,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The address of the host that the error is about: its message may contain it. */
export function addressOf(error: Pick<ErrorRecord, 'details'> | undefined): string | undefined {
  const address = error?.details?.['address'];
  return typeof address === 'string' ? address : undefined;
}

/** The machine that fettle runs on lacked a resource (descriptors, processes, a name server): no host is at fault. */
export function isOurShortage(error: FettleError | undefined): boolean {
  return error?.details?.['ours'] === true;
}

export function toErrorRecord(error: unknown): ErrorRecord {
  if (error instanceof FettleError) {
    return {
      code: error.code,
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error.details === undefined ? {} : { details: error.details }),
    };
  }
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) };
}

export function asFettleError(error: unknown): FettleError {
  if (error instanceof FettleError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new FettleError('internal', message, { cause: error });
}

/** The connection is gone or was never there; another try may help. */
export function isOutage(error: unknown): boolean {
  return error instanceof FettleError && traits[error.code].class === 'outage';
}

/** The host answered and refused the login; more tries would only lock the account. */
export function isDenied(error: unknown): boolean {
  return error instanceof FettleError && isDeniedCode(error.code);
}

/** Nothing of the request has reached a shell with the rights that it needs. */
export function isUnreached(error: unknown): boolean {
  return isOutage(error) || isDenied(error);
}
