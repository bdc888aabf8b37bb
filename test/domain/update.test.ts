import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countPending, type Update } from '../../src/domain/update.ts';
import { scanRow } from '../../src/report/tables/scan-row.ts';
import { scan, update } from '../ledger/fixtures.ts';

const phased = { kind: 'phased', percent: 10 } as const;

const updates: readonly Update[] = [
  update('plain', '2'),
  update('later', '2', { class: 'other' }),
  update('held', '2', { heldBack: { kind: 'held' } }),
  update('behind', '3', { heldBack: phased, securityTo: '2' }),
  update('behind-other', '3', { class: 'other', heldBack: phased }),
];

test('a phased version with a security version behind it counts as security, all others held back as held back', () => {
  assert.deepEqual(countPending(updates), { security: 2, other: 1, heldBack: 2 });
});

test('a scan shows the numbers that the ledger keeps', () => {
  const row = scanRow({ host: { name: 'web01' }, scan: scan(updates) });
  assert.equal(row.state, 'scanned');
  assert.deepEqual([row.security, row.other, row.heldBack], [2, 1, 2]);
});
