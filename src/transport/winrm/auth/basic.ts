import type { Secret } from '../../../domain/secret.ts';

/** RFC 7617 with UTF-8. Only ever sent inside TLS. */
export function basicAuthorization(user: string, password: Secret): string {
  return `Basic ${Buffer.from(`${user}:${password.reveal()}`, 'utf8').toString('base64')}`;
}

/** Makes the service use the certificate of the TLS connection, DSP0226 annex on security profiles. */
export const certificateAuthorization = 'http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual';
