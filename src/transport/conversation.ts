import type { Writable } from 'node:stream';
import { FettleError } from '../domain/error.ts';
import type { Dialogue, ExecRequest } from './session.ts';

/** Of what a dialogue looks at; lectures and banners fit, a flood does not. */
const dialogueBytes = 64 * 1024;

export interface ConversationPorts {
  readonly what: string;
  readonly fail: (error: Error) => void;
}

/** Holds stdin back, and stderr too, until the dialogue says go. */
export class Conversation implements Disposable {
  readonly #stdin: Writable;
  readonly #request: ExecRequest;
  readonly #ports: ConversationPorts;
  #dialogue: Dialogue | undefined;
  #timer: NodeJS.Timeout | undefined;
  #heard: Buffer = Buffer.alloc(0);

  constructor(stdin: Writable, request: ExecRequest, ports: ConversationPorts) {
    this.#stdin = stdin;
    this.#request = request;
    this.#ports = ports;
    this.#dialogue = request.dialogue;
  }

  begin(): void {
    if (this.#dialogue === undefined) {
      this.#feed();
      return;
    }
    const { limitMs } = this.#dialogue;
    if (limitMs === undefined) return;
    this.#timer = setTimeout(() => {
      const message = `${this.#ports.what} did not begin within ${limitMs / 1000} s (elevation limit)`;
      this.#fail(new FettleError('timeout', message, { hint: 'something there waits for an answer; try it by hand' }));
    }, limitMs);
  }

  /** Takes a piece of stderr; answers with what of it is the command's own output. */
  hear(chunk: Buffer): Buffer {
    if (this.#dialogue === undefined) return chunk;
    this.#heard = Buffer.concat([this.#heard, chunk]);
    while (this.#dialogue !== undefined) {
      // latin1: one letter is one byte, so that `consumed` counts bytes.
      const answer = this.#dialogue.next(this.#heard.toString('latin1'));
      if (answer.kind === 'wait') {
        if (this.#heard.length > dialogueBytes) this.#fail(this.#flooded());
        break;
      }
      if (answer.kind === 'fail') {
        this.#fail(answer.error);
        break;
      }
      this.#heard = this.#heard.subarray(answer.consumed);
      if (answer.kind === 'send') this.#stdin.write(answer.bytes);
      else this.#go();
    }
    return this.#dialogue === undefined ? this.unanswered() : Buffer.alloc(0);
  }

  /** What was held back, once. */
  unanswered(): Buffer {
    const rest = this.#heard;
    this.#heard = Buffer.alloc(0);
    return rest;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #go(): void {
    this.#dialogue = undefined;
    clearTimeout(this.#timer);
    this.#feed();
  }

  #feed(): void {
    this.#stdin.end(this.#request.stdin ?? '');
  }

  #fail(error: Error): void {
    this.#dialogue = undefined;
    this.#ports.fail(error);
  }

  #flooded(): FettleError {
    return new FettleError('elevate', `${this.#ports.what} said too much before it began`, {
      hint: 'the elevation program or the profile of the account prints without end',
    });
  }
}
