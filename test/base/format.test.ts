import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAge, formatBytes, formatDuration, formatTime, isoTime, shortHash } from '../../src/base/format.ts';

test('durations take two units at most and round without jumping units', () => {
  const cases = {
    0: '0ms',
    850: '850ms',
    999.6: '1.0s',
    4_240: '4.2s',
    9_970: '10s',
    59_600: '1m00s',
    65_000: '1m05s',
  };
  for (const [ms, text] of Object.entries(cases)) assert.equal(formatDuration(Number(ms)), text);
  assert.equal(formatDuration(2 * 3_600_000 + 3 * 60_000), '2h03m');
  assert.equal(formatDuration(3 * 86_400_000 + 4 * 3_600_000), '3d04h');
  assert.equal(formatDuration(-5), '0ms');
});

test('sizes are decimal as apt counts them', () => {
  assert.deepEqual([0, 17, 999, 1_000, 4_120, 9_960, 120_400_000].map(formatBytes), [
    '0 B',
    '17 B',
    '999 B',
    '1.0 kB',
    '4.1 kB',
    '10 kB',
    '120 MB',
  ]);
  assert.equal(formatBytes(999_999), '1.0 MB');
});

test('times are UTC, and a time outside the calendar is no exception', () => {
  assert.equal(formatTime(Date.UTC(2026, 10, 23, 19, 27)), '2026-11-23 19:27 UTC');
  assert.equal(isoTime(0), '1970-01-01T00:00:00.000Z');
  assert.equal(isoTime(Number.NaN), 'invalid time');
});

test('ages are in the past or in the future', () => {
  const now = Date.UTC(2026, 0, 10);
  const ages = [0, 5 * 60_000, 3 * 3_600_000, 47 * 3_600_000, 12 * 86_400_000].map((ms) => formatAge(now - ms, now));
  assert.deepEqual(ages, ['just now', '5m ago', '3h ago', '47h ago', '12d ago']);
  assert.equal(formatAge(now + 2 * 3_600_000, now), 'in 2h');
});

test('a short hash is what people compare', () => {
  assert.equal(shortHash('0123456789abcdef'), '0123456789ab');
});
