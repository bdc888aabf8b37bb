// WinRM settings of an inventory: Ansible's names for its winrm and psrp connections, and fettle's own for certificates.
import type { CertificatePolicy, HostKeyPolicy, WinrmAuthentication, WinrmSettings } from '../../domain/host.ts';
import type { SettingsReader } from './settings-reader.ts';
import { winrmAliases as names } from '../inventory/variable-names.ts';

export interface WinrmReading {
  readonly reader: SettingsReader;
  readonly port: number | undefined;
  /** `--host-key`: beats the inventory. */
  readonly hostKeyPolicy: HostKeyPolicy | undefined;
  /** A readable file as a path, or undefined after a diagnostic. */
  readonly file: (variables: readonly string[]) => string | undefined;
}

const seconds = { least: 1, most: 3_600 } as const;
const pinPattern = /^(?:sha256:)?([0-9a-f]{64})$/;

/** http only where the inventory sets it, or sets port 5985; anything else is TLS. */
export function readWinrmSettings(reading: WinrmReading): WinrmSettings {
  const { reader, port, file } = reading;
  const scheme = readWord(reader, names.scheme, ['http', 'https'] as const) ?? (port === 5985 ? 'http' : 'https');
  const operationTimeoutSec = reader.integer(names.operationTimeout, { least: 1, most: 60 }) ?? 20;
  const optional = {
    caFile: reader.text(...names.caFile) === undefined ? undefined : file(names.caFile),
    certFile: file(names.certFile),
    keyFile: file(names.keyFile),
    serviceHost: reader.text(...names.serviceHost),
    servicePrincipal: reader.text(...names.service),
    delegation: reader.boolean(...names.delegation),
  };
  refuse(reader);
  return {
    scheme,
    path: (reader.text(...names.path) ?? '/wsman').replace(/^\/*/, '/'),
    auth: readAuthentication(reader),
    ...readCertificatePolicy(reading, scheme),
    messageEncryption: readWord(reader, names.messageEncryption, ['auto', 'always', 'never'] as const) ?? 'auto',
    operationTimeoutSec,
    readTimeoutSec: Math.max(reader.integer(names.readTimeout, seconds) ?? 0, operationTimeoutSec + 10),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
}

/** Limit of the TCP connection in its own words. Seconds. */
export function readWinrmConnectLimit(reader: SettingsReader): number | undefined {
  return reader.integer(names.connectTimeout, seconds);
}

function readWord<T extends string>(
  reader: SettingsReader,
  variables: readonly string[],
  known: readonly T[],
): T | undefined {
  const written = reader.text(...variables)?.toLowerCase();
  const word = known.find((one) => one === written);
  if (written !== undefined && word === undefined) {
    reader.report(variables, `${reader.find(variables)?.name ?? ''} must be one of ${known.join(', ')}`);
  }
  return word;
}

const mechanisms: ReadonlyMap<string, WinrmAuthentication | 'refused'> = new Map([
  ['ntlm', 'ntlm'],
  ['negotiate', 'auto'],
  ['kerberos', 'kerberos'],
  ['basic', 'basic'],
  ['ssl', 'basic'],
  ['certificate', 'certificate'],
  ['plaintext', 'refused'],
  ['credssp', 'refused'],
] as const);

const refusals: ReadonlyMap<string, string> = new Map([
  ['plaintext', 'it would send the password over the network in clear text; use ntlm, or basic with https'],
  ['credssp', 'it sends the password to the host, which no update needs; use ntlm or kerberos'],
]);

/** The first of the list that is known and safe; Ansible's own order. */
function readAuthentication(reader: SettingsReader): WinrmAuthentication {
  const found = reader.find(names.auth);
  if (found === undefined) return 'auto';
  const { value } = found.variable;
  const words = (Array.isArray(value) ? value : String(value).split(',')).map((word) =>
    String(word).trim().toLowerCase(),
  );
  for (const word of words) {
    const mechanism = mechanisms.get(word);
    if (mechanism !== undefined && mechanism !== 'refused') return mechanism;
  }
  const why = words.map((word) => refusals.get(word)).find((one) => one !== undefined);
  const hint = why ?? 'known are ntlm, kerberos, basic, certificate and negotiate';
  reader.report(names.auth, `${found.name} ${words.join(', ')} is not supported`, { hint });
  return 'auto';
}

/** Ours first, then Ansible's `ignore`; the command line beats both. */
function readCertificatePolicy(
  { reader, hostKeyPolicy }: WinrmReading,
  scheme: WinrmSettings['scheme'],
): { readonly certificatePolicy: CertificatePolicy; readonly certificatePin?: string } {
  if (hostKeyPolicy === 'accept-new') return { certificatePolicy: 'trust-on-first-use' };
  if (hostKeyPolicy === 'off') return { certificatePolicy: 'off' };
  const written = reader.text(...names.certificate)?.toLowerCase();
  if (written === 'verify' || written === 'trust-on-first-use') return { certificatePolicy: written };
  const pin = pinPattern.exec(written?.replaceAll(':', '').replace(/^sha256/, '') ?? '')?.[1];
  if (pin !== undefined) return { certificatePolicy: 'pin', certificatePin: pin };
  if (written !== undefined) {
    reader.report(
      names.certificate,
      `${names.certificate[0]} must be verify, trust-on-first-use or sha256:<64 hexadecimal digits>`,
    );
  }
  const validation = readWord(reader, names.validation, ['validate', 'ignore'] as const);
  if (validation !== 'ignore' || scheme === 'http') return { certificatePolicy: 'verify' };
  reader.report(names.validation, 'certificates are not checked', {
    severity: 'warning',
    hint: 'patch_winrm_certificate: trust-on-first-use checks certificates from the second connection on',
  });
  return { certificatePolicy: 'off' };
}

/** What would change where bytes go or how safe they are is never ignored. */
function refuse(reader: SettingsReader): void {
  const severity = 'warning';
  if (reader.text(...names.proxy) !== undefined) {
    reader.report(names.proxy, 'a proxy in front of WinRM is not supported', {
      hint: 'remove it, or connect to the host directly',
    });
  }
  if (reader.boolean(...names.sendBindings) === false) {
    reader.report(names.sendBindings, 'channel bindings are always sent', {
      severity,
      hint: 'hosts that do not check them accept them as well',
    });
  }
}
