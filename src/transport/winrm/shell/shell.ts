import { FettleError } from '../../../domain/error.ts';
import { isLoss, type WsmanClient } from '../wsman/client.ts';
import { failure, type Phase } from '../http/endpoint.ts';
import { describeFault, faultCodes, faultError, isHeartbeat, win32Code, type Fault } from '../soap/faults.ts';
import {
  createShell,
  deleteShell,
  readCommandId,
  readOutput,
  readShellId,
  receiveOutput,
  sendInput,
  signalCommand,
  startCommand,
  type Output,
  type RunningCommand,
  type ShellSignal,
} from '../soap/soap.ts';
import type { XmlElement } from '../../../domain/xml.ts';

export interface ShellPorts {
  /** Upper-case UUIDs. */
  readonly newId: () => string;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** Largest piece of stdin per message: base64 of it and the header fit into 150 KB. */
export const pieceBytes = 96 * 1024;

/** Found by name in lists on the host; the host removes it when it idles that long. */
const shellRequest = { name: 'fettle', idleTimeoutSec: 900 };
/** Between attempts to fetch output after the connection was lost. */
const reconnectPausesMs: readonly number[] = [500, 1_000, 2_000, 4_000, 5_000];
const busyPausesMs: readonly number[] = [5_000, 5_000, 5_000];
/** Until Windows has put away the profile of an earlier session. */
const profilePauseMs = 1_000;
const nothingYet: Output = { pieces: [], exitCode: undefined };

/** The command has ended or closed its stdin: the rest of stdin is discarded. */
const deafCodes: readonly number[] = [
  faultCodes.brokenPipe,
  faultCodes.noData,
  faultCodes.notFound,
  faultCodes.commandTerminated,
  faultCodes.aborted,
];

/** A command that may have produced output while fettle determined whether it runs. */
export interface StartedCommand extends RunningCommand {
  readonly early: Output;
}

/** One WinRS shell on one host, created when first needed and again when the host has lost it. */
export class Shell {
  readonly #client: WsmanClient;
  readonly #ports: ShellPorts;
  #shellId: string | undefined;

  constructor(client: WsmanClient, ports: ShellPorts) {
    this.#client = client;
    this.#ports = ports;
  }

  /**
   * Starts a command line. A shell the host no longer has, or that has spent its operations, is replaced once:
   * nothing ran in it. `abandon` is called with a command whose start is uncertain because the signal was aborted.
   */
  async start(
    line: string,
    signal: AbortSignal | undefined,
    abandon: (command: RunningCommand) => void,
  ): Promise<StartedCommand> {
    for (let attempt = 0; ; attempt += 1) {
      const command = { shellId: await this.#ready(signal), commandId: this.#ports.newId() };
      try {
        const started = await this.#begin(command, line, signal);
        if (!isFault(started)) return started;
        if (describeFault(started).class !== 'sessionReset' || attempt > 0) throw this.#error('command', started);
        await this.#discard(signal);
      } catch (error) {
        if (signal?.aborted) abandon(command);
        throw error;
      }
    }
  }

  /** Sends a piece of stdin; false when the command no longer reads its input. */
  async send(command: RunningCommand, piece: Piece, signal?: AbortSignal): Promise<boolean> {
    const message = sendInput(command, piece.bytes, piece.isEnd);
    for (const pauseMs of [...busyPausesMs, undefined]) {
      const reply = await this.#client.ask(message, { phase: 'send', signal });
      // The time-out means that the piece was accepted and the command is slow to read it.
      if (reply.kind === 'body' || isHeartbeat(reply.fault)) return true;
      if (reply.fault.code !== undefined && deafCodes.includes(win32Code(reply.fault.code))) return false;
      if (win32Code(reply.fault.code ?? 0) !== faultCodes.busy || pauseMs === undefined)
        throw this.#error('send', reply.fault);
      await this.#ports.sleep(pauseMs, signal);
    }
    return true;
  }

  /**
   * New output of the command; empty after the host's time-out, which is the heartbeat. A lost connection is
   * re-established up to five times, with the same command id. Throws `lost` when the host no longer knows the
   * command.
   */
  async receive(command: RunningCommand, signal?: AbortSignal): Promise<Output> {
    const output = await this.#fetch(command, signal);
    if (!isFault(output)) return output;
    if (describeFault(output).class !== 'sessionReset') throw this.#error('receive', output);
    await this.#discard(signal);
    throw failure(this.#client.endpoint, {
      code: 'lost',
      phase: 'receive',
      what: `no longer knows the command: ${output.message} [${output.code ?? output.subcode ?? 'no code'}]`,
      hint: 'the host or its WinRM service was restarted; the outcome of the command is unknown; check the host',
      details: { fault: output.code ?? null },
    });
  }

