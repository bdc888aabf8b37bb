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

export interface FettleErrorOptions {
  /** JSON-serialisable facts; never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** What the person should do next. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** What an error looks like in an event, in the ledger and in `--json`. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * The one error of the house. `message` is lower case without a full stop and says what failed, on what; `hint` says
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
