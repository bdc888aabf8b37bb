import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandHosts } from '../../../src/config/inventory/host-range.ts';

const good: readonly [key: string, names: readonly string[], port?: number][] = [
  ['web01', ['web01']],
  ['web[1:3]', ['web1', 'web2', 'web3']],
  ['web[08:10].x', ['web08.x', 'web09.x', 'web10.x']],
  ['web[01:06:2]', ['web01', 'web03', 'web05']],
  ['db-[a:c]', ['db-a', 'db-b', 'db-c']],
  ['db-[a:e:2]', ['db-a', 'db-c', 'db-e']],
  ['w[5:1]', []],
  ['n[:2]', ['n0', 'n1', 'n2']],
  ['r[1:2]n[a:b]', ['r1na', 'r1nb', 'r2na', 'r2nb']],
  ['h:2223', ['h'], 2223],
  ['h[1:2]:2223', ['h1', 'h2'], 2223],
  ['[2001:db8::10]:2200', ['2001:db8::10'], 2200],
  ['[2001:db8::10]', ['2001:db8::10']],
  ['2001:db8::10', ['2001:db8::10']],
];

for (const [key, names, port] of good) {
  test(`the key ${key} means ${names.join(', ')}`, () => {
    assert.deepEqual(expandHosts(key), { ok: true, names, ...(port === undefined ? {} : { port }) });
  });
}

const bad: readonly [key: string, message: RegExp][] = [
  ['w[1:]', /has no end/],
  ['w[01:100]', /differ in length/],
  ['w[c:a]', /starts after its end/],
  ['w[1:a]', /two numbers or two letters/],
  ['w[1]', /not begin:end/],
  ['w[1:2:3:4]', /not begin:end/],
  ['w[1:9:0]', /not a positive number/],
  ['w[1:9', /a \[ has no matching \]/],
  ['web01.:22', /not a host name/],
  ['user@host:22', /holds the character ":"/],
  ['w1:9]', /a \] has no matching \[/],
  ['w[0:999999999]', /more than 100000/],
  ['w[0:9999][0:9999]', /more than 100000/],
  ['h:99999', /not a port/],
  ['a b', /not a host name/],
  ['$(id)', /not a host name/],
  ['byname|touch<x>pwn', /not a host name: it holds the character "\|"/],
  ['-oProxyCommand=id', /begins with no letter/],
  ['../other', /begins with no letter/],
  ['a/b', /holds the character "\/"/],
  ['web*', /holds the character "\*"/],
  [' ', /needs a name/],
];

for (const [key, message] of bad) {
  test(`the key "${key}" is refused`, () => {
    const result = expandHosts(key);
    assert.ok(!result.ok);
    assert.match(result.message, message);
  });
}
