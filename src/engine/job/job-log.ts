import { StringDecoder } from 'node:string_decoder';
import { show } from '../context.ts';
import type { HostContext } from '../context.ts';
import type { JobNews } from '../../remote/jobs.ts';

const keptLogBytes = 16 * 1024 * 1024;

/** The job's log so far: shown as it comes, kept up to a cap for the ledger. */
export class JobLog {
  readonly #context: HostContext;
  readonly #decoder = new StringDecoder('utf8');
  readonly #chunks: Buffer[] = [];
  #keptBytes = 0;
  #droppedBytes = 0;
  #note: string | undefined;

  constructor(context: HostContext) {
    this.#context = context;
  }

  get isEmpty(): boolean {
    return this.#keptBytes === 0;
  }

  add(news: JobNews): void {
    const room = keptLogBytes - this.#keptBytes;
    const kept = news.log.subarray(0, room);
    if (kept.length > 0) this.#chunks.push(kept);
    this.#keptBytes += kept.length;
    this.#droppedBytes += news.log.length - kept.length;
    const { name: host } = this.#context.host;
    const text = this.#decoder.write(news.log);
    if (text !== '') show(this.#context, { type: 'live.output', host, stream: 'log', text });
    const { note } = news.status;
    if (note !== undefined && note !== this.#note) show(this.#context, { type: 'live.note', host, note });
    this.#note = note;
  }

  bytes(): Buffer {
    const end = this.#droppedBytes === 0 ? [] : [Buffer.from(`\n[${this.#droppedBytes} more bytes were not kept]\n`)];
    return Buffer.concat([...this.#chunks, ...end]);
  }
}
