// Faults of the service: [MS-WSMV] 2.2.4 WSManFault, error codes of wsmerror.h and winerror.h.
import type { ErrorCode, FettleError } from '../../../domain/error.ts';
import { failure, type Endpoint, type Phase } from '../http/endpoint.ts';
import { namespaces } from './envelope.ts';
import { attribute, childOf, descendants, type XmlElement } from '../../../domain/xml.ts';

/**
 * `transient`: may be retried. `sessionReset`: the shell is gone or spent, a new one helps. `quota`: the host refuses
 * for now, its limits are full. `auth`, `configuration`: a person must change something. `fatal`: everything else.
 */
export type FaultClass = 'transient' | 'sessionReset' | 'quota' | 'auth' | 'configuration' | 'fatal';

export interface Fault {
  /** Unsigned 32-bit; absent where the fault has none. */
  readonly code: number | undefined;
  /** Local name of the SOAP subcode, such as `TimedOut`. */
  readonly subcode: string | undefined;
  /** The innermost text, one line; for people only. */
  readonly message: string;
}

export const faultCodes = {
  accessDenied: 5,
  invalidParameter: 87,
  brokenPipe: 109,
  busy: 170,
  noData: 232,
  aborted: 995,
  envelopeTooLarge: 2_150_858_790,
  operationTimedOut: 2_150_858_793,
  notFound: 2_150_858_843,
  maxShells: 2_150_859_173,
  maxOperations: 2_150_859_174,
  commandTerminated: 2_150_859_212,
  disconnected: 2_150_859_230,
  /** ERROR_KEY_DELETED: the profile of the account was being unloaded. */
  profileUnloaded: 1018,
} as const;

interface Known {
  readonly class: FaultClass;
  readonly symbol: string;
  readonly hint: string;
}

const notAdministrator =
  'the account must be a local administrator of the host; a local account other than Administrator also needs ' +
  'LocalAccountTokenFilterPolicy=1 (in HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System)';
const quotaHint =
  'other programs hold shells on the host (winrm enumerate shell), or old shells have not timed out yet; or raise the ' +
  'limit named above (winrm get winrm/config/winrs)';
const tooLarge = 'raise MaxEnvelopeSizekb on the host (winrm set winrm/config @{MaxEnvelopeSizekb="500"})';
const comesBack = 'the host is starting or shutting down; try again in a minute';
const resets = 'the remote shell ended; if a command was running, its outcome is unknown';
const shortOfMemory =
  'the host is short of memory or paging file, as during a large update; fettle retries while a job runs';
const passingDenial =
  'a host under load refuses like this for a while: try again; if it persists, the account must be an administrator of the host';
const ours = 'this is probably a bug in fettle, or a proxy altered the request';

