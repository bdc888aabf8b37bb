import { FettleError } from '../../domain/error.ts';
import { fewEnough, shortEnough } from '../../domain/limits.ts';
import { linesIn } from '../contract/sections.ts';

/** One line of `snap list`, or of `snap refresh --list`, by the words of its headings in lower case. */
export interface SnapRow {
  readonly name: string;
  readonly version: string;
  /** A number of the store, or `x1` of a snap that was installed from a file. */
  readonly revision: string;
  readonly publisher: string;
  readonly notes: readonly string[];
  /** The channel that it follows; empty where it follows none. Of installed snaps only. */
  readonly tracking: string;
  /** Bytes at most; absent where the list has none. Of updates only. */
  readonly sizeBytes?: number;
}

/**
 * A table of the client, read by its headings: releases of snapd differ in their columns, and no cell has a blank in it
 * (snap/naming of snapd). Without headings there are no rows.
 */
export function readTable(text: string, what: string): readonly SnapRow[] {
  const rows: SnapRow[] = [];
  let headings: readonly string[] | undefined;
  for (const line of linesIn(text, what)) {
    if (line === '') continue;
    const cells = line.trimEnd().split(/ +/, mostColumns);
    if (headings !== undefined) fewEnough(rows, 'snaps').push(readRow(headings, cells, line));
    else headings = cells.map((heading) => heading.toLowerCase());
  }
  return fewEnough(rows, 'snaps');
}

const mostColumns = 16;
/** Of a snap, with the key of a parallel instance of it (snap/naming of snapd). */
const nameWord = /^[a-z0-9][a-z0-9_-]*$/;
const revisionWord = /^x?[1-9]\d{0,9}$/;

function readRow(headings: readonly string[], cells: readonly string[], line: string): SnapRow {
  const cell = (heading: string): string => cells[headings.indexOf(heading)] ?? '';
  const [name, version, revision] = [cell('name'), cell('version'), cell('rev')];
  if (!nameWord.test(name) || version === '' || !revisionWord.test(revision)) throw unreadable('list of snaps', line);
  const sizeBytes = sizeOf(cell('size'));
  return {
    name: shortEnough(name, 'name of a snap'),
    version: shortEnough(version, 'version'),
    revision,
    // The stars mark verified publishers of the store. Releases before 2.33 use the column developer.
    publisher: shortEnough(withoutStars(unlessNone(cell('publisher') || cell('developer'))), 'publisher'),
    notes: unlessNone(cell('notes')).split(',', mostNotes).filter(Boolean),
    tracking: shortEnough(unlessNone(cell('tracking')), 'channel'),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
  };
}

const mostNotes = 20;

function withoutStars(text: string): string {
  const star = text.indexOf('*');
  return star < 0 ? text : text.slice(0, star);
}

/** The client prints `-` for what there is none of. */
function unlessNone(cell: string): string {
  return cell === '-' ? '' : cell;
}

const units = ['', 'k', 'M', 'G', 'T', 'P'];

/** `293MB` or `50.4MB`: the client rounds down or to the nearest, so that the next step is what it can be at most. */
function sizeOf(cell: string): number | undefined {
  const [, whole = '', fraction = '', unit = ''] = /^(\d{1,4})(?:\.(\d{1,3}))?([kMGTP]?)B$/.exec(cell) ?? [];
  if (whole === '' || Number(`${whole}.${fraction}`) === 0) return undefined;
  const factor = 1000 ** units.indexOf(unit);
  if (factor === 1) return Number(whole);
  const step = 10 ** -fraction.length;
  return Math.round((Number(`${whole}.${fraction || '0'}`) + step) * factor);
}

function unreadable(what: string, line: string): FettleError {
  return new FettleError('parse', `the ${what} cannot be parsed`, { details: { begins: line.slice(0, 100) } });
}