  async signal(command: RunningCommand, kind: ShellSignal, signal?: AbortSignal): Promise<void> {
    await this.#client.ask(signalCommand(command, kind), { phase: 'signal', signal });
  }

  /**
   * Removes the shell with everything that runs in it; does nothing if there is none. Faults are ignored: the shell
   * is gone.
   */
  async remove(signal?: AbortSignal): Promise<void> {
    const shellId = this.#shellId;
    this.#shellId = undefined;
    if (shellId !== undefined) await this.#client.ask(deleteShell(shellId), { phase: 'delete', signal });
  }

  async #ready(signal: AbortSignal | undefined): Promise<string> {
    if (this.#shellId !== undefined) return this.#shellId;
    const body = await this.#create(signal);
    this.#shellId = this.#client.understand('create', () => readShellId(body));
    return this.#shellId;
  }

  /** A profile that is being unloaded (1018) is available again a moment later: retried once. */
  async #create(signal: AbortSignal | undefined): Promise<XmlElement> {
    const reply = await this.#client.ask(createShell(shellRequest), { phase: 'create', signal });
    if (reply.kind === 'body') return reply.body;
    if (win32Code(reply.fault.code ?? 0) !== faultCodes.profileUnloaded) throw this.#error('create', reply.fault);
    await this.#ports.sleep(profilePauseMs, signal);
    return this.#client.demand(createShell(shellRequest), { phase: 'create', signal });
  }

  /**
   * After a lost answer the host is queried for output under the id that was sent, which shows whether the command
   * runs.
   */
  async #begin(
    command: RunningCommand,
    line: string,
    signal: AbortSignal | undefined,
  ): Promise<StartedCommand | Fault> {
    const message = startCommand(command.shellId, command.commandId, line);
    const options = { phase: 'command', signal } as const;
    try {
      return this.#begun(command, await this.#client.ask(message, options));
    } catch (error) {
      if (!isLoss(error)) throw error;
    }
    const early = await this.#fetch(command, signal);
    if (!isFault(early)) return { ...command, early };
    return early.code === faultCodes.notFound ? this.#begun(command, await this.#client.ask(message, options)) : early;
  }

  #begun(command: RunningCommand, reply: Awaited<ReturnType<WsmanClient['ask']>>): StartedCommand | Fault {
    if (reply.kind === 'fault') return reply.fault;
    return { ...command, commandId: readCommandId(reply.body) ?? command.commandId, early: nothingYet };
  }

  async #fetch(command: RunningCommand, signal: AbortSignal | undefined): Promise<Output | Fault> {
    // The host delivers output once: the output in a lost answer is lost too.
    let gap: Pick<Output, 'hasGap'> = {};
    for (const pauseMs of [...reconnectPausesMs, undefined]) {
      try {
        const reply = await this.#client.ask(receiveOutput(command), { phase: 'receive', signal });
        if (reply.kind === 'fault') return isHeartbeat(reply.fault) ? { ...nothingYet, ...gap } : reply.fault;
        const output = this.#client.understand('receive', () => readOutput(reply.body, command.commandId));
        return { ...output, ...gap };
      } catch (error) {
        if (!isLoss(error) || pauseMs === undefined || signal?.aborted) throw error;
        if (error.code !== 'connect') gap = { hasGap: true };
        await this.#ports.sleep(pauseMs, signal);
      }
    }
    throw new FettleError('internal', 'fetching output did not end');
  }

  /**
   * A shell that is spent, or has lost our command, still counts against the quota of shells until it idles out: it
   * is deleted. The host may have lost it as well; failures are ignored.
   */
  async #discard(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.remove(signal);
    } catch (error) {
      if (signal?.aborted) throw error;
    }
  }

  #error(phase: Phase, fault: Fault): FettleError {
    return faultError(this.#client.endpoint, phase, fault);
  }
}

export interface Piece {
  readonly bytes: Buffer;
  readonly isEnd: boolean;
}

function isFault(answer: StartedCommand | Output | Fault): answer is Fault {
  return 'subcode' in answer;
}
