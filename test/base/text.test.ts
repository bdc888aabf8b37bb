import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanBlock, cleanLine, ellipsis, newestLine, plural, shellWord } from '../../src/base/text.ts';

const width = (text: string): number => [...text].length;

test('colours, cursor movements, titles and clipboard writes vanish from a field', () => {
  assert.equal(cleanLine('\x1b[1;31mred\x1b[0m \x1b[2J\x1b[10;1Hgone'), 'red gone');
  assert.equal(cleanLine('a\x1b]0;title\x07b\x1b]52;c;ZXZpbA==\x1b\\c'), 'abc');
  assert.equal(cleanLine('a\x1bP1$r\x1b\\b\x9b31mc\x1b(Bd\x1b7e\x1bcf'), 'abcdef');
});

test('a sequence that forms only when another is taken out stays visible text', () => {
  assert.equal(cleanLine('\x1b[\x1b[0m31mred'), '\\x1b[31mred');
});

test('an escape without an end is shown, not sent', () => {
  assert.equal(cleanLine('x\x1b]0;never closed'), 'x\\x1b]0;never closed');
  assert.equal(cleanLine('x\x1b'), 'x\\x1b');
});

test('a field is one line: breaks and tabs become a space', () => {
  assert.equal(cleanLine('a\r\n[web02] verified\tb\u2028c\u0085d'), 'a [web02] verified b c d');
});

test('bidirectional overrides and invisible characters are written out', () => {
  assert.equal(cleanLine('gpj\u202eexe.'), 'gpj\\u202eexe.');
  assert.equal(cleanLine('we\u200bb\u2066\ufeff\x7f\x08'), 'we\\u200bb\\u2066\\ufeff\\x7f\\x08');
  assert.equal(cleanLine('\u{e0041}\ud800'), '\\u{e0041}\\ud800');
});

test('ordinary text of any script, and emoji with their selectors, stay as they are', () => {
  const text = 'héllo 日本語 ❤️ 1.2-3+deb12u1~rc';
  assert.equal(cleanLine(text), text);
});

test('a block keeps its lines and tabs, and a carriage return cannot overwrite earlier text', () => {
  assert.equal(cleanBlock('one\r\ntwo\tx\r\r\nok\rfailed\x07\n'), 'one\ntwo\tx\nok\nfailed\\x07\n');
});

test('cleaning a megabyte of open sequences takes time in proportion', () => {
  assert.ok(cleanLine('\x1b]0;'.repeat(250_000)).startsWith('\\x1b]0;'));
  assert.ok(cleanLine('\x1b['.repeat(500_000)).startsWith('\\x1b['));
});

test('the newest line is the last that holds anything, after carriage returns too', () => {
  assert.equal(newestLine('one\ntwo 10%\rtwo 20%\r\n\n  '), 'two 20%');
  assert.equal(newestLine('\n'), '');
});

test('an ellipsis takes the place of what is cut and never makes the text wider', () => {
  assert.equal(ellipsis('abcdef', 6, width), 'abcdef');
  assert.equal(ellipsis('abcdef', 4, width), 'abc…');
  assert.equal(ellipsis('abcdef', 1, width), '…');
  assert.equal(ellipsis('abcdef', 0, width), '');
});

test('plural and shell words read as people write them', () => {
  assert.deepEqual([plural(1, 'host'), plural(0, 'host'), plural(2, 'host')], ['1 host', '0 hosts', '2 hosts']);
  assert.deepEqual(
    [shellWord('web01,web02'), shellWord("a'b; rm"), shellWord('')],
    ['web01,web02', "'a'\\''b; rm'", "''"],
  );
});
