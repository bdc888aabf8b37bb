import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import {
  describeHResult,
  formatHResult,
  hresults,
  parseHResult,
} from '../../../src/managers/windows-update/hresult.ts';

const header = '/usr/share/mingw-w64/include/wuerror.h';
const skip = existsSync(header) ? false : 'mingw-w64-common is not installed';

describe('codes of Windows Update', () => {
  test('every WU_ name and code is the one of wuerror.h', { skip }, () => {
    const known = new Map<string, number>();
    const pattern = /^#define (WU_\w+) _HRESULT_TYPEDEF_\((0x[0-9A-Fa-f]{8})\)/gm;
    for (const [, name = '', code = ''] of readFileSync(header, 'utf8').matchAll(pattern))
      known.set(name, Number(code));
    assert.ok(known.size > 400, `the header has ${known.size} codes`);
    const ours = [...hresults].filter(([, entry]) => entry.name.startsWith('WU_'));
    assert.ok(ours.length > 50);
    for (const [code, entry] of ours)
      assert.equal(formatHResult(code), formatHResult(known.get(entry.name) ?? 0), entry.name);
  });

  test('a code of the header that the table has under no name is not there', { skip }, () => {
    const codes = new Set(
      [...readFileSync(header, 'utf8').matchAll(/\((0x[0-9A-Fa-f]{8})\)/g)].map((match) => Number(match[1])),
    );
    for (const [code, entry] of hresults) if (entry.name === '') assert.ok(!codes.has(code), formatHResult(code));
  });

  test('hexadecimal, signed and unsigned decimal mean the same', () => {
    for (const text of ['0x80240017', '0X80240017', '-2145124329', '2149842967']) {
      assert.equal(parseHResult(text), 0x80240017, text);
    }
    assert.equal(parseHResult('3010'), 3010);
    for (const text of ['', 'WU_E', '0x8024', '99999999999', '-2147483649', '4294967296']) {
      assert.equal(parseHResult(text), undefined, text);
    }
  });

  test('a known code has a name, a class and a remedy', () => {
    assert.deepEqual(describeHResult('-2145124343'), {
      code: '0x80240009',
      name: 'WU_E_OPERATIONINPROGRESS',
      class: 'retry',
      meaning: 'another operation is in progress',
      remedy: 'fettle waits for it; if it persists, find the other installer on the host',
    });
    for (const [code, entry] of hresults) {
      assert.notEqual(entry.meaning, '', formatHResult(code));
      assert.notEqual(entry.remedy, '', formatHResult(code));
    }
  });

  test('codes that are not in the table are judged by their family', () => {
    assert.equal(describeHResult('0x80072EF3')?.class, 'network');
    assert.equal(describeHResult('0x80244FFF')?.class, 'network');
    assert.equal(describeHResult('0x80073799')?.class, 'fix');
    assert.equal(describeHResult('0x800F0999')?.class, 'fix');
    assert.equal(describeHResult('0x80240FFF'), undefined);
    assert.equal(describeHResult('0x00000000'), undefined);
  });
});
