import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FettleError } from '../../../src/domain/error.ts';
import type { JobResult } from '../../../src/domain/job.ts';
import type { UpdateResult } from '../../../src/domain/outcome.ts';
import type { PlannedUpdate } from '../../../src/domain/plan.ts';
import { windowsUpdate } from '../../../src/managers/windows-update/windows-update.ts';
import { record, scanText, updateId } from '../../fixtures/managers/windows-update/sections.ts';
import type { Answer } from '../../fixtures/managers/windows-update/sections.ts';

const update: PlannedUpdate = {
  manager: 'windows-update',
  name: 'KB5000001',
  arch: updateId(1),
  from: '',
  to: '200',
  class: 'security',
  origins: [],
  isKernel: false,
  reason: 'security',
  untried: false,
};

interface Told {
  readonly item?: Readonly<Record<string, unknown>>;
  readonly after?: Answer;
  readonly sections?: Readonly<Record<string, string>>;
}

function read({ item, after, sections }: Told): UpdateResult | undefined {
  const items = item === undefined ? [] : [{ id: updateId(1), revision: 200, ...item }];
  const result: JobResult = {
    exitCode: 0,
    verdict: 'ok',
    sections: {
      results: JSON.stringify({ items, already: [] }),
      ...(after === undefined ? {} : { after: scanText(after) }),
      ...sections,
    },
  };
  return windowsUpdate.readInstall(result, [update], [update])[0];
}

describe('the result of an installation', () => {
  const cases: readonly (readonly [string, Told, string, string | null])[] = [
    ['what went in is installed', { item: { outcome: 'installed' }, after: {} }, 'installed', '200'],
    [
      'what only came down is downloaded',
      { item: { outcome: 'downloaded' }, after: { updates: [record(1)] } },
      'downloaded',
      null,
    ],
    [
      'what came down and is in is there',
      { item: { outcome: 'downloaded' }, after: { installed: [record(1)] } },
      'already',
      '200',
    ],
    ['so is what waits for a restart', { item: { outcome: 'pending-reboot' }, after: {} }, 'installed', '200'],
    [
      'what reports success and is still offered failed',
      { item: { outcome: 'installed' }, after: { updates: [record(1)] } },
      'failed',
      null,
    ],
    [
      'on offer and waiting for a restart is installed',
      { item: { outcome: 'installed' }, after: { updates: [record(1, { rebootRequired: true })] } },
      'installed',
      '200',
    ],
    [
      'what failed and is in all the same is installed',
      { item: { outcome: 'failed' }, after: { installed: [record(1)] } },
      'installed',
      '200',
    ],
    [
      'what is not applicable any more is superseded',
      { item: { outcome: 'not-applicable' }, after: {} },
      'superseded',
      null,
    ],
    ['what was not begun is not installed', { item: { outcome: 'not-attempted' }, after: {} }, 'not-installed', null],
    ['what was not reported is not installed', { after: {} }, 'not-installed', null],
    [
      'what was not reported and is installed was installed already',
      { after: { installed: [record(1)] } },
      'already',
      '200',
    ],
    [
      'another revision that is installed is reported',
      { item: { outcome: 'failed' }, after: { installed: [record(1, { revision: 199 })] } },
      'failed',
      '199',
    ],
    ['without a search after it the worker is believed', { item: { outcome: 'installed' } }, 'installed', '200'],
    [
      'a search that fails after it takes nothing away',
      { item: { outcome: 'installed' }, after: { scan: { failure: { code: '0x8024001E' } } } },
      'installed',
      '200',
    ],
  ];
  for (const [title, told, state, now] of cases) {
    test(title, () => {
      const result = read(told);
      assert.equal(result?.state, state);
      assert.equal(result.now, now);
    });
  }

  test('a failure has its code, its meaning and its remedy', () => {
    const item = { outcome: 'failed', installError: '0x80240017', words: 'the installation failed' };
    assert.equal(
      read({ item, after: {} })?.message,
      '0x80240017 WU_E_NOT_APPLICABLE: not applicable to this host; nothing needs to be done',
    );
    const unknown = { outcome: 'failed', downloadError: '0x80240FFF', words: 'the download failed (0x80240FFF)' };
    assert.equal(read({ item: unknown, after: {} })?.message, 'the download failed (0x80240FFF)');
  });

  test('a result without its list, or one that is not JSON, is a parse error', () => {
    for (const text of ['', '[]', '{']) {
      assert.throws(
        () => read({ sections: { results: text } }),
        (error) => error instanceof FettleError && error.code === 'parse',
      );
    }
    assert.throws(
      () => windowsUpdate.readInstall({ exitCode: 0, verdict: 'ok', sections: {} }, [update], [update]),
      (error) => error instanceof FettleError && error.code === 'parse',
    );
  });
});

describe('requests to a Windows host', () => {
  test('an install names exactly the updates, the time and the mode', () => {
    const settings = {
      timeoutMs: 3_600_000,
      lockWaitMs: 1_500,
      conffile: 'keep-old',
      onDrift: 'refuse-host',
      restartServices: 'never',
      maxAgeMs: 1,
    } as const;
    const fields = { lock_wait: 2, limit: 3600 };
    const rows = [['KB5000001', updateId(1), '200']];
    assert.deepEqual(windowsUpdate.installRequest([update], settings), { fields, rows });
    assert.deepEqual(windowsUpdate.installRequest([update], { ...settings, mode: 'cached' }).fields, {
      ...fields,
      mode: 'cached',
    });
  });
});
