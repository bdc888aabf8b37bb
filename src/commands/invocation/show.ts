import { jsonList, safeJson, type FieldChoice, type JsonShape } from '../../report/text/json.ts';
import type { ExitName } from '../../domain/exit.ts';
import type { Context } from './context.ts';
import type { OutputRequest } from './request.ts';

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

export interface ShownResults<Row> {
  readonly rows: readonly Row[];
  readonly shape: JsonShape<Row>;
  readonly request: OutputRequest;
  /** How the command ends. */
  readonly exitName: ExitName;
  /** Done, and nothing about it is uncertain. */
  readonly isWell: (row: Row) => boolean;
  readonly text: (rows: readonly Row[]) => string | Uint8Array;
}

/**
 * What a command did or found on each host. `--quiet` leaves out the rows that are well, and all of them where `--ok`
 * accepts the exit; `--json` asks for data and has every row. What a command is only there to print goes through `show`.
 */
export function showResults<Row>(
  { rows, shape, request, exitName, isWell, text }: ShownResults<Row>,
  context: Context,
): void {
  const { quiet: isQuiet, json, accepted } = request;
  const isAccepted = accepted.has(exitName);
  const shown = isQuiet && json === undefined ? rows.filter((row) => !isAccepted && !isWell(row)) : rows;
  if (isQuiet && json === undefined && shown.length === 0) return;
  show({ rows: shown, shape, json, text: () => text(shown) }, context);
}

export function showDocument(document: unknown, context: Context): void {
  context.output.stdout.write(`${safeJson(document, 2)}\n`);
}
