import type { ErrorCode, FettleError } from '../../../domain/error.ts';
import { failure, type Endpoint, type Phase } from './endpoint.ts';

type Meaning = readonly [code: ErrorCode, what: string, hint: string];

const starting = 'the host may be starting; try again in a minute';
const meanings: Readonly<Record<number, Meaning>> = {
  400: ['connect', 'did not understand the request', 'a proxy in between may have changed it'],
  403: ['connect', 'forbids the request', 'an address filter (winrm/config/service IPv4Filter) or a proxy refuses us'],
  404: ['connect', 'has no WinRM at that path', 'check port and path; the path is /wsman as a rule'],
  405: ['connect', 'has no WinRM at that path', 'check port and path; the path is /wsman as a rule'],
  413: ['connect', 'says the request is too large', 'raise MaxEnvelopeSizekb there (winrm/config)'],
  425: ['connect', 'is not ready', starting],
  429: ['connect', 'has too many requests', 'try again in a minute'],
  500: [
    'connect',
    'failed without saying why',
    'the host may be starting, or it refuses what is not sealed (AllowUnencrypted)',
  ],
  503: ['connect', 'is not ready: its WinRM service does not run', starting],
};

/**
 * What an HTTP status without a SOAP answer means. Nobody has signed it: it is a failure of the connection, never a
 * statement of the service.
 */
export function statusFailure(endpoint: Endpoint, phase: Phase, status: number): FettleError {
  const [code, what, hint] = meanings[status] ?? [
    'connect',
    'gave an unexpected answer',
    'is it WinRM that listens there?',
  ];
  return failure(endpoint, { code, phase, what: `${what} [HTTP ${status}]`, hint, details: { status } });
}
