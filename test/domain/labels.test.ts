import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelSets } from '../../src/domain/labels.ts';
import { Secret } from '../../src/domain/secret.ts';

function host(name: string, variables: Readonly<Record<string, unknown>>, id = name) {
  return { name, id, groups: ['all', 'web'], variables };
}

test('hosts with the same labels are one set, in the order of the inventory', () => {
  const canary = { patch_owner: 'web@example.com', patch_ring: 'canary', patch_cluster: ['lb', 'db'] };
  const shared = { groups: ['all', 'web'], owner: 'web@example.com', labels: { patch_cluster: ['lb', 'db'] } };
  assert.deepEqual(
    labelSets([
      host('web1', canary, 'id-1'),
      host('web2', { ...canary, patch_ring: 'broad', patch_max_reboots: 2 }),
      host('web3', { ...canary, other: 'x' }),
    ]),
    [
      { hosts: ['web1', 'web3'], ids: { web1: 'id-1' }, ...shared, ring: 'canary' },
      { hosts: ['web2'], ...shared, ring: 'broad', labels: { ...shared.labels, patch_max_reboots: 2 } },
    ],
  );
});

test('neither a secret nor the way to a host is recorded', () => {
  const variables = {
    ansible_password: new Secret('hunter2'),
    ansible_user: 'root',
    patch_owner: 'mail https://ada:hunter2@example.com',
    patch_ring: new Secret('hunter2'),
    patch_api_token: 'hunter2',
    patch_disabled_reason: 'password=hunter2',
    patch_cluster: ['lb', new Secret('hunter2')],
    patch_window: { from: '22:00', password: 'hunter2' },
    patch_mac: '52:54:00:12:34:56',
    patch_wake_address: '192.0.2.255',
    patch_winrm_certificate: 'aa:bb',
    patch_id: 'uuid',
  };
  const sets = labelSets([host('web1', variables, 'uuid')]);
  assert.deepEqual(sets, [
    {
      hosts: ['web1'],
      ids: { web1: 'uuid' },
      groups: ['all', 'web'],
      owner: 'mail https://ada:***@example.com',
      labels: { patch_disabled_reason: 'password=***' },
    },
  ]);
  assert.ok(!JSON.stringify(sets).includes('hunter2'));
});

test('owners in a list are named together, and a number is a ring', () => {
  const [set] = labelSets([host('web1', { patch_owner: ['ada', 'bob'], patch_ring: 3 })]);
  assert.deepEqual([set?.owner, set?.ring], ['ada, bob', '3']);
});
