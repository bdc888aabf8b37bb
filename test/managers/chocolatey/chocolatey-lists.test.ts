import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readChocolatey } from '../../../src/managers/chocolatey/chocolatey-lists.ts';

describe('Chocolatey', () => {
  test('rows are name, version, available version and pin', () => {
    const installed = 'git|2.40.0\r\nnodejs|20.1.0\r\n7zip|24.8.0\r\n';
    const outdated = 'git|2.40.0|2.41.0|false\r\nnodejs|20.1.0|22.0.0|true\r\n';
    assert.deepEqual(readChocolatey(installed, outdated), [
      { name: 'git', version: '2.40.0', isPinned: false, available: '2.41.0' },
      { name: 'nodejs', version: '20.1.0', isPinned: true, available: '22.0.0' },
      { name: '7zip', version: '24.8.0', isPinned: false },
    ]);
  });

  test('messages, options and words of other alphabets are no packages', () => {
    const installed = 'Chocolatey v2.4.1\n--source|1.0\na b|1.0\ngit|1.0;calc\ngit|1.0|more\n$(x)|1\n';
    assert.deepEqual(readChocolatey(installed, ''), []);
    assert.deepEqual(readChocolatey('git|1.0', 'git|1.0|--pre|false'), [
      { name: 'git', version: '1.0', isPinned: false },
    ]);
  });
});
