// The engine behaves as powershell.exe of Windows PowerShell 5.1 does where our scripts can tell.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { decodeClixml } from '../../src/remote/clixml.ts';
import { skipWithoutDotnet } from '../support/windows/engine.ts';
import { createWindowsHost, type WindowsHost } from '../support/windows/host.ts';
import { runLine, runOnWindows } from '../support/windows/run.ts';

describe('the PowerShell engine', { skip: skipWithoutDotnet }, () => {
  let made: WindowsHost | undefined;
  const host = (): WindowsHost => (made ??= createWindowsHost());
  after(async () => made?.[Symbol.asyncDispose]());

  test('gives a script its input and ends with its exit code', async () => {
    const { stdout, code } = await runOnWindows(host(), '"got $([Console]::In.ReadToEnd())"; exit 7', 'words');
    assert.equal(stdout, 'got words\r\n');
    assert.equal(code, 7);
  });

  test('runs each command in a process of its own, in which nothing is left of an earlier one', async () => {
    const directory = '[IO.Directory]::GetCurrentDirectory()';
    const leave = `$env:LEFT = 'x'; [IO.Directory]::SetCurrentDirectory($env:SystemRoot); [GC]::Collect(); "$PID $(${directory})"`;
    const first = (await runOnWindows(host(), leave)).stdout.trim().split(' ');
    assert.deepEqual(first.slice(1), [host().environment['SystemRoot']]);
    const look = `"$PID $([Diagnostics.Process]::GetCurrentProcess().Id) $env:LEFT$(${directory})"`;
    const [pid, ofSystem, left] = (await runOnWindows(host(), look)).stdout.trim().split(' ');
    assert.equal(pid, ofSystem);
    assert.notEqual(pid, first[0]);
    assert.equal(left, process.cwd());
  });

  test('ends alone when it is killed', async () => {
    const killed = host().start(`powershell.exe -Command "'ready'; [Threading.Thread]::Sleep(600000)"`);
    killed.onOutput(() => killed.kill());
    assert.equal(await killed.ended, 0xc000_013a);
    assert.equal((await runOnWindows(host(), '"still here"')).stdout, 'still here\r\n');
  });

  test('keeps all 32 bits of an exit code', async () => {
    assert.equal((await runOnWindows(host(), 'exit 3010')).code, 3010);
    assert.equal((await runOnWindows(host(), 'exit -1')).code, 0xffff_ffff);
  });

  test('ends with 1 after an error that nothing caught, or a last statement that failed', async () => {
    assert.equal((await runOnWindows(host(), 'throw "no"')).code, 1);
    assert.equal((await runOnWindows(host(), '"a"; 1/0')).code, 1);
    assert.equal((await runOnWindows(host(), '1/0; "a"')).code, 0);
  });

  test('writes errors to stderr as CLIXML, behind the progress of a first module load', async () => {
    const { stderr } = await runOnWindows(host(), 'throw "a <b> & \u20ac _x000A_"');
    assert.match(stderr, /^#< CLIXML\r\n<Objs .*S="progress".*<\/Objs><Objs .*<S S="Error">/s);
    const decoded = decodeClixml(stderr);
    assert.match(decoded, /a <b> & . _x000A_/);
    assert.doesNotMatch(decoded, /Preparing modules/);
  });

  test('presents itself as Windows PowerShell', async () => {
    const script = '"$($PSVersionTable.PSVersion) $($PSVersionTable.PSEdition)"; Test-Nothing; Get-Variable';
    const { stdout } = await runOnWindows(host(), script);
    assert.equal(stdout, '5.1.20348.2227 Desktop\r\n');
    const { stderr } = await runOnWindows(host(), 'Set-StrictMode -Version 2; $IsLinux');
    assert.match(decodeClixml(stderr), /\$IsLinux' cannot be retrieved because it has not been set/);
  });

  test('writes text in the code page of the machine', async () => {
    const { stdout } = await runOnWindows(host(), '"\u00fc"');
    assert.equal(stdout, '\x81\r\n');
  });

  test('refuses parameters that powershell.exe does not have', async () => {
    assert.equal((await runLine(host(), 'powershell.exe -Nonsense')).code, 0xfffd_0000);
  });

  test('answers a program that is not there, and a line that is too long, as cmd does', async () => {
    assert.match((await runLine(host(), 'nonsense')).stderr, /is not recognized as an internal or external command/);
    const long = await runLine(host(), `powershell.exe -EncodedCommand ${'A'.repeat(8200)}`);
    assert.deepEqual(long, { stdout: '', stderr: 'The command line is too long.\r\n', code: 1 });
  });

  test('locks a host down as a policy does', async () => {
    await using locked = createWindowsHost({ model: { languageMode: 'ConstrainedLanguage' } });
    const { stdout } = await runOnWindows(locked, '[string]$ExecutionContext.SessionState.LanguageMode');
    assert.equal(stdout, 'ConstrainedLanguage\r\n');
    const file = await runOnWindows(locked, "[IO.File]::Exists('x')");
    assert.match(decodeClixml(file.stderr), /MethodInvocationNotSupportedInConstrainedLanguage/);
    const com = await runOnWindows(locked, 'New-Object -ComObject Microsoft.Update.Session');
    assert.match(decodeClixml(com.stderr), /CannotCreateComTypeConstrained/);
  });
});
