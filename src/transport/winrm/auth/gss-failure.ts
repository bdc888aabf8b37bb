// Errors of GSSAPI and Kerberos: codes of RFC 2744 3.9.1 and of MIT's krb5_err.et.
import { FettleError, type ErrorCode } from '../../../domain/error.ts';
import { bytesOf, emptyBytes, type GssLibrary, type Out } from './gss-library.ts';

/** Object identifier of Kerberos 5 in DER, without tag and length. */
export const kerberosMechanism = Buffer.from('2a864886f712010202', 'hex');

/** Codes of the KDC (RFC 4120 7.5.9) begin here, as signed 32-bit. */
const kerberosBase = -1_765_328_384;
const noCredential = 7;
const servicePrincipalUnknown = 7;

/** What to do, by the code of RFC 4120, or what MIT adds from 128 on. */
const kerberosHints: Readonly<Record<number, string>> = {
  6: 'the KDC does not know this user; write the name as user@REALM',
  7: 'the KDC does not know the service of this host: use its full name, or set the service principal (setspn -L lists them)',
  14: 'the KDC and this machine have no cipher in common; allow AES for the account and in krb5.conf',
  18: 'the account is disabled, expired or locked',
  23: 'the password has expired; change it first',
  24: 'check the password',
  31: 'check the password',
  32: 'the ticket has expired; get a new one (kinit)',
  37: 'the clocks of this machine, the host and the KDC differ by more than 5 minutes; set them',
  154: 'neither krb5.conf nor DNS names a KDC for the realm',
  156: 'no KDC of the realm answers; check the network and krb5.conf',
  210: 'check the password',
};

/** Codes that mean that the KDC has checked the password and it is wrong. */
const wrongPassword = [24, 31, 210];

const noTicketHint = 'get a ticket first (kinit user@REALM) and check it (klist), or give a password';
const plainHint = 'check the ticket (klist), the service principal and the clocks, or use ntlm with a password';

export interface GssStatus {
  readonly major: number;
  readonly minor: number;
}

/** Whether a call failed; the other bits of the status concern a message or the next leg. */
export function isRoutineError(major: number): boolean {
  return major >>> 16 !== 0;
}

export function isServiceUnknown({ minor }: GssStatus): boolean {
  return kerberosCode(minor) === servicePrincipalUnknown;
}

/** `what` follows "kerberos cannot". `details.isRefused` marks a wrong password. */
export function gssFailure(
  library: GssLibrary,
  failed: GssStatus & { readonly what: string; readonly code?: ErrorCode },
): FettleError {
  const { major, minor, what, code = 'auth' } = failed;
  const said = minor === 0 ? describe(library, major, 1) : describe(library, minor, 2);
  const kerberos = kerberosCode(minor);
  const hint = kerberosHints[kerberos] ?? (((major >>> 16) & 0xff) === noCredential ? noTicketHint : plainHint);
  return new FettleError(code, `kerberos cannot ${what}: ${said.join('; ')}`, {
    hint,
    details: { major, minor: minor | 0, isRefused: wrongPassword.includes(kerberos) },
  });
}

function kerberosCode(minor: number): number {
  return (minor | 0) - kerberosBase;
}

/** Texts of a status: kind 1 is the major, 2 the mechanism's own. */
function describe(library: GssLibrary, status: number, kind: number): readonly string[] {
  const texts: string[] = [];
  const more: Out<number> = [0];
  do {
    const text = emptyBytes();
    const major = library.displayStatus([0], status, kind, bytesOf(kerberosMechanism), more, text);
    const said = library.take(text).toString('utf8');
    if (isRoutineError(major)) break;
    texts.push(said.replace(/[\s\p{Cc}]+/gu, ' ').trim());
  } while (more[0] !== 0 && texts.length < 8);
  return texts;
}
