import type { Secret } from './secret.ts';

export type ElevationMethod = 'sudo' | 'doas' | 'su';

export interface Elevation {
  readonly method: ElevationMethod;
  /** The account to elevate to; `root` by default. */
  readonly user: string;
  readonly password?: Secret;
  /** The program, when it is not simply `method` on the PATH. */
  readonly exe?: string;
  /** Extra arguments as an argument list; already split, never shell text. */
  readonly flags: readonly string[];
}

/** `strict`: known keys only. `accept-new`: unknown keys are stored, changed ones refused. `off`: only on explicit request. */
export type HostKeyPolicy = 'strict' | 'accept-new' | 'off';

/** Limits of one connection, each named in its error. Milliseconds. */
export interface ConnectionLimits {
  readonly connectMs: number;
  readonly handshakeMs: number;
  readonly authMs: number;
  /** No byte from the host (keepalive answers included) for this long means the connection is lost. */
  readonly idleMs: number;
}

/** `auto`: NTLM with a password, Kerberos without one. */
export type WinrmAuthentication = 'auto' | 'ntlm' | 'kerberos' | 'basic' | 'certificate';

/**
 * `verify`: chain, name and dates. `pin`: exactly the certificate of the pin. `trust-on-first-use`: stored when it
 * is new, refused when it changed. `off`: any certificate; only on explicit request.
 */
export type CertificatePolicy = 'verify' | 'pin' | 'trust-on-first-use' | 'off';

/** What WinRM needs beyond address, user and password. */
export interface WinrmSettings {
  readonly scheme: 'http' | 'https';
  /** Begins with a slash. */
  readonly path: string;
  readonly auth: WinrmAuthentication;
  /** PEM; replaces the system's authorities. */
  readonly caFile?: string;
  /** SHA-256 of the certificate's DER as 64 hexadecimal digits; colons and case do not matter. */
  readonly certificatePin?: string;
  readonly certificatePolicy: CertificatePolicy;
  /** PEM of the client certificate and its key, for `certificate`. */
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Name of the host in Kerberos, where it is not the address. */
  readonly serviceHost?: string;
  /** Whole principal or its service part, where it is not `HTTP`. */
  readonly servicePrincipal?: string;
  /** Forwards the ticket to the host. */
  readonly delegation?: boolean;
  /** `auto`: whatever does not go through TLS is sealed. `always`: in TLS too. `never`: not outside of TLS, thus no http. */
  readonly messageEncryption: 'auto' | 'always' | 'never';
  /** How long the host may hold a request; must be at most its MaxTimeoutms (60 s). Seconds. */
  readonly operationTimeoutSec: number;
  /** Without a byte for this long the connection counts as lost; more than the operation timeout. Seconds. */
  readonly readTimeoutSec: number;
}

export interface Connection {
  /** A name of `transport/registry.ts`. */
  readonly transport: string;
  readonly address: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: Secret;
  readonly privateKeyFile?: string;
  readonly privateKeyPassphrase?: Secret;
  /** Extra OpenSSH options as an argument list (`-o ProxyJump=…`, `-J …`), already split. */
  readonly sshArguments: readonly string[];
  readonly hostKeyPolicy: HostKeyPolicy;
  /** A password of the command line goes to it: new host keys are not accepted on the authority of the inventory alone. */
  readonly hasOperatorPassword?: true;
  readonly limits: ConnectionLimits;
  readonly elevation?: Elevation;
  readonly winrm?: WinrmSettings;
  /** What the host's commands are written for; absent = a POSIX shell. */
  readonly shell?: 'powershell';
}

export type RebootMode = 'never' | 'if-needed' | 'always';

/** The flat `patch_*` variables of one host. */
export interface PatchSettings {
  /** The value of `patch_enabled`; `switchedOff` judges it together with the date. */
  readonly enabled: boolean;
  readonly disabledReason?: string;
  /** Epoch milliseconds; the host is left alone until then. */
  readonly disabledUntilMs?: number;
  /** Package names (globs) that are never updated on this host. */
  readonly hold: readonly string[];
  /** `never` always wins over the playbook. */
  readonly reboot?: RebootMode;
  readonly maxReboots?: number;
  /** Names of clusters whose members are never worked on at the same time. */
  readonly clusters: readonly string[];
  /** Archive origins or labels that count as security sources besides the distribution's own. */
  readonly securityOrigins?: readonly string[];
  readonly windows?: WindowsUpdateSettings;
  /** Hardware addresses by which it is woken, twelve hexadecimal digits each. */
  readonly macs?: readonly string[];
  /** Where packets that wake it are sent, IPv4; absent: to the broadcast address. */
  readonly wakeAddress?: string;
}

/**
 * Why the host is left alone now; undefined when it takes part. `patch_enabled: false` holds for good, or until the
 * date of `patch_disabled_until` where that is given too; the date alone holds until then.
 */
export function switchedOff(patch: PatchSettings, nowMs: number): string | undefined {
  const { enabled, disabledUntilMs, disabledReason } = patch;
  const because = disabledReason === undefined ? '' : `: ${disabledReason}`;
  if (disabledUntilMs === undefined) return enabled ? undefined : `switched off by patch_enabled${because}`;
  if (disabledUntilMs <= nowMs) return undefined;
  return `switched off until ${new Date(disabledUntilMs).toISOString()} by patch_disabled_until${because}`;
}

/** The source that Windows Update searches, and what of its answer is ignored. */
export interface WindowsUpdateSettings {
  /** `default`: as the host's own policy sets it. */
  readonly source?: 'default' | 'wsus' | 'windows-update' | 'microsoft-update';
  /** A wsusscn2.cab on a disk of the host, for a search without any network; with forward slashes. */
  readonly catalogue?: string;
  /** Drivers are searched for too; they are still installed only where they are named. */
  readonly hasDrivers?: boolean;
  /** False: winget and Chocolatey are not queried. */
  readonly hasSoftware?: boolean;
  /** Codes of signs of a pending reboot that are ignored on this host. */
  readonly ignoredRebootSigns?: readonly string[];
}

/** One machine of the inventory with everything resolved. */
export interface Host {
  /** The inventory name, unique within one inventory. */
  readonly name: string;
  /** Stable identity: `patch_id`, else the name. */
  readonly id: string;
  /** Every group the host is in, sorted, `all` included. */
  readonly groups: readonly string[];
  readonly connection: Connection;
  readonly patch: PatchSettings;
  /** All resolved variables; secret values are replaced by `Secret`. */
  readonly variables: Readonly<Record<string, unknown>>;
}
