import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../../src/domain/secret.ts';
import { jsonList, safeJson } from '../../../src/report/text/json.ts';
import {
  renderInventoryGraph,
  renderInventoryList,
  renderVariables,
  variablesJson,
} from '../../../src/report/tables/inventory.ts';
import { fakeOutput } from '../fake-output.ts';

test('the list names groups, address and transport', () => {
  const row = {
    host: 'web01',
    hostId: 'web01',
    groups: ['all', 'web'],
    address: '10.0.0.1',
    port: 2222,
    user: 'ops',
    transport: 'ssh',
  };
  assert.equal(renderInventoryList([row], fakeOutput().output), 'web01\tweb\t10.0.0.1:2222\tops\tssh\n');
});

test('the graph is drawn as people know it', () => {
  const tree = { name: 'all', hosts: ['lone'], groups: [{ name: 'web', hosts: ['web01'], groups: [] }] };
  assert.equal(renderInventoryGraph(tree), '@all:\n  |--@web:\n  |  |--web01\n  |--lone\n');
});

test('variables are shown with their origin when asked, and a secret never', () => {
  const origin = { layer: 'group web', file: 'hosts.yaml', line: 7 };
  const rows = [
    { name: 'patch_hold', value: ['nginx'], origin },
    { name: 'ansible_password', value: new Secret('hunter2'), origin },
  ];
  const text = renderVariables(rows, { output: fakeOutput().output, withOrigin: true });
  assert.match(text, /^patch_hold\t\["nginx"\]\thosts\.yaml:7 \(group web\)$/m);
  assert.doesNotMatch(text + safeJson(jsonList(variablesJson, rows)), /hunter2/);
  assert.doesNotMatch(renderVariables(rows, { output: fakeOutput().output, withOrigin: false }), /hosts\.yaml/);
});
