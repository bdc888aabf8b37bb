import { FettleError } from '../../domain/error.ts';
import { answerTooLarge, fewEnough } from '../../domain/limits.ts';

/** An object of a host's JSON, whose every value is distrusted. */
export type HostObject = Readonly<Record<string, unknown>>;

const longestText = 2_000;
/** Objects, lists and values of one document: far more than a host has, few enough to be read at once. */
const mostNodes = 2_000_000;

/** `what` names the section in the error. */
export function parseHostJson(text: string, what: string): HostObject {
  if (nodesIn(text) > mostNodes) throw answerTooLarge(`more than ${mostNodes} values (${what})`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FettleError('parse', `the host's ${what} is not valid JSON`, {
      cause,
      details: { begins: text.slice(0, 100) },
    });
  }
  if (isObject(value)) return value;
  throw new FettleError('parse', `the host's ${what} is not a JSON object`);
}

/** What a document can hold at most: counted before it is read, so that reading it cannot take the memory first. */
function nodesIn(text: string): number {
  let count = 1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    // Comma, [ and {; those inside of texts count too.
    if (code === 0x2c || code === 0x5b || code === 0x7b) count += 1;
  }
  return count;
}

function isObject(value: unknown): value is HostObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object below `key`; an empty one where there is none. */
export function objectAt(from: HostObject, key: string): HostObject {
  const value = Object.hasOwn(from, key) ? from[key] : undefined;
  return isObject(value) ? value : {};
}

/** Objects of a list; what is no object is left out. */
export function objectsAt(from: HostObject, key: string): readonly HostObject[] {
  const value = Object.hasOwn(from, key) ? from[key] : undefined;
  return Array.isArray(value) ? fewEnough(value, `objects in ${key}`).filter(isObject) : [];
}

/** Printable text without line ends, cut at 2,000 characters; empty where there is none. */
export function textAt(from: HostObject, key: string): string {
  return short(rawTextAt(from, key));
}

/** The text as it came, for output of programs that is read further. */
export function rawTextAt(from: HostObject, key: string): string {
  const value = Object.hasOwn(from, key) ? from[key] : undefined;
  return typeof value === 'string' ? value.toWellFormed() : '';
}

export function textsAt(from: HostObject, key: string): readonly string[] {
  const value = Object.hasOwn(from, key) ? from[key] : undefined;
  if (!Array.isArray(value)) return [];
  return fewEnough(value, `texts in ${key}`).flatMap((item: unknown) =>
    typeof item === 'string' ? [short(item)] : [],
  );
}

export function numberAt(from: HostObject, key: string): number | undefined {
  const value = Object.hasOwn(from, key) ? from[key] : undefined;
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

export function isAt(from: HostObject, key: string): boolean {
  return Object.hasOwn(from, key) && from[key] === true;
}

/** Epoch ms of an ISO 8601 moment. */
export function momentAt(from: HostObject, key: string): number | undefined {
  const ms = Date.parse(rawTextAt(from, key));
  return Number.isFinite(ms) ? ms : undefined;
}

/** Cut before it is cleaned, so that a long text costs no more than a short one. */
function short(text: string): string {
  return text
    .slice(0, longestText * 2)
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ')
    .trim()
    .slice(0, longestText)
    .toWellFormed();
}
