import type { ExecResult, Session } from '../transport/session.ts';
import { systemPath } from './launch.ts';
import { lostOutput } from './powershell.ts';
import { encodeText, textCommand } from './powershell-text.ts';

/**
 * The text comes on standard input and is read to its end before it runs; what it runs finds an empty input. The
 * system's programs come first: su(1) keeps the PATH of the account.
 */
export const textLauncher = `/bin/sh -c 'PATH=${systemPath}\${PATH:+:$PATH}; export PATH; FETTLE_TEXT=$(cat); eval "$FETTLE_TEXT" </dev/null'`;

export interface TextOptions {
  readonly signal?: AbortSignal;
  /** Longest time that the command may take, milliseconds. */
  readonly timeoutMs: number;
  readonly outputLimitBytes: number;
  readonly onOutput?: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void;
}

/** Runs the operator's own text by `sh`, or by PowerShell where that is the host's; its exit status is a result, not an error. */
export async function runText(session: Session, text: string, options: TextOptions): Promise<ExecResult> {
  const { onOutput, ...rest } = options;
  const result = await session.exec({
    ...rest,
    ...(session.shell === 'powershell'
      ? { command: textCommand(session), stdin: encodeText(text) }
      : { command: textLauncher, stdin: text }),
    ...(onOutput === undefined
      ? {}
      : {
          onStdout: (chunk: Uint8Array) => onOutput('stdout', chunk),
          onStderr: (chunk: Uint8Array) => onOutput('stderr', chunk),
        }),
  });
  if (result.hasGap === true) throw lostOutput(`the command (exit status ${result.exitCode ?? 'none'})`);
  return result;
}
