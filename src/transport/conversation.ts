import type { Writable } from 'node:stream';
import { FettleError } from '../domain/error.ts';
import type { Dialogue, ExecRequest } from './session.ts';

/** Limit of the text that a dialogue examines; lectures and banners fit, a flood does not. */
const dialogueBytes = 64 * 1024;

export interface ConversationPorts {
  readonly what: string;
  readonly fail: (error: Error) => void;
}

/** Holds back stdin and stderr until the dialogue answers `go`. */
export class Conversation implements Disposable {
  readonly #stdin: Writable;
  readonly #request: ExecRequest;
  readonly #ports: ConversationPorts;
  #dialogue: Dialogue | undefined;
  #timer: NodeJS.Timeout | undefined;
  #heard: Buffer = Buffer.alloc(0);
  #isHeldBack = false;
  #isOver = false;

  constructor(stdin: Writable, request: ExecRequest, ports: ConversationPorts) {
    this.#stdin = stdin;
    this.#request = request;
    this.#ports = ports;
    this.#dialogue = request.dialogue;
  }

  begin(): void {
    if (this.#dialogue === undefined) this.#feed();
    else this.#limit();
  }

  /** Takes a piece of stderr; returns the part that is the command's own output. */
  hear(chunk: Buffer): Buffer {
    if (this.#dialogue === undefined && this.#heard.length === 0) return chunk;
    this.#heard = Buffer.concat([this.#heard, chunk]);
    if (!this.#isHeldBack) this.#advance();
    return this.#dialogue === undefined ? this.unanswered() : Buffer.alloc(0);
  }

  /** The output that was held back; empty on later calls. */
  unanswered(): Buffer {
    const rest = this.#heard;
    this.#heard = Buffer.alloc(0);
    return rest;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #advance(): void {
    while (this.#dialogue !== undefined) {
      // latin1: one letter is one byte, so that `consumed` counts bytes.
      const answer = this.#dialogue.next(this.#heard.toString('latin1'));
      switch (answer.kind) {
        case 'wait':
          if (this.#heard.length > dialogueBytes) this.#fail(this.#flooded());
          return;
        case 'later':
          this.#holdBack(answer.until);
          return;
        case 'fail':
          this.#fail(answer.error);
          return;
        case 'send':
          this.#heard = this.#heard.subarray(answer.consumed);
          this.#stdin.write(answer.bytes);
          break;
        case 'go':
          this.#heard = this.#heard.subarray(answer.consumed);
          this.#go();
      }
    }
  }

  #holdBack(until: Promise<void>): void {
    clearTimeout(this.#timer);
    this.#isHeldBack = true;
    const goOn = (): void => {
      this.#isHeldBack = false;
      if (this.#isOver) return;
      this.#limit();
      this.#advance();
    };
    until.then(goOn, (error: unknown) => this.#fail(error as Error));
  }

  #limit(): void {
    const limitMs = this.#dialogue?.limitMs;
    if (limitMs === undefined) return;
    this.#timer = setTimeout(() => {
      const message = `${this.#ports.what} did not begin within ${limitMs / 1000} s (elevation limit)`;
      this.#fail(
        new FettleError('timeout', message, {
          hint: 'a program on the host may be waiting for input; run it by hand to check',
        }),
      );
    }, limitMs);
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
    return new FettleError('elevate', `${this.#ports.what} printed too much before it began`, {
      hint: 'the elevation program or the login profile of the account prints without end',
    });
  }
}
