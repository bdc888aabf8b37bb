import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareHostNames, countedHostNames, foldHostNames } from '../../src/base/host-names.ts';

function range(prefix: string, from: number, to: number, width = 0): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => prefix + String(from + index).padStart(width, '0'));
}

test('hosts that differ in one number fold to ranges', () => {
  assert.equal(foldHostNames([...range('web', 1, 17, 2), 'web19']), 'web[01-17,19]');
  assert.equal(foldHostNames(['db3', 'db1', 'db2']), 'db[1-3]');
});

test('names that have no company, and names without a number, stay as they are', () => {
  assert.equal(foldHostNames(['web01', 'cache', 'db-a', 'db-b']), 'cache,db-a,db-b,web01');
  assert.equal(foldHostNames([]), '');
});

test('the order is natural and each name is listed once', () => {
  assert.equal(foldHostNames(['web10', 'web9', 'web9', 'app']), 'app,web[9-10]');
  assert.deepEqual(['web10', 'web9', 'Web9'].sort(compareHostNames), ['web9', 'Web9', 'web10']);
});

test('padding is kept apart where it matters and goes on where it does not', () => {
  assert.equal(foldHostNames(['web1', 'web01']), 'web[1,01]');
  assert.equal(foldHostNames(range('web', 8, 12, 2)), 'web[08-12]');
  assert.equal(foldHostNames([...range('web', 98, 99, 2), 'web001', 'web100']), 'web[001,98-99,100]');
});

test('the number that varies is found in the middle of a name', () => {
  assert.equal(foldHostNames(['web1.dc2.example', 'web2.dc2.example', 'web3.dc2.example']), 'web[1-3].dc2.example');
  assert.equal(foldHostNames(['rack1-n1', 'rack1-n2', 'rack2-n7']), 'rack1-n[1-2],rack2-n7');
  assert.equal(foldHostNames(['10.0.0.1', '10.0.0.2', '10.0.0.9']), '10.0.0.[1-2,9]');
});

test('digit strings too long to count with are names', () => {
  const ids = ['i-12345678901234567890', 'i-12345678901234567891'];
  assert.equal(foldHostNames(ids), ids.join(','));
});

test('unfolding by hand gives every name back, whatever the mix', () => {
  const names = [...range('a', 0, 12), ...range('a', 5, 9, 2), ...range('b', 95, 105, 3), 'c', 'a1b2', 'a1b3', 'a2b2'];
  assert.deepEqual(unfold(foldHostNames(names)).sort(), [...new Set(names)].sort());
});

/** Reads the notation back: ranges as wide as their first number. */
function unfold(text: string): string[] {
  return text.split(/,(?![^[]*\])/).flatMap((word) => {
    const found = /^(.*)\[(.*)\](.*)$/.exec(word);
    if (found === null) return [word];
    const [, before = '', inside = '', after = ''] = found;
    return inside.split(',').flatMap((part) => {
      const [from = '', to = from] = part.split('-');
      const width = from.startsWith('0') ? from.length : 0;
      return range('', Number(from), Number(to), width).map((digits) => before + digits + after);
    });
  });
}

test('a counted fold has the number of its hosts', () => {
  assert.equal(countedHostNames(range('web', 1, 17, 2)), 'web[01-17] (17)');
  assert.equal(countedHostNames(['db', 'db']), 'db (1)');
});

test('ten thousand names fold without trouble', () => {
  assert.equal(foldHostNames(range('n', 1, 10_000, 5)), 'n[00001-10000]');
});
