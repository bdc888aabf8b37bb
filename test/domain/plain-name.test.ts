import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  hostKeyAliasProblem,
  hostNameProblem,
  inventoryNameProblem,
  isPlainWord,
  userNameProblem,
} from '../../src/domain/plain-name.ts';

/** What a POSIX shell, a path, an option or a line of known_hosts would read as more than a name. */
const dangerous = [
  '$(touch x)',
  '`touch x`',
  'a;touch x',
  'a|touch<x>y',
  'a&b',
  'a>b',
  'a(b)',
  'a{b,c}',
  "a'b",
  'a"b',
  'a\nb',
  'a\u0085b',
  '-oProxyCommand=id',
  '-',
  '',
];

describe('names that reach commands', () => {
  for (const text of dangerous) {
    test(`${JSON.stringify(text)} is neither a host, an alias, a user nor an inventory name`, () => {
      assert.notEqual(hostNameProblem(text), undefined);
      assert.notEqual(hostKeyAliasProblem(text), undefined);
      assert.notEqual(userNameProblem(text), undefined);
      assert.notEqual(inventoryNameProblem(text), undefined);
    });
  }

  for (const text of ['*', '*.example.com', 'a?', '!a', 'a,b', 'a b', '|1|a|b', '#a', '~root', '../a', 'a/b', '[a]b']) {
    test(`${JSON.stringify(text)} is no name of one host, where files of known hosts are kept`, () => {
      assert.notEqual(hostNameProblem(text), undefined);
      assert.notEqual(hostKeyAliasProblem(text), undefined);
      assert.notEqual(inventoryNameProblem(text), undefined);
    });
  }

  for (const text of [
    'web01',
    'web-1.example.com',
    '192.0.2.1',
    '2001:db8::1',
    'fe80::1%eth0',
    'i-0abc',
    'täst',
    'a_b',
  ]) {
    test(`${text} may be reached`, () => assert.equal(hostNameProblem(text), undefined));
  }

  test('an alias may name a port as known_hosts does', () => {
    assert.equal(hostKeyAliasProblem('[web01]:2222'), undefined);
    assert.notEqual(hostKeyAliasProblem('[*]:2222'), undefined);
    assert.notEqual(hostKeyAliasProblem('[web01]:2222,*'), undefined);
  });

  for (const text of ['deploy', 'DOM\\user', 'user@realm', 'a blank name', 'machine$', 'ünï']) {
    test(`the user ${text} may log in`, () => assert.equal(userNameProblem(text), undefined));
  }

  for (const text of ['a -b', 'a\\', '$HOME', 'a$b', 'a\tb\u007f']) {
    test(`the user ${JSON.stringify(text)} is refused`, () => assert.notEqual(userNameProblem(text), undefined));
  }

  test('a user may have letters that no shell takes for themselves', () => {
    for (const text of ['DOM\\user', 'a blank name', 'machine$', 'a*', '..', '-x'])
      assert.equal(isPlainWord(text), false);
    for (const text of ['deploy', 'user@realm', '192.0.2.1', '2001:db8::1', '22'])
      assert.equal(isPlainWord(text), true);
  });
});
