import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatDiagnostic, placeIn, throwOnErrors, type Diagnostic } from '../../../src/config/yaml/diagnostic.ts';

const place = { file: 'h.yaml', line: 3, column: 5, excerpt: 'all: x' };

test('a diagnostic shows its place, the line with a caret, and the hint', () => {
  const shown = formatDiagnostic({ severity: 'error', ...place, message: 'no', hint: 'try' });
  assert.equal(shown, 'h.yaml:3:5: no\n  3 | all: x\n    |     ^\n  hint: try');
  assert.equal(
    formatDiagnostic({ severity: 'warning', ...place, excerpt: '', message: 'no' }),
    'h.yaml:3:5: warning: no',
  );
  assert.equal(formatDiagnostic({ severity: 'error', file: 'h.yaml', message: 'is empty' }), 'h.yaml: is empty');
});

test('warnings do not throw, errors do, together', () => {
  const warning: Diagnostic = { severity: 'warning', ...place, message: 'w' };
  const error: Diagnostic = { severity: 'error', ...place, message: 'e' };
  assert.doesNotThrow(() => throwOnErrors([warning]));
  assert.throws(() => throwOnErrors([warning, error, { ...error, message: 'f' }]), {
    code: 'config',
    message: /^h\.yaml:3:5: e\n[^]*\nh\.yaml:3:5: f\n/,
  });
  assert.throws(() => throwOnErrors(Array.from({ length: 25 }, () => error)), { message: /and 5 more errors$/ });
});

describe('an excerpt', () => {
  const cases: readonly [title: string, lines: readonly string[], line: number, shown: string][] = [
    ['shows its line', ['a: 1', 'b: 2'], 2, 'b: 2'],
    ['cuts a password off', ['h: {ansible_password: planted, x: 1}'], 1, 'h: {ansible_password: ***'],
    ['cuts a quoted one off', ['h: {"ansible_ssh_pass": "planted"}'], 1, 'h: {"ansible_ssh_pass": ***'],
    ['shows nothing of a password of several lines', ['ansible_password: |', '  planted', '  more'], 3, '***'],
    ['has no control characters', ['a: \u001b[31m\u202e'], 1, 'a:  [31m'],
    ['is not endless', ['x'.repeat(500)], 1, `${'x'.repeat(160)}…`],
  ];
  for (const [title, lines, line, shown] of cases) {
    test(title, () => assert.equal(placeIn('f', lines, { line, column: 1 }).excerpt, shown));
  }
});
