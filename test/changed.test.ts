import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { affectedTests, changedFiles, readSources } from './changed.ts';

const sources = new Map([
  ['src/base/text.ts', 'export const a = 1;'],
  ['src/engine/run.ts', "import { a } from '../base/text.ts';"],
  ['src/cli.ts', "await import('./engine/run.ts');"],
  ['src/remote/scripts.ts', "read('apt.sh');"],
  ['test/engine/run.test.ts', "import '../../src/engine/run.ts';"],
  ['test/integration/usage.test.ts', "start(join(root, 'src/cli.ts'));"],
  ['test/managers/apt.test.ts', "join(here, 'fixtures', 'apt'); read('broken'); import '../../src/remote/scripts.ts';"],
  ['test/base/other.test.ts', 'nothing();'],
]);

test('a changed module touches the tests that import it, however far away, and those that start the program', () => {
  assert.deepEqual(affectedTests(['src/base/text.ts'], sources), [
    'test/engine/run.test.ts',
    'test/integration/usage.test.ts',
  ]);
});

test('a changed script, fixture or test touches the tests that read it by name', () => {
  for (const path of [
    'src/remote/posix/apt.sh',
    'test/fixtures/managers/apt/broken/answer',
    'test/managers/apt.test.ts',
  ])
    assert.deepEqual(affectedTests([path], sources), ['test/managers/apt.test.ts'], path);
});

test('a changed lock file touches every test, and a file that nobody names touches none', () => {
  assert.equal(affectedTests(['package-lock.json'], sources).length, 4);
  assert.deepEqual(affectedTests(['LICENSE'], sources), []);
});

test('every test file of the project depends on itself, and the lab depends on the program', () => {
  const all = readSources(join(import.meta.dirname, '..'));
  const tests = affectedTests(['src/cli.ts'], all);
  assert.ok(tests.includes('test/integration/usage.test.ts'));
  assert.ok(tests.includes('test/lab/rollout.test.ts'));
  assert.ok(!tests.includes('test/base/text.test.ts'));
});

test('committed, staged, unstaged and untracked files count as changed', () => {
  const root = mkdtempSync(join(tmpdir(), 'fettle-changed-'));
  const git = (...words: string[]): void => {
    const who = ['-c', 'user.name=a', '-c', 'user.email=a@example.com', '-c', 'commit.gpgsign=false'];
    execFileSync('git', [...who, ...words], { cwd: root, stdio: 'ignore' });
  };
  try {
    git('init', '-b', 'main');
    for (const name of ['committed', 'staged', 'unstaged', 'same']) writeFileSync(join(root, name), 'before');
    git('add', '.');
    git('commit', '-m', 'first');
    git('branch', 'base');
    writeFileSync(join(root, 'committed'), 'after');
    git('commit', '-am', 'second');
    for (const name of ['staged', 'unstaged', 'untracked']) writeFileSync(join(root, name), 'after');
    git('add', 'staged');
    assert.deepEqual(changedFiles(root, 'base'), ['committed', 'staged', 'unstaged', 'untracked']);
  } finally {
    rmSync(root, { recursive: true });
  }
});
