// Every script that reaches a Windows host parses on Windows PowerShell 5.1 and uses only what is there.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { inPowerShell } from '../../src/remote/scripts.ts';
import { windowsManagers } from '../../src/remote/windows-parts.ts';
import { buildChecks, skipWithoutDotnet } from '../support/windows/engine.ts';

const run = promisify(execFile);
const bootstrap = join(import.meta.dirname, '..', '..', 'src', 'remote', 'windows', 'bootstrap.ps1');

/** What each line of a script that is wrong is found to be. */
const wrong: readonly [line: string, finding: string][] = [
  ['$x = $true ? 1 : 2', 'syntax: ? : is newer than 5.1'],
  ['$x = $null ?? 3', 'syntax: ?? is newer than 5.1'],
  ['$y = ${x}?.Foo', 'syntax: ?. is newer than 5.1'],
  ["'a' && 'b'", 'syntax: && is newer than 5.1'],
  ['function f { process {} clean {} }', 'syntax: clean {} is newer than 5.1'],
  ['1 | ForEach-Object -Parallel { 1 }', 'syntax: -Parallel is newer than 5.1'],
  ['1uy', 'syntax: 1uy: 5.1 has the suffixes d, l and kb to pb only'],
  ['"`u{41}"', 'syntax: `u{} and `e are newer than 5.1'],
  ["'\u00e9'", 'ascii: byte 0xc3'],
  ["Get-Content 'x'", 'command: Get-Content is neither on the list of 5.1 nor a function of this script'],
  ['function g($a) { $a }; g 1 2', 'command: g takes 1 arguments, not 2'],
  ['$nobody', 'variable: nobody sets $nobody'],
  ["'C:\\Windows'", 'path: C:\\Windows names a drive'],
  ["[IO.Path]::Combine($env:SystemDrive, 'x')", 'path: Path.Combine of a bare drive gives C:x, which is relative'],
  ["[System.Half]::Parse('1')", 'type: System.Half is not in .NET Framework 4.6.2'],
  [
    "[IO.File]::ReadAllTextAsync('x')",
    'member: System.IO.File.ReadAllTextAsync with 1 arguments is not in .NET Framework 4.6.2',
  ],
  [
    "$s = New-Object Text.StringBuilder; $s.AppendJoin(',', 'a')",
    'member: System.Text.StringBuilder.AppendJoin with 2 arguments is not in .NET Framework 4.6.2',
  ],
  [
    '$p = [Diagnostics.Process]::GetCurrentProcess(); $p.Nope',
    'member: System.Diagnostics.Process.Nope is not in .NET Framework 4.6.2',
  ],
];

describe('the checks of Windows scripts', { skip: skipWithoutDotnet }, () => {
  let folder = '';
  before(() => (folder = mkdtempSync(join(tmpdir(), 'fettle-checks-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Findings, a line each. */
  async function check(path: string): Promise<readonly string[]> {
    const { stdout } = await run(buildChecks(), [path]).catch((error: unknown) => error as { stdout: string });
    return stdout.split('\n').filter((line) => line !== '');
  }

  for (const name of ['probe', 'job'] as const) {
    test(`find nothing in the script of the ${name}`, async () => {
      const path = join(folder, `${name}.ps1`);
      writeFileSync(path, inPowerShell({ name }).text);
      assert.deepEqual(await check(path), []);
    });
  }

  /** What the last part of a script calls for verbs whose parts were not sent. */
  const otherVerbs =
    /: command: (Get-BootSections|Get-Summary|Get-Probe|Get-Simulation|Invoke-ScanWorker|Invoke-Job|Start-DetachedJob) is neither/;
  const choices: readonly (readonly ['probe' | 'job', string, readonly string[]])[] = [
    ...['boot', 'summary'].map((verb) => ['probe', verb, []] as const),
    ...windowsManagers.flatMap((manager) => [
      ['probe', 'simulate', [manager]] as const,
      ['probe', 'probe', [manager]] as const,
      ['job', 'start', [manager]] as const,
    ]),
    ['probe', 'probe', []],
    ['job', 'start', []],
    ['job', 'follow', []],
    ['job', 'sweep', []],
  ];
  for (const [name, verb, managers] of choices) {
    test(`find nothing in ${verb} of the ${name} about ${managers.join() || 'no package manager'}`, async () => {
      const path = join(folder, `${name}-${verb}-${managers.join()}.ps1`);
      writeFileSync(path, inPowerShell({ name }, { verb, managers }).text);
      assert.deepEqual(
        (await check(path)).filter((line) => !otherVerbs.test(line)),
        [],
      );
    });
  }

  test('find nothing in the bootstrap', async () => {
    assert.deepEqual(await check(bootstrap), []);
  });

  test('find what 5.1 does not have', async () => {
    const path = join(folder, 'wrong.ps1');
    writeFileSync(path, wrong.map(([line]) => `${line}\n`).join(''));
    const found = await check(path);
    for (const [index, [line, finding]] of wrong.entries()) {
      assert.ok(found.includes(`wrong.ps1:${index + 1}: ${finding}`), `${line}\n${found.join('\n')}`);
    }
  });

  test('find what does not parse', async () => {
    const path = join(folder, 'broken.ps1');
    writeFileSync(path, 'if (');
    assert.match((await check(path))[0] ?? '', /^broken\.ps1:1: parse: /);
  });
});