const table: ReadonlyMap<number, Known> = new Map<number, Known>([
  [5, { class: 'auth', symbol: 'ERROR_ACCESS_DENIED', hint: notAdministrator }],
  [8, { class: 'transient', symbol: 'ERROR_NOT_ENOUGH_MEMORY', hint: shortOfMemory }],
  [14, { class: 'transient', symbol: 'ERROR_OUTOFMEMORY', hint: shortOfMemory }],
  [87, { class: 'fatal', symbol: 'ERROR_INVALID_PARAMETER', hint: ours }],
  [109, { class: 'fatal', symbol: 'ERROR_BROKEN_PIPE', hint: 'the command ended before it read its input' }],
  [170, { class: 'transient', symbol: 'ERROR_BUSY', hint: 'the host is busy; try again' }],
  [232, { class: 'fatal', symbol: 'ERROR_NO_DATA', hint: 'the command ended before it read its input' }],
  [995, { class: 'transient', symbol: 'ERROR_OPERATION_ABORTED', hint: comesBack }],
  [1018, { class: 'sessionReset', symbol: 'ERROR_KEY_DELETED', hint: resets }],
  [1053, { class: 'transient', symbol: 'ERROR_SERVICE_REQUEST_TIMEOUT', hint: comesBack }],
  [1115, { class: 'transient', symbol: 'ERROR_SHUTDOWN_IN_PROGRESS', hint: comesBack }],
  [1326, { class: 'auth', symbol: 'ERROR_LOGON_FAILURE', hint: 'check user and password' }],
  [1450, { class: 'transient', symbol: 'ERROR_NO_SYSTEM_RESOURCES', hint: shortOfMemory }],
  [1455, { class: 'transient', symbol: 'ERROR_COMMITMENT_LIMIT', hint: shortOfMemory }],
  [1722, { class: 'transient', symbol: 'RPC_S_SERVER_UNAVAILABLE', hint: comesBack }],
  [1726, { class: 'transient', symbol: 'RPC_S_CALL_FAILED', hint: comesBack }],
  [1816, { class: 'transient', symbol: 'ERROR_NOT_ENOUGH_QUOTA', hint: shortOfMemory }],
  [2_150_858_764, { class: 'configuration', symbol: 'UNSUPPORTED_TIMEOUT', hint: 'lower the operation timeout' }],
  [2_150_858_790, { class: 'configuration', symbol: 'ENVELOPE_TOO_LARGE', hint: tooLarge }],
  [2_150_858_793, { class: 'transient', symbol: 'OPERATION_TIMEDOUT', hint: 'the host is slow; try again' }],
  [2_150_858_817, { class: 'fatal', symbol: 'SCHEMA_VALIDATION', hint: ours }],
  [2_150_858_823, { class: 'configuration', symbol: 'ENVELOPE_TOO_LARGE', hint: tooLarge }],
  [2_150_858_824, { class: 'configuration', symbol: 'ENVELOPE_TOO_LARGE', hint: tooLarge }],
  [2_150_858_825, { class: 'configuration', symbol: 'ENVELOPE_TOO_LARGE', hint: tooLarge }],
  [2_150_858_843, { class: 'sessionReset', symbol: 'UNEXPECTED_SELECTORS', hint: resets }],
  [2_150_859_118, { class: 'sessionReset', symbol: 'SHELL_NOT_INITIALIZED', hint: resets }],
  [2_150_859_173, { class: 'quota', symbol: 'QUOTA_MAX_SHELLS', hint: quotaHint }],
  [2_150_859_174, { class: 'sessionReset', symbol: 'QUOTA_MAX_OPERATIONS', hint: quotaHint }],
  [2_150_859_175, { class: 'quota', symbol: 'QUOTA_USER', hint: quotaHint }],
  [2_150_859_176, { class: 'quota', symbol: 'QUOTA_SYSTEM', hint: quotaHint }],
  [2_150_859_179, { class: 'quota', symbol: 'QUOTA_MAX_SHELLUSERS', hint: quotaHint }],
  [
    2_150_859_180,
    {
      class: 'configuration',
      symbol: 'REMOTESHELLS_NOT_ALLOWED',
      hint: 'allow remote shells on the host (winrm set winrm/config/winrs @{AllowRemoteShellAccess="true"})',
    },
  ],
  [2_150_859_212, { class: 'sessionReset', symbol: 'COMMAND_TERMINATED', hint: resets }],
  [
    2_150_859_229,
    {
      class: 'configuration',
      symbol: 'REMOTE_ACCESS_DISABLED',
      hint: 'remote access is disabled on the host (Enable-PSRemoting, or a policy)',
    },
  ],
  [2_150_859_230, { class: 'sessionReset', symbol: 'STREAM_DISCONNECTED', hint: resets }],
  [2_150_859_231, { class: 'auth', symbol: 'CREATE_SHELL_RUNAS_FAILED', hint: notAdministrator }],
]);

/** 803381E4 to 803381EA: quotas of one plug-in (commands in a shell, shells, operations, users). */
const pluginQuota = { from: 2_150_859_236, to: 2_150_859_242 };
const unknown: Known = {
  class: 'fatal',
  symbol: 'UNKNOWN',
  hint: 'search for the number in the Windows Remote Management event log of the host',
};

/** FACILITY_WIN32: `HRESULT_FROM_WIN32` of winerror.h puts a Win32 code into the lower half. */
const win32Facility = 0x8007;

/**
 * What a fault means. A Win32 code may come as itself or as an HRESULT: both are the same row. An access-denied fault
 * that the service itself marks as an internal error means a host under load, not a problem of the account.
 */
