/** A constant text that runs on hosts; one digest per fettle version. */
export interface RemoteScript {
  readonly name: string;
  readonly text: string;
  /** Hex SHA-256 of `text`. */
  readonly sha256: string;
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
