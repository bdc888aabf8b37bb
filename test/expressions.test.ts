// No regular expression of src/ may take more than linear time: whatever it is held against may come from a host.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from '@babel/parser';
import { RegExpParser, type AST } from '@eslint-community/regexpp';
import { analyse } from 'scslre';

const root = join(import.meta.dirname, '..');

interface Expression {
  readonly place: string;
  readonly source: string;
  readonly flags: string;
}

function expressionsIn(file: string): Expression[] {
  const found: Expression[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const item of node) visit(item);
    } else if (typeof node === 'object' && node !== null && 'type' in node) {
      if (node.type === 'RegExpLiteral') {
        const { pattern, flags, loc } = node as unknown as {
          pattern: string;
          flags: string;
          loc: { start: { line: number } };
        };
        found.push({ place: `${file}:${loc.start.line}`, source: pattern, flags });
      }
      for (const value of Object.values(node)) visit(value);
    }
  };
  visit(parse(readFileSync(join(root, file), 'utf8'), { sourceType: 'module', plugins: ['typescript'] }).program);
  return found;
}

/** Enough to tell whether two classes have a character in common. */
const alphabet = [...Array.from({ length: 160 }, (_, code) => String.fromCharCode(code)), '\u0100', '\u2028', '\u4e00'];

/** A part of an expression that takes characters, in the order of the text. */
interface Piece {
  readonly characters: ReadonlySet<string>;
  readonly isEndless: boolean;
  /** What it stands in, or is, that may be left out as a whole. */
  readonly options: readonly AST.Quantifier[];
}

/** More repetitions than this count as without end. */
const manyTimes = 1_000;

function charactersOf(node: AST.Element, flags: string): ReadonlySet<string> {
  switch (node.type) {
    case 'Quantifier':
      return charactersOf(node.element, flags);
    case 'Group':
    case 'CapturingGroup':
      return new Set(
        node.alternatives.flatMap((part) => part.elements.flatMap((item) => [...charactersOf(item, flags)])),
      );
    case 'Assertion':
    case 'Backreference':
      return new Set();
    default: {
      const one = new RegExp(`^(?:${node.raw})$`, flags.replace(/[gy]/g, ''));
      return new Set(alphabet.filter((character) => one.test(character)));
    }
  }
}

function piecesOf(elements: readonly AST.Element[], flags: string, around: readonly AST.Quantifier[] = []): Piece[] {
  return elements.flatMap((node): Piece[] => {
    const isGroup = node.type === 'Group' || node.type === 'CapturingGroup';
    if (isGroup && node.alternatives.length === 1) return piecesOf(node.alternatives[0]?.elements ?? [], flags, around);
    const options = node.type === 'Quantifier' && node.min === 0 ? [...around, node] : around;
    if (node.type === 'Quantifier' && node.max <= manyTimes) return piecesOf([node.element], flags, options);
    const characters = charactersOf(node, flags);
    return characters.size === 0 ? [] : [{ characters, isEndless: node.type === 'Quantifier', options }];
  });
}

/** Two endless parts where all that stands between them may stand in both: each place for it is tried. */
function isAmbiguous({ source, flags }: Expression): boolean {
  const { alternatives } = new RegExpParser().parsePattern(source, 0, source.length, { unicode: /[uv]/.test(flags) });
  return alternatives.some(({ elements }) => {
    const pieces = piecesOf(elements, flags);
    const endsFirmly = elements.at(-1)?.type === 'Assertion';
    return pieces.some((first, at) =>
      pieces.some((second, other) => {
        if (other <= at || !first.isEndless || !second.isEndless) return false;
        const common = new Set([...first.characters].filter((character) => second.characters.has(character)));
        const mayBeLeftOut = ({ options }: Piece): boolean =>
          options.some((option) => !first.options.includes(option) && !second.options.includes(option));
        const isPassable = (piece: Piece): boolean =>
          mayBeLeftOut(piece) || [...common].some((character) => piece.characters.has(character));
        const canFail = endsFirmly || pieces.slice(other + 1).some((piece) => piece.options.length === 0);
        return common.size > 0 && canFail && pieces.slice(at + 1, other).every(isPassable);
      }),
    );
  });
}

function isSlow(expression: Expression): boolean {
  const { source, flags } = expression;
  return analyse({ source, flags }).reports.length > 0 || isAmbiguous(expression);
}

test('the rule finds expressions that froze a process', () => {
  const slow: readonly RegExp[] = [
    /^Inst (\S+) (?:\[([^\]]*)\] )?\((\S+)(?: (.*))? \[([^\]]+)\]\)/,
    /(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)/g,
    /[^\n]*password[^\n]*: ?$/i,
    /([\w.-]+)["']?\s*[:=]\s*(?=\S)/g,
    /=+$/,
    /^(a+)+$/,
  ];
  for (const { source, flags } of slow) assert.ok(isSlow({ place: '', source, flags }), source);
});

test('no expression of src/ is slower than linear', () => {
  const all = globSync('src/**/*.ts', { cwd: root }).flatMap(expressionsIn);
  assert.ok(all.length > 200, `only ${all.length} expressions were found`);
  assert.deepEqual(
    all.filter(isSlow).map(({ place, source }) => `${place} /${source}/`),
    [],
  );
});

test('expressions are made from texts only where the text is checked or escaped', () => {
  const makers = globSync('src/**/*.ts', { cwd: root }).filter((file) =>
    readFileSync(join(root, file), 'utf8').includes('new RegExp('),
  );
  assert.deepEqual(makers.toSorted(), [
    'src/config/inventory/host-address.ts',
    'src/config/inventory/python-regex.ts',
    'src/remote/frame.ts',
    'src/report/run/summary.ts',
  ]);
});
