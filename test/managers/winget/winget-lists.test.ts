import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readWinget } from '../../../src/managers/winget/winget-lists.ts';

describe('winget', () => {
  const english = [
    '\r   - \r   \\ \rName                 Id                Version   Available Source',
    '----------------------------------------------------------------------',
    'Git                  Git.Git           2.40.0    2.41.0    winget',
    'Visual Studio Code   Microsoft.VisualS… 1.88.0   1.89.0    winget',
    'Unknown              Some.Thing        Unknown   2.0       winget',
    'Old one              Some.Bound        < 1.2     1.2       winget',
    '',
    '3 upgrades available.',
  ].join('\r\n');

  test('columns are identified by their places under the rule', () => {
    assert.deepEqual(readWinget(english, english), [
      { name: 'Git.Git', title: 'Git', version: '2.40.0', isPinned: false, available: '2.41.0' },
    ]);
  });

  test('headings of another language and wide characters do not move a column', () => {
    const chinese = [
      '名称            ID           版本    可用    源',
      '------------------------------------------------',
      '微信            Tencent.WeChat 3.9.0 4.0.0   winget',
      'Git             Git.Git      2.40.0  2.41.0  winget',
    ].join('\n');
    const rows = readWinget('', chinese);
    assert.deepEqual(rows.find((row) => row.name === 'Git.Git')?.available, '2.41.0');
  });

  test('programs that winget only lists are left out', () => {
    const list = [
      'Name      Id                       Version',
      '-------------------------------------------',
      'Git       Git.Git                  2.40.0',
      String.raw`7-Zip     ARP\Machine\X64\7-Zip    24.08`,
    ].join('\n');
    assert.deepEqual(
      readWinget(list, '').map((row) => row.name),
      ['Git.Git'],
    );
  });

  test('what is no table has no packages', () => {
    for (const text of [
      '',
      'No installed package found matching input criteria.',
      '---------------',
      '-'.repeat(1000),
    ]) {
      assert.deepEqual(readWinget(text, text), []);
    }
  });
});
