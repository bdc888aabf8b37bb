import type { Flavour } from './base.ts';

/** One host as the supervisor gets it: everything resolved. */
export interface HostSpec {
  readonly name: string;
  /** Counts hosts from 0; the name of its bridge port. */
  readonly index: number;
  readonly address: string;
  readonly flavour: Flavour;
  /** Overlay layers, uppermost first. */
  readonly layers: readonly string[];
  readonly machineId: string;
  /** How long it claims to be up when the lab starts. */
  readonly uptimeSec: number;
  /** Size of the file system it writes to. */
  readonly diskMib: number;
  readonly sudo: 'nopasswd' | 'password';
  /** Age of its package lists when the lab starts. */
  readonly metadataAgeMs: number;
  /** More files, by path, with their content. */
  readonly files: Readonly<Record<string, string>>;
}

export interface LabSpec {
  readonly name: string;
  readonly architecture: string;
  readonly hosts: readonly HostSpec[];
}

/** How a host behaves when it reboots, until told otherwise. */
export interface RebootBehaviour {
  /** From the end of the old system to the start of the new one. */
  readonly downMs: number;
  /** What a client sees meanwhile: silence, or refused connections. */
  readonly answers: 'nothing' | 'refused';
  /** `false`: it never comes back by itself. */
  readonly returns: boolean;
  /** It comes back with another host key. */
  readonly newHostKey: boolean;
}

export const usualReboot: RebootBehaviour = { downMs: 300, answers: 'nothing', returns: true, newHostKey: false };

/**
 * Where packets get lost: `link` the carrier is gone, `silent` both ways without a trace, `to-host` and `from-host` one
 * way only (half-open).
 */
export type CutMode = 'link' | 'silent' | 'to-host' | 'from-host';

export type HostState = 'off' | 'on' | 'rebooting';

export interface HostStatus {
  readonly name: string;
  readonly address: string;
  readonly flavour: Flavour;
  readonly state: HostState;
  /** Of the running system, or of the one that ran last. */
  readonly bootId: string;
  /** Starts so far. */
  readonly boots: number;
  /** PID 1 of the host as the machine counts it. */
  readonly pid?: number;
  readonly cut?: CutMode;
}

/** What can be asked of a supervisor; the answers are `Answer`. */
export type Request =
  | { readonly verb: 'status' }
  | { readonly verb: 'down' }
  | { readonly verb: 'power-off'; readonly host: string }
  | { readonly verb: 'power-on'; readonly host: string }
  /** Waits until sshd of a running host answers; at once where the network is cut. */
  | { readonly verb: 'await-ssh'; readonly host: string }
  | { readonly verb: 'cut'; readonly host: string; readonly mode: CutMode; readonly forMs?: number }
  | { readonly verb: 'restore'; readonly host: string }
  | { readonly verb: 'on-reboot'; readonly host: string; readonly behaviour: RebootBehaviour }
  | { readonly verb: 'new-host-key'; readonly host: string };

export type Answer =
  { readonly ok: true; readonly hosts: readonly HostStatus[] } | { readonly ok: false; readonly message: string };
