import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inPowerShell, jobScript, probeScript } from '../../src/remote/scripts.ts';

const posixFolder = new URL('../../src/remote/posix/', import.meta.url);
const hasShellcheck = spawnSync('shellcheck', ['--version']).status === 0;

for (const script of [probeScript(), jobScript()]) {
  test(`the ${script.name} script is known by the digest of its text`, () => {
    assert.equal(script.sha256, createHash('sha256').update(script.text).digest('hex'));
  });

  test(`the ${script.name} script ends no process of others`, () => {
    assert.doesNotMatch(script.text, /^\s*(pkill|killall|kill)\b/m);
  });

  const skip = hasShellcheck ? false : 'shellcheck is not installed';
  test(`shellcheck has no finding in the ${script.name} script`, { skip }, () => {
    // With the comments, some of which are for shellcheck.
    const input = script.files.map((file) => readFileSync(new URL(file, posixFolder), 'utf8')).join('\n');
    const { stdout } = spawnSync('shellcheck', ['-s', 'sh', '-'], { input, encoding: 'utf8' });
    assert.equal(stdout, '');
  });

  for (const shell of [['dash'], ['busybox', 'sh']]) {
    const [program = '', ...args] = shell;
    const isThere = spawnSync(program, [...args, '-c', ':']).status === 0;
    const without = isThere ? false : `${program} is not installed`;
    test(`${shell.join(' ')} reads the ${script.name} script`, { skip: without }, () => {
      const { status, stderr } = spawnSync(program, [...args, '-n'], { input: script.text, encoding: 'utf8' });
      assert.equal(stderr, '');
      assert.equal(status, 0);
    });
  }
}

for (const script of [probeScript(), jobScript()].map((script) => inPowerShell(script))) {
  test(`the ${script.name} script for PowerShell is known by the digest of its text`, () => {
    assert.equal(script.sha256, createHash('sha256').update(script.text).digest('hex'));
  });

  test(`the ${script.name} script for PowerShell is ASCII, whatever code page reads it, and ends no process but a late list of its own`, () => {
    assert.match(script.text, /^[\n\x20-\x7e]+$/);
    const others = script.text.replace('if ($IsEnded) { try { $process.Kill() } catch { $null = $_ } }', '');
    assert.doesNotMatch(others, /Stop-Process|\.Kill\(|taskkill|StopEx?\(/);
  });
}

test('what is asked of PowerShell again and again is a small part of the whole', () => {
  const sizes = [inPowerShell(probeScript(), { verb: 'boot' }), inPowerShell(jobScript(), { verb: 'follow' })].map(
    ({ text }) => text.length,
  );
  const whole = [inPowerShell(probeScript(), { verb: 'probe' }), inPowerShell(jobScript(), { verb: 'start' })].map(
    ({ text }) => text.length,
  );
  assert.ok(
    sizes.every((size, index) => size * 2 < (whole[index] ?? 0)),
    `${sizes.join(' ')} of ${whole.join(' ')}`,
  );
});