export function describeFault({ code, subcode }: Pick<Fault, 'code' | 'subcode'>): Known {
  if (code === undefined) {
    if (subcode === 'TimedOut') return known(faultCodes.operationTimedOut);
    return subcode === 'AccessDenied' ? known(faultCodes.accessDenied) : unknown;
  }
  if (code >= pluginQuota.from && code <= pluginQuota.to) return known(faultCodes.maxShells);
  const plain = win32Code(code);
  if (plain === faultCodes.accessDenied && plain !== code && subcode === 'InternalError') {
    return { class: 'transient', symbol: 'ERROR_ACCESS_DENIED', hint: passingDenial };
  }
  return known(plain);
}

/** The Win32 code within an HRESULT of its facility; any other number as it is. */
export function win32Code(code: number): number {
  return code >>> 16 === win32Facility ? code & 0xffff : code;
}

function known(code: number): Known {
  return table.get(code) ?? unknown;
}

/** The service holds a request for its time-out and then reports a time-out: nothing is wrong. */
export function isHeartbeat({ code, subcode }: Fault): boolean {
  return code === undefined ? subcode === 'TimedOut' : code === faultCodes.operationTimedOut;
}

const codeOfClass: Readonly<Record<FaultClass, ErrorCode>> = {
  transient: 'connect',
  sessionReset: 'lost',
  quota: 'connect',
  auth: 'auth',
  configuration: 'connect',
  fatal: 'command',
};

export function faultError(endpoint: Endpoint, phase: Phase, fault: Fault): FettleError {
  const { class: faultClass, symbol, hint } = describeFault(fault);
  const number = fault.code === undefined ? (fault.subcode ?? 'no code') : `${fault.code}, ${symbol}`;
  return failure(endpoint, {
    code: codeOfClass[faultClass],
    phase,
    what: `answers with a fault: ${fault.message === '' ? symbol : fault.message} [${number}]`,
    hint,
    details: { fault: fault.code ?? null, symbol, class: faultClass },
  });
}

/** The fault in a reply, or undefined where there is none. Classified by number only: texts may be in any language. */
export function readFault(root: XmlElement): Fault | undefined {
  const fault = childOf(childOf(root, namespaces.s, 'Body'), namespaces.s, 'Fault');
  if (fault === undefined) return undefined;
  const detail = childOf(fault, namespaces.s, 'Detail');
  const wsman = detail === undefined ? [] : descendants(detail, namespaces.f, 'WSManFault');
  const subcode = childOf(
    childOf(childOf(fault, namespaces.s, 'Code'), namespaces.s, 'Subcode'),
    namespaces.s,
    'Value',
  );
  return {
    code: faultNumber(attribute(wsman[0], 'Code')) ?? wmiCode(detail),
    subcode: subcode?.text.trim().split(':').at(-1),
    message: innermost(detail) ?? reason(fault),
  };
}

/** Some quotas come as an instance of MSFT_WmiError, in a namespace of its class. */
function wmiCode(detail: XmlElement | undefined): number | undefined {
  const error = detail?.children.find(({ name }) => name === 'MSFT_WmiError');
  return faultNumber(error?.children.find(({ name }) => name === 'error_Code')?.text.trim());
}

function faultNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d{1,10}$/.test(text) ? Number(text) >>> 0 : undefined;
}

/** Messages nest: a provider's fault is inside the message that wraps it, and is more specific. */
function innermost(detail: XmlElement | undefined): string | undefined {
  const last = detail === undefined ? undefined : texts(detail).at(-1);
  return last === undefined ? undefined : oneLine(last);
}

function texts(element: XmlElement): readonly string[] {
  return element.children.flatMap((child) => {
    const own = child.namespace === namespaces.f ? child.text.trim() : '';
    return [...(own === '' ? [] : [own]), ...texts(child)];
  });
}

function reason(fault: XmlElement): string {
  return oneLine(childOf(childOf(fault, namespaces.s, 'Reason'), namespaces.s, 'Text')?.text ?? '');
}

const messageCharacters = 400;

function oneLine(text: string): string {
  const line = text
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .replace(/\.$/, '');
  return line.length > messageCharacters ? `${line.slice(0, messageCharacters)}…` : line;
}
