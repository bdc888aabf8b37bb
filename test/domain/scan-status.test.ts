import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Repository } from '../../src/domain/scan.ts';
import { scanStatus } from '../../src/domain/scan-status.ts';
import { aScan } from './fixtures.ts';

test('the problems of a scan are its own and those of its repositories, each once', () => {
  const scan = aScan();
  const repositories: Repository[] = [
    { manager: 'apt', name: 'Debian 12', problem: 'it has expired' },
    { manager: 'apt', name: 'Debian 12', problem: 'it has expired' },
    { manager: 'apt', name: 'Debian-Security 12' },
  ];
  const status = scanStatus({
    ...scan,
    metadata: { ...scan.metadata, repositories },
    problems: [{ code: 'metadata', message: 'the lists are not complete' }],
  });
  assert.deepEqual(status.problems, ['the lists are not complete', 'Debian 12: it has expired']);
});
