// The orders of versions against the programs that define them, over pairs made from the pieces that versions are made of.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import koffi from 'koffi';
import { compareAlpmVersions } from '../../src/managers/versions/alpm.ts';
import { compareApkVersions } from '../../src/managers/versions/apk.ts';
import { compareFreebsdVersions } from '../../src/managers/versions/freebsd.ts';
import { compareRpmVersions } from '../../src/managers/versions/rpm.ts';
import { seeded, type Random } from '../transport/winrm/fuzz.ts';

type Pair = readonly [left: string, right: string];

interface Peer {
  readonly name: string;
  readonly compare: (left: string, right: string) => number;
  /** What versions are made of. */
  readonly pieces: readonly string[];
  readonly version: (pieces: string, random: Random) => string;
  /** Signs of the pairs by the program itself; a string says why it cannot be asked. */
  readonly ask: () => string | ((pairs: readonly Pair[]) => readonly number[]);
  readonly pairs: number;
}

const seed = 20_261_130;
const separated = [
  '0',
  '1',
  '2',
  '9',
  '10',
  '01',
  '001',
  '20240101',
  'a',
  'b',
  'rc',
  'rc1',
  'p1',
  '.',
  '.',
  '..',
  '_',
  '+',
];

const peers: readonly Peer[] = [
  {
    name: 'rpm',
    compare: compareRpmVersions,
    pieces: [...separated, '~', '^', '~~', '^~', 'fc17', 'el9_5', 'A'],
    version: (text, random) =>
      `${oneOf(random, ['', '', '0:', '1:', '01:'])}1${text}${oneOf(random, ['', '-1', '-2', '-1.el9', '-1~a'])}`,
    ask: () => program('rpm', ['--version'], askRpm),
    pairs: 10_000,
  },
  {
    name: 'pacman',
    compare: compareAlpmVersions,
    pieces: [...separated, 'alpha', 'beta', 'pre', ':', '-'],
    version: (text, random) =>
      `${oneOf(random, ['', '', '0:', '1:', '2:'])}1${text}${oneOf(random, ['', '-1', '-2', '-1.1'])}`,
    ask: alpmLibrary,
    pairs: 10_000,
  },
  {
    name: 'apk',
    compare: compareApkVersions,
    pieces: ['.0', '.1', '.01', '.2', '.10', '.20240101'],
    version: (text, random) =>
      `1${text}${oneOf(random, ['', 'a', 'b'])}${oneOf(random, ['', '', '_alpha', '_rc2', '_p1', '_git3', '_pre_p1'])}${oneOf(random, ['', '-r0', '-r1', '-r10'])}`,
    ask: () => program('apk', ['--version'], askEach('apk')),
    pairs: 1_000,
  },
  {
    name: 'pkg of FreeBSD',
    compare: compareFreebsdVersions,
    pieces: [...separated.filter((piece) => piece !== '_'), 'alpha', 'beta2', 'pl1', '*'],
    version: (text, random) => `1${text}${oneOf(random, ['', '_1', '_10'])}${oneOf(random, ['', '', ',1', ',2'])}`,
    ask: () => program('pkg', ['--version'], askEach('pkg')),
    pairs: 1_000,
  },
];

for (const { name, compare, pieces, version, ask, pairs: count } of peers) {
  const peer = ask();
  const skip = typeof peer === 'string' && `${peer}: the order of ${name} is not compared with its own program`;
  test(`${count} pairs stand in the order of ${name} itself (seed ${seed})`, { skip }, () => {
    assert.ok(typeof peer === 'function');
    const random = seeded(seed);
    const made = (): string => version(Array.from({ length: random(5) }, () => oneOf(random, pieces)).join(''), random);
    // Every other pair differs in its last piece alone, so that long common beginnings are met.
    const pairs = Array.from({ length: count }, (_, at): Pair => {
      const left = made();
      return at % 2 === 0 ? [left, made()] : [left, left.slice(0, 1 + random(left.length)) + oneOf(random, pieces)];
    });
    const signs = peer(pairs);
    assert.equal(signs.length, pairs.length);
    assert.equal(new Set(signs).size, 3, 'pairs of every kind were met');
    const different = pairs.filter(([left, right], at) => Math.sign(compare(left, right)) !== signs[at]);
    assert.deepEqual(different.slice(0, 20), []);
  });
}

function oneOf(random: Random, items: readonly string[]): string {
  return items[random(items.length)] ?? '';
}

function program<Ask>(name: string, words: readonly string[], ask: Ask): string | Ask {
  return spawnSync(name, words).status === 0 ? ask : `${name} is not installed`;
}

/** rpm(8) --eval with rpm's own Lua: one process for all pairs. */
function askRpm(pairs: readonly Pair[]): readonly number[] {
  const directory = mkdtempSync(join(tmpdir(), 'fettle-versions-'));
  try {
    const file = join(directory, 'pairs');
    writeFileSync(file, linesOf(pairs));
    const lua = `for l in io.lines("${file}") do local a, b = l:match("^(%S+) (%S+)$"); print(rpm.vercmp(a, b) .. "\\n") end`;
    return signsOf(spawnSync('rpm', ['--eval', `%{lua: ${lua}}`], { encoding: 'utf8', maxBuffer: 1 << 24 }).stdout);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A program that compares two versions by `version -t` and prints `<`, `=` or `>`. */
function askEach(name: string): (pairs: readonly Pair[]) => readonly number[] {
  return (pairs) => {
    const loop = `while read -r left right; do ${name} version -t "$left" "$right"; done`;
    const { stdout } = spawnSync('sh', ['-c', loop], { encoding: 'utf8', input: linesOf(pairs) });
    return stdout
      .trim()
      .split('\n')
      .map((line) => ['<', '=', '>'].indexOf(line) - 1);
  };
}

/** The function behind vercmp(8), which takes one pair a process. */
function alpmLibrary(): string | ((pairs: readonly Pair[]) => readonly number[]) {
  for (const name of ['libalpm.so.16', 'libalpm.so.15', 'libalpm.so.14', 'libalpm.so.13']) {
    try {
      const compare = koffi.load(name).func('int alpm_pkg_vercmp(const char *a, const char *b)') as Peer['compare'];
      return (pairs) => pairs.map(([left, right]) => Math.sign(compare(left, right)));
    } catch {
      continue;
    }
  }
  return 'libalpm is not installed';
}

function linesOf(pairs: readonly Pair[]): string {
  return pairs.map((pair) => `${pair.join(' ')}\n`).join('');
}

function signsOf(text: string): readonly number[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Math.sign(Number(line)));
}
