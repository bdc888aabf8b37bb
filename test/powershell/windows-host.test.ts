// The simulated Windows host: its tasks, its registry, its shutdowns and what a restart makes of them.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { skipWithoutDotnet } from '../support/windows/engine.ts';
import { createWindowsHost, type WindowsHost } from '../support/windows/host.ts';
import { runOnWindows } from '../support/windows/run.ts';

/** A task of SYSTEM with this text as its action, started; $task is left behind. */
function task(text: string): string {
  const encoded = Buffer.from(text, 'utf16le').toString('base64');
  return `
    $service = New-Object -ComObject Schedule.Service
    $service.Connect()
    $definition = $service.NewTask(0)
    $definition.Principal.UserId = 'S-1-5-18'
    $action = $definition.Actions.Create(0)
    $action.Path = '%SystemRoot%/System32/WindowsPowerShell/v1.0/powershell.exe'
    $action.Arguments = '-NoProfile -EncodedCommand ${encoded}'
    $task = $service.GetFolder('\\').RegisterTaskDefinition('t', $definition, 6, $null, $null, 5)
    [void]$task.RunEx($null, 2, 0, '')
  `;
}

const untilEnded = 'while ($task.State -ne 3) { [Threading.Thread]::Sleep(20) }';

function shutdown(words: string): string {
  return `$p = [Diagnostics.Process]::Start([IO.Path]::Combine($env:SystemRoot, 'System32', 'shutdown.exe'), '${words}')
    $p.WaitForExit(); $p.ExitCode`;
}

describe('a simulated Windows host', { skip: skipWithoutDotnet }, () => {
  let made: WindowsHost | undefined;
  const host = (): WindowsHost => (made ??= createWindowsHost());
  after(async () => made?.[Symbol.asyncDispose]());

  test('runs a task as SYSTEM, in a process of its own, and keeps its exit code', async () => {
    const who =
      '[IO.File]::WriteAllText("$env:ProgramData/who", [Security.Principal.WindowsIdentity]::GetCurrent().Name); exit 3010';
    const script = `${task(who)}\n${untilEnded}\n$task.LastTaskResult; [IO.File]::ReadAllText("$env:ProgramData/who")`;
    const { stdout } = await runOnWindows(host(), script);
    assert.equal(stdout, '3010\r\nNT AUTHORITY\\SYSTEM\r\n');
  });

  test('lets a task outlive the session that started it, and the task its deletion', async () => {
    const pid = '$service.GetRunningTasks(1).Item(1).EnginePID';
    const running = 'while ($task.State -ne 4) { [Threading.Thread]::Sleep(20) }';
    const remove = "$service.GetFolder('\\').DeleteTask('t', 0)";
    const script = `${task('[Threading.Thread]::Sleep(60000)')}\n${running}\n${pid}\n${remove}`;
    const { stdout } = await runOnWindows(host(), script);
    process.kill(Number(stdout), 'SIGKILL');
    assert.deepEqual(host().model().tasks, {});
  });

  test('refuses a definition that the Task Scheduler would refuse', async () => {
    const broken = task('1').replace('$task =', "$definition.Settings.DeleteExpiredTaskAfter = 'PT1H'\n$task =");
    const { stdout } = await runOnWindows(host(), `try { ${broken} } catch { '{0:X8}' -f $_.Exception.ErrorCode }`);
    assert.equal(stdout, '80041319\r\n');
  });

  test('takes rights away from an account that is no administrator', async () => {
    const account = { name: 'WIN-LAB\\guest', sid: 'S-1-5-21-1-2-3-1001', isAdministrator: false };
    await using weak = createWindowsHost({ model: { account } });
    const script = `
      $principal = New-Object Security.Principal.WindowsPrincipal([Security.Principal.WindowsIdentity]::GetCurrent())
      $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
      $root = [Microsoft.Win32.RegistryKey]::OpenBaseKey('LocalMachine', 'Registry64')
      try { $root.CreateSubKey('SOFTWARE\\x') } catch { $_.Exception.InnerException.GetType().Name }
      try { Start-Service BITS -ErrorAction Stop } catch { $_.FullyQualifiedErrorId.Split(',')[0] }
    `;
    const { stdout } = await runOnWindows(weak, script);
    assert.equal(stdout, 'False\r\nSecurityException\r\nStartServiceFailed\r\n');
  });

  test('keeps a registry of two views, and the version Windows has', async () => {
    const script = `
      $wide = [Microsoft.Win32.RegistryKey]::OpenBaseKey('LocalMachine', 'Registry64')
      $narrow = [Microsoft.Win32.RegistryKey]::OpenBaseKey('LocalMachine', 'Registry32')
      [void]$narrow.CreateSubKey('SOFTWARE\\Acme')
      $null -eq $wide.OpenSubKey('SOFTWARE\\Acme')
      $null -eq $wide.OpenSubKey('software\\wow6432node\\acme')
      $wide.OpenSubKey('SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion').GetValue('UBR')
    `;
    const { stdout } = await runOnWindows(host(), script);
    assert.deepEqual(stdout.split('\r\n'), ['True', 'False', '4052', '']);
  });

  test('answers shutdown.exe with the codes of Windows', async () => {
    const lines = ['/a', '/r /t 600 /d p:2:18', '/r /t 600', '/a', '/nonsense'].map(shutdown);
    const { stdout } = await runOnWindows(host(), lines.join('\n'));
    assert.deepEqual(stdout.split('\r\n'), ['1116', '0', '1190', '0', '87', '']);
    assert.equal(host().state, 'running');
  });

  test('restarts on request: processes die, volatile keys vanish, stable ones and tasks stay', async () => {
    await using own = createWindowsHost();
    const before = own.model().boot;
    const script = `
      $root = [Microsoft.Win32.RegistryKey]::OpenBaseKey('LocalMachine', 'Registry64')
      [void]$root.CreateSubKey('SOFTWARE\\fettle-test\\kept')
      [void]$root.CreateSubKey('SOFTWARE\\fettle-test\\gone', $true, [Microsoft.Win32.RegistryOptions]::Volatile)
      ${task('[Threading.Thread]::Sleep(600000)')}
      ${shutdown('/r /t 0')}
      [Threading.Thread]::Sleep(600000)
    `;
    const ended = runOnWindows(own, script);
    await own.reaches('off');
    assert.equal((await ended).code, 0xc000_013a);
    await own.reaches('booting');
    await own.reaches('running');
    const model = own.model();
    assert.equal(model.boot.number, before.number + 1);
    assert.ok(model.boot.time > before.time);
    const keys = Object.keys(model.registry).filter((path) => path.includes('fettle-test'));
    assert.deepEqual(keys, [String.raw`HKLM\SOFTWARE\fettle-test\kept`]);
    assert.equal(model.tasks['t']?.state, 3);
    const clock = await runOnWindows(
      own,
      '[Diagnostics.Stopwatch]::GetTimestamp() / [Diagnostics.Stopwatch]::Frequency -lt 60',
    );
    assert.equal(clock.stdout, 'True\r\n');
  });

  test('answers what WinRM asks of it by WQL', () => {
    const [row] = host().query('select LastBootUpTime, Caption from Win32_OperatingSystem') ?? [];
    assert.equal(row?.['Caption'], 'Microsoft Windows Server 2022 Standard');
    assert.match(row?.['LastBootUpTime'] ?? '', /^\d{14}\.\d{6}\+000$/);
    assert.equal(host().query('select * from Nonsense'), undefined);
  });
});
