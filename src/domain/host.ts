import type { Secret } from './secret.ts';

export type ElevationMethod = 'sudo' | 'doas' | 'su';

export interface Elevation {
  readonly method: ElevationMethod;
  /** The account to become; `root` unless told otherwise. */
  readonly user: string;
  readonly password?: Secret;
  /** The program, when it is not simply `method` on the PATH. */
  readonly exe?: string;
  /** Extra arguments as an argument list; already split, never shell text. */
  readonly flags: readonly string[];
}

/** `strict`: known keys only. `accept-new`: unknown keys are written down, changed ones refused. `off`: asked for by name. */
export type HostKeyPolicy = 'strict' | 'accept-new' | 'off';

/** Limits of one connection, each named in its error. Milliseconds. */
export interface ConnectionLimits {
  readonly connectMs: number;
  readonly handshakeMs: number;
  readonly authMs: number;
  /** No byte from the host (keepalive answers included) for this long means the connection is lost. */
  readonly idleMs: number;
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
  readonly limits: ConnectionLimits;
  readonly elevation?: Elevation;
}

export type RebootMode = 'never' | 'if-needed' | 'always';

/** The flat `patch_*` variables of one host. */
export interface PatchSettings {
  readonly enabled: boolean;
  readonly disabledReason?: string;
  /** Epoch milliseconds; the host is left alone until then. */
  readonly disabledUntilMs?: number;
  /** Package names (globs) that are never updated on this host. */
  readonly hold: readonly string[];
  /** `never` always wins over the playbook. */
  readonly reboot?: RebootMode;
  readonly maxReboots?: number;
  readonly ring?: string;
  /** Names of clusters whose members never go together. */
  readonly clusters: readonly string[];
  readonly owner?: string;
  /** Archive origins or labels that count as security sources besides the distribution's own. */
  readonly securityOrigins?: readonly string[];
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
