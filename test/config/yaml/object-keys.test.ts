import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadInventory } from '../../../src/config/inventory/inventory.ts';
import { resolveHosts } from '../../../src/config/host/host-settings.ts';
import type { Host } from '../../../src/domain/host.ts';
import { inventorySha256 } from '../../../src/engine/plan/inventory-hash.ts';
import { packageManagerNamed } from '../../../src/managers/registry.ts';
import { parseXml } from '../../../src/domain/xml.ts';
import { filesWith } from '../files.ts';

/** Names that every object of JavaScript seems to have. */
const names = ['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty'];

async function hostWith(variables: string): Promise<Host> {
  await using files = await filesWith({ 'hosts.yaml': `all: {hosts: {h: {${variables}}}}\n` });
  const { inventory } = await loadInventory({ sources: [files.path('hosts.yaml')], extraVars: [] });
  const [host] = resolveHosts(inventory, ['h'], { homeDir: '/' }).hosts;
  assert.ok(host);
  return host;
}

for (const name of names) {
  test(`a variable called ${name} is one like any other`, async () => {
    const [without, canary, other] = await Promise.all(['', `${name}: {role: a}`, `${name}: {role: b}`].map(hostWith));
    assert.ok(without !== undefined && canary !== undefined && other !== undefined);
    assert.equal(without.variables[name], undefined);
    assert.equal(canary.variables['role'], undefined);
    assert.deepEqual({ ...(canary.variables[name] as object) }, { role: 'a' });
    assert.equal(new Set([without, canary, other].map(inventorySha256)).size, 3);
  });

  test(`no package manager and no entity of XML is called ${name}`, () => {
    assert.throws(() => packageManagerNamed(name), /knows no package manager/);
    assert.throws(() => parseXml(`<a>&${name};</a>`), /unknown entity/);
  });
}

test('a group and a host of such names are found by their names alone', async () => {
  await using files = await filesWith({ 'hosts.yaml': 'constructor: {hosts: {__proto__: {x: 1}}}\n' });
  const { inventory } = await loadInventory({ sources: [files.path('hosts.yaml')], extraVars: ['toString=2'] });
  assert.deepEqual([...inventory.hosts.keys()], ['__proto__']);
  assert.equal(inventory.hosts.get('__proto__')?.variables.get('x')?.value, 1);
  assert.equal(inventory.hosts.get('__proto__')?.variables.get('toString')?.value, '2');
  assert.ok(inventory.groups.has('constructor'));
});

test('numbers that are not finite and halves of characters have an inventory hash', async () => {
  const [nan, half] = await Promise.all(['x: .nan', 'x: "\\ud800"'].map(hostWith));
  assert.ok(nan !== undefined && half !== undefined);
  assert.notEqual(inventorySha256(nan), inventorySha256(half));
});
