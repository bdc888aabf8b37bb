import { fewEnough } from '../../domain/limits.ts';
import { linesIn } from '../contract/sections.ts';
import { softwareWord, type SoftwarePackage } from '../windows-software/software-package.ts';

/** Columns of winget's tables, in this order in every language; the last ones may be missing. */
interface Row {
  readonly title: string;
  readonly id: string;
  readonly version: string;
  readonly available: string;
}

/**
 * The tables of `winget list` and `winget upgrade`: their headings are in the language of the host, so columns are
 * identified by their places under the rule. A truncated id (`…`) cannot be requested and is left out, like
 * programs that no source of winget's knows.
 */
export function readWinget(installed: string, outdated: string): readonly SoftwarePackage[] {
  const newer = new Map(readTable(outdated).map((row) => [row.id, row]));
  const rows = new Map([...readTable(installed), ...newer.values()].map((row) => [row.id, row]));
  return [...rows.values()].flatMap((row): SoftwarePackage[] => {
    // Versions that are unknown or bounds (`< 1.2`) name nothing exact.
    if (!isExact(row)) return [];
    const available = newer.get(row.id)?.available ?? '';
    const base = { name: row.id, title: row.title, version: row.version, isPinned: false };
    return [softwareWord.test(available) ? { ...base, available } : base];
  });
}

/** Ids of winget's own sources are `Publisher.Product`; `ARP\…` and `MSIX\…` are software that it only lists. */
function isExact(row: Row): boolean {
  return softwareWord.test(row.id) && row.id.includes('.') && softwareWord.test(row.version) && /\d/.test(row.version);
}

function readTable(text: string): readonly Row[] {
  // A progress bar is drawn over by carriage returns; only what stands at the end counts.
  const lines = [...linesIn(text, 'table of winget')].map(drawn);
  const rule = lines.findIndex((line) => /^-{10,}\s*$/.test(line));
  if (rule < 1) return [];
  const starts = columnStarts(lines[rule - 1] ?? '');
  const rows: Row[] = [];
  for (let at = rule + 1; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    // An empty line or a sentence ends the table; another one may follow, of packages that need to be named.
    if (line.trim() === '') break;
    const cells = cut(line, starts);
    fewEnough(rows, 'packages of winget').push({
      title: cells[0] ?? '',
      id: cells[1] ?? '',
      version: cells[2] ?? '',
      available: cells[3] ?? '',
    });
  }
  return rows;
}

/** What a line shows in the end, where it is drawn over by carriage returns. */
function drawn(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return text.slice(text.lastIndexOf('\r') + 1);
}

/** Columns of a table; winget has five. */
const mostColumns = 16;

/** Where words of the heading begin, in columns of the screen. */
function columnStarts(heading: string): readonly number[] {
  const starts: number[] = [];
  let column = 0;
  let isGap = true;
  for (const character of heading) {
    const isSpace = character === ' ';
    if (isGap && !isSpace && starts.length < mostColumns) starts.push(column);
    isGap = isSpace;
    column += widthOf(character);
  }
  return starts;
}

function cut(line: string, starts: readonly number[]): readonly string[] {
  const cells = starts.map(() => '');
  let column = 0;
  for (const character of line) {
    const at = starts.findLastIndex((start) => start <= column);
    if (at >= 0) cells[at] = (cells[at] ?? '') + character;
    column += widthOf(character);
  }
  return cells.map((cell) => cell.trim());
}

/** Characters of East Asian scripts take two columns. */
function widthOf(character: string): number {
  return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/.test(character)
    ? 2
    : 1;
}
