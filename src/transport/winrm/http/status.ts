import type { ErrorCode, FettleError } from '../../../domain/error.ts';
import { failure, type Endpoint, type Phase } from './endpoint.ts';

type Meaning = readonly [code: ErrorCode, what: string, hint: string];

const starting = 'the host may be starting; try again in a minute';
const meanings: Readonly<Record<number, Meaning>> = {
  400: ['connect', 'rejected the request as malformed', 'a proxy may have altered it'],
  403: [
    'connect',
    'forbids the request',
    'an address filter (winrm/config/service IPv4Filter) or a proxy refuses this machine',
  ],
  404: ['connect', 'has no WinRM at that path', 'check the port and the path; the usual path is /wsman'],
  405: ['connect', 'has no WinRM at that path', 'check the port and the path; the usual path is /wsman'],
  413: ['connect', 'reports that the request is too large', 'raise MaxEnvelopeSizekb on the host (winrm/config)'],
  425: ['connect', 'is not ready', starting],
  429: ['connect', 'has too many requests', 'try again in a minute'],
  500: [
    'connect',
    'failed without giving a reason',
    'the host may be starting, or it refuses unsealed messages (AllowUnencrypted)',
  ],
  503: ['connect', 'is not ready: its WinRM service does not run', starting],
};

/**
 * What an HTTP status without a SOAP answer means. It is not authenticated: it is a failure of the connection, never
 * a statement of the service.
 */
export function statusFailure(endpoint: Endpoint, phase: Phase, status: number): FettleError {
  const [code, what, hint] = meanings[status] ?? [
    'connect',
    'gave an unexpected answer',
    'is WinRM listening on that port?',
  ];
  return failure(endpoint, { code, phase, what: `${what} [HTTP ${status}]`, hint, details: { status } });
}
