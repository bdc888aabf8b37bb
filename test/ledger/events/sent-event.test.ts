import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RunEvent } from '../../../src/domain/event.ts';
import { handedOver, sentEvent } from '../../../src/ledger/events/sent-event.ts';
import { openAt, run, scan, started, temporaryDirectory } from '../fixtures.ts';

const packages = [
  {
    manager: 'apt',
    name: 'über',
    arch: 'all',
    version: '1:2~rc1',
    state: 'installed' as const,
    source: 'über',
    sourceVersion: '1:2~rc1',
  },
];
const event: RunEvent = {
  type: 'host.scanned',
  run,
  host: 'web01',
  hostId: 'id-web01',
  scan: scan([], { packages, autoInstalled: ['über:all'] }),
  purpose: 'scan',
};

describe('an event on its way to the ledger', () => {
  test('has the package lists of a scan as the bytes that are stored', () => {
    const sent = sentEvent(event);
    assert.ok(sent.type === 'host.scanned');
    const { packageLists, packageCount } = sent.scan;
    assert.equal(Buffer.from(packageLists).toString(), JSON.stringify({ packages, autoInstalled: ['über:all'] }));
    assert.equal(packageCount, 1);
    assert.equal('packages' in sent.scan, false);
    assert.deepEqual(handedOver([sentEvent(started()), sent]), [packageLists.buffer]);
  });

  test('leaves the event whole for those who show it', async () => {
    await using directory = await temporaryDirectory();
    await using ledger = await openAt(directory.path);
    await ledger.append([started(), event, event]);
    assert.deepEqual(event.scan.packages, packages);
    const stored = await ledger.packagesAt('web01', Number.MAX_SAFE_INTEGER);
    assert.equal(stored?.packages[0]?.name, 'über');
    assert.deepEqual((await ledger.verify()).problems, []);
  });
});
