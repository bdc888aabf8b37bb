import { jsonList, safeJson, type FieldChoice, type JsonShape } from '../report/json.ts';
import type { Context } from './context.ts';

export interface Shown<Row> {
  readonly rows: readonly Row[];
  readonly shape: JsonShape<Row>;
  /** What `--json` was given; absent: text. */
  readonly json: FieldChoice | undefined;
  readonly text: () => string | Uint8Array;
}

/** Data on stdout: one JSON document where it was asked for, else text as the terminal or the pipe takes it. */
export function show<Row>({ rows, shape, json, text }: Shown<Row>, context: Context): void {
  const { stdout } = context.output;
  stdout.write(json === undefined ? text() : `${safeJson(jsonList(shape, rows, json), 2)}\n`);
}

export function showDocument(document: unknown, context: Context): void {
  context.output.stdout.write(`${safeJson(document, 2)}\n`);
}
