import type { ExecResult, Session } from '../transport/session.ts';

/** A constant text that runs on hosts; one digest per fettle version. */
export interface RemoteScript {
  readonly name: string;
  readonly text: string;
  /** Hex SHA-256 of `text`. */
  readonly sha256: string;
}

/** Data for a script: never code. The script checks every part against its own alphabet. */
export interface ScriptRequest {
  readonly verb: string;
  readonly fields?: Readonly<Record<string, string | number>>;
  /** Rows of words, e.g. one package a row. */
  readonly rows?: readonly (readonly string[])[];
}

export interface ScriptOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  readonly outputLimitBytes?: number;
}

export type RunScript = (
  session: Session,
  script: RemoteScript,
  request: ScriptRequest,
  options?: ScriptOptions,
) => Promise<ExecResult>;
