import { asFettleError, type FettleError, toErrorRecord } from '../../domain/error.ts';
import type { Host } from '../../domain/host.ts';
import { emit, show } from '../context.ts';
import { forEachHost, type FanOut } from './for-each-host.ts';
import { unscanned } from './scan-events.ts';

export interface ExecFleet extends FanOut {
  /** Text for `sh`, sent on stdin. */
  readonly command: string;
  /** Longest time of the command on one host, milliseconds. */
  readonly timeoutMs: number;
  /** Kept per stream and host; the rest is drained and counted. */
  readonly outputLimitBytes: number;
  readonly onResult: (result: ExecOutcome) => void;
}

/** How a command ended on one host; folding equal outputs is the reporter's business. */
export type ExecOutcome =
  | {
      readonly host: Host;
      readonly exitCode: number | null;
      readonly stdout: Buffer;
      readonly stderr: Buffer;
      readonly truncatedBytes: number;
    }
  | { readonly host: Host; readonly error: FettleError };

/** Runs one command on every host, flat; recorded as a step each. Only ledger errors are thrown. */
export async function execOnHosts(hosts: readonly Host[], fleet: ExecFleet): Promise<void> {
  await forEachHost(hosts, fleet, async (host) => {
    fleet.onResult(await execOnHost(host, fleet));
  });
}

async function execOnHost(host: Host, fleet: ExecFleet): Promise<ExecOutcome> {
  const { context, command, timeoutMs, outputLimitBytes } = fleet;
  const of = { run: context.run, host: host.name, hostId: host.id, attempt: 1 };
  const step = { ...of, step: 'exec' } as const;
  try {
    context.stop.throwIfAborted();
    await using remote = fleet.remote(host);
    await remote.connect(context.detach);
    await emit(context, [
      { type: 'host.started', ...of },
      { type: 'step.started', ...step },
    ]);
    const ended = await remote.exec(command, {
      signal: context.detach,
      outputLimitBytes,
      timeoutMs,
      onOutput: (stream, chunk) =>
        show(context, { type: 'live.output', host: host.name, stream, text: Buffer.from(chunk).toString('utf8') }),
    });
    const { exitCode, stdout, stderr } = ended;
    const output = Buffer.concat([stdout, stderr]);
    const outputSha256 = output.length === 0 ? {} : { outputSha256: await context.record.putBlob(output) };
    const code = exitCode === null ? {} : { exitCode };
    await emit(context, [{ type: 'step.finished', ...step, ok: exitCode === 0, ...code, ...outputSha256 }]);
    return { host, ...ended };
  } catch (thrown) {
    const error = asFettleError(thrown);
    if (error.code === 'ledger') throw error;
    await emit(context, [
      { type: 'step.finished', ...step, ok: false, error: toErrorRecord(error) },
      unscanned(context, host, error),
    ]);
    return { host, error };
  }
}
