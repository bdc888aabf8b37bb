/** A constant text that runs on hosts: the same files give the same text in one version of fettle. */
export interface RemoteScript {
  readonly name: string;
  readonly text: string;
  /** Hex SHA-256 of `text`. */
  readonly sha256: string;
  /** The files that it was assembled from. */
  readonly files: readonly string[];
}

/** Data for a script: never code. The script checks every part against its own alphabet. */
export interface ScriptInput {
  readonly fields?: Readonly<Record<string, string | number>>;
  /** Rows of words, e.g. one package a row. */
  readonly rows?: readonly (readonly string[])[];
}

/** What a script is asked to do, with its data. */
export interface ScriptRequest extends ScriptInput {
  readonly verb: string;
  /** Package managers that it is about; absent: all that the host has. */
  readonly managers?: readonly string[];
}

export interface ScriptOptions {
  readonly signal?: AbortSignal;
  /**
   * Longest wait for the answer, milliseconds. Required: a host whose SSH server answers keepalives while no process
   * starts any more would hold the run for ever.
   */
  readonly timeoutMs: number;
  readonly outputLimitBytes?: number;
}

/** Where a caller has no limit of its own: no question goes to a host without one. */
export const defaultLimit: ScriptOptions = { timeoutMs: 2 * 60_000 };
