import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { hostScripts } from '../../src/remote/host-scripts.ts';
import {
  inPowerShell,
  jobScript,
  posixManagers,
  probeScript,
  scriptFile,
  usualManagers,
} from '../../src/remote/scripts.ts';

const verbs = {
  probe: ['boot', 'probe', 'simulate', 'summary'],
  job: ['start', 'follow', 'stat', 'collect', 'sweep'],
} as const;

const listed = hostScripts();

test('every file below a family is a part of some script, and has its digest in the list', () => {
  for (const [family, ending] of [
    ['posix', '.sh'],
    ['windows', '.ps1'],
  ] as const) {
    const folder = new URL(`../../src/remote/${family}/`, import.meta.url);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith(ending));
    const parts = listed.filter((item) => item.family === family && item.part.endsWith(ending));
    const others = family === 'windows' ? ['bootstrap.ps1', 'text.ps1'] : [];
    assert.ok(files.length > 15);
    assert.deepEqual(
      files.filter((file) => !others.includes(file) && !parts.some((item) => item.part === file)),
      [],
    );
    for (const { part, sha256 } of parts) {
      assert.equal(sha256, createHash('sha256').update(scriptFile(family, part)).digest('hex'), part);
    }
  }
  const names = listed.map(({ family, part }) => `${family} ${part}`);
  assert.equal(new Set(names).size, names.length, 'a line comes twice');
  assert.ok(names.includes('windows bootstrap') && names.includes('windows text'));
});

test('a script is nothing but its parts, whatever the verb and the package managers', () => {
  const families = { posix: { probe: probeScript, job: jobScript } } as const;
  for (const name of ['probe', 'job'] as const) {
    for (const verb of verbs[name]) {
      for (const managers of [undefined, [], ['apt'], posixManagers]) {
        const choice = managers === undefined ? { verb } : { verb, managers };
        const posix = families.posix[name](choice);
        assert.equal(posix.text, posix.files.map((file) => scriptFile('posix', file)).join('\n'));
        const windows = inPowerShell({ name }, choice);
        assert.equal(windows.text, windows.files.map((file) => scriptFile('windows', file)).join('\n'));
      }
    }
  }
});

test('a host that is known to have one package manager is sent no list or install script of another', () => {
  for (const own of posixManagers) {
    for (const script of [probeScript, jobScript]) {
      const strange = script({ managers: [own] }).files.filter(
        (file) => file.startsWith('managers/') && !file.startsWith(`managers/${own}/`),
      );
      assert.deepEqual(
        strange.filter((file) => !/\/(?:detect|fingerprint)\.sh$/.test(file)),
        [],
      );
    }
  }
});

test('a host is sent no comments, and a scan stays under 30 KB, also where nothing is known of the host', () => {
  for (const managers of [usualManagers, ...posixManagers.map((manager) => [manager])]) {
    const { text } = probeScript({ verb: 'probe', managers });
    assert.doesNotMatch(text, /^\s*#/m);
    assert.ok(Buffer.byteLength(text) < 30_000, `${managers.join(' and ')}: ${Buffer.byteLength(text)} bytes`);
  }
});

test('a poll is sent a small part of the script, and nothing of any package manager', () => {
  const [follow, start] = [jobScript({ verb: 'follow' }), jobScript({ verb: 'start' })];
  assert.ok(follow.text.length * 2 < start.text.length, `${follow.text.length} of ${start.text.length}`);
  assert.deepEqual(
    follow.files.filter((file) => file.startsWith('managers')),
    [],
  );
});
