import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveHosts } from '../../src/config/host/host-settings.ts';
import { inventoryJsonSchema } from '../../src/config/inventory/schema.ts';
import { loadInventory, type Inventory } from '../../src/config/inventory/inventory.ts';
import { loadPlaybook } from '../../src/config/playbook/playbook.ts';
import { scaffoldFiles } from '../../src/config/playbook/scaffold.ts';
import { matchHosts, selectHosts } from '../../src/config/inventory/selector.ts';
import type { Host } from '../../src/domain/host.ts';
import type { Playbook } from '../../src/domain/playbook.ts';
import { filesWith } from './files.ts';

const root = join(import.meta.dirname, '..', '..');

async function inventoryOf(file: string): Promise<{ inventory: Inventory; hosts: readonly Host[] }> {
  const { inventory, diagnostics } = await loadInventory({ sources: [file], extraVars: [] });
  assert.deepEqual(diagnostics, []);
  const resolved = resolveHosts(inventory, selectHosts(inventory, {}), { homeDir: root });
  assert.deepEqual(resolved.diagnostics, []);
  return { inventory, hosts: resolved.hosts };
}

async function playbookOf(file: string): Promise<Playbook> {
  const { playbook, diagnostics } = await loadPlaybook(file);
  assert.deepEqual(diagnostics, []);
  return playbook ?? assert.fail();
}

for (const name of readdirSync(join(root, 'inventories'))) {
  test(`inventories/${name} loads without a diagnostic`, async () => {
    assert.ok((await inventoryOf(join(root, 'inventories', name))).hosts.length > 0);
  });
}

for (const name of readdirSync(join(root, 'playbooks'))) {
  test(`playbooks/${name} loads without a diagnostic`, async () => {
    await playbookOf(join(root, 'playbooks', name));
  });
}

test('the example of this machine is one local host without elevation', async () => {
  const { hosts } = await inventoryOf(join(root, 'inventories', 'this-machine.yaml'));
  const found = hosts.map(({ name, connection }) => [name, connection.transport, connection.elevation]);
  assert.deepEqual(found, [['localhost', 'local', undefined]]);
});

test('the example fleet has its ring, its cluster and its jump host', async () => {
  const { inventory, hosts } = await inventoryOf(join(root, 'inventories', 'example.yaml'));
  const byName = new Map(hosts.map((host) => [host.name, host]));
  assert.equal(hosts.length, 19);
  const web = byName.get('web07.dmz.example.com')?.connection.sshArguments;
  assert.deepEqual(web, ['-o', 'ProxyJump=patchsvc@jump1.example.com']);
  assert.deepEqual(byName.get('db-b.example.com')?.patch.clusters, ['pg-main']);
  assert.equal(byName.get('build1.example.com')?.connection.port, 2222);
  assert.deepEqual([...matchHosts(inventory, 'canary')], ['web13.dmz.example.com', 'build1.example.com']);
});

test('the monthly example fits the example fleet', async () => {
  const { inventory } = await inventoryOf(join(root, 'inventories', 'example.yaml'));
  const playbook = await playbookOf(join(root, 'playbooks', 'monthly.yaml'));
  assert.equal(selectHosts(inventory, { select: playbook.targets.select }).length, 19);
});

test('the starter files load and fit each other', async () => {
  const scaffold = scaffoldFiles();
  assert.deepEqual(
    scaffold.map(({ path }) => path),
    ['inventory.yaml', 'playbook.yaml'],
  );
  await using files = await filesWith(Object.fromEntries(scaffold.map(({ path, text }) => [path, text])));
  const { inventory } = await inventoryOf(files.path('inventory.yaml'));
  const playbook = await playbookOf(files.path('playbook.yaml'));
  assert.deepEqual(selectHosts(inventory, { select: playbook.targets.select }), ['localhost']);
});

test('the JSON Schema of an inventory refuses patch_ names that fettle does not have', () => {
  assert.match(
    JSON.stringify(inventoryJsonSchema()),
    /"patch_hold":.*"\^\(\?!patch_\)":\{\}\},"additionalProperties":false/,
  );
});
