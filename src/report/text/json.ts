// JSON for programs: stable names, times as ISO 8601 in UTC, null where there is nothing.
import { isoTime } from '../../base/format.ts';
import { FettleError } from '../../domain/error.ts';

/** JSON text in which nothing can steer a terminal: what is invisible is written as `\uXXXX`, which means the same. */
export function safeJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, undefined, indent) ?? 'null';
  return text.replace(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** How a row of one document becomes JSON: every field that can be asked for, in order. */
export interface JsonShape<Row> {
  /** `hosts` of `{"schema":"fettle/report-hosts/1","hosts":[…]}`. */
  readonly name: string;
  readonly list: string;
  readonly version: number;
  readonly fields: Readonly<Record<string, (row: Row) => unknown>>;
}

/** What `--json` was given: everything, or a comma list of fields. */
export type FieldChoice = string | true;

/** A document with a list; `FettleError('usage')` naming all fields when one is asked for that does not exist. */
export function jsonList<Row>(
  shape: JsonShape<Row>,
  rows: readonly Row[],
  choice: FieldChoice = true,
): Record<string, unknown> {
  const fields = chooseFields(Object.keys(shape.fields), choice);
  const items = rows.map((row) =>
    Object.fromEntries(fields.map((field) => [field, shape.fields[field]?.(row) ?? null])),
  );
  return { schema: `fettle/${shape.name}/${shape.version}`, [shape.list]: items };
}

/** One row as an object; null where there is nothing. */
export function jsonRow<Row>(
  { fields }: JsonShape<Row>,
  row: Row,
  names: readonly string[] = Object.keys(fields),
): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, fields[name]?.(row) ?? null]));
}

/** A document that is one object; fields are its keys. None of them is `schema`: that is the document's own. */
export function jsonObject(
  name: `${string}/${number}`,
  value: Readonly<Record<string, unknown>> & { readonly schema?: never },
  choice: FieldChoice = true,
): Record<string, unknown> {
  return { schema: `fettle/${name}`, ...chosenFields(value, choice) };
}

/** The fields of one object that were asked for, null where there is nothing. */
export function chosenFields(value: Readonly<Record<string, unknown>>, choice: FieldChoice): Record<string, unknown> {
  const fields = chooseFields(Object.keys(value), choice);
  return Object.fromEntries(fields.map((field) => [field, value[field] ?? null]));
}

/** The same judgement before any work is done. */
export function checkFields(known: readonly string[], choice: FieldChoice | undefined): void {
  if (choice !== undefined) chooseFields(known, choice);
}

function chooseFields(known: readonly string[], choice: FieldChoice): readonly string[] {
  if (choice === true) return known;
  const wanted = choice
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  const strange = wanted.filter((word) => !known.includes(word));
  const hint = `fields: ${known.join(', ')}`;
  if (wanted.length === 0) throw new FettleError('usage', '--json lists no field', { hint });
  if (strange.length === 0) return wanted;
  throw new FettleError('usage', `--json has no field ${strange.map((word) => `"${word}"`).join(', ')}`, { hint });
}

/** Epoch milliseconds as ISO 8601; null stays. */
export function jsonTime(ms: number | undefined): string | null {
  return ms === undefined ? null : isoTime(ms);
}
