// The doubles of the Windows Update Agent do what its documentation says.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { classification, monthOfUpdates, windowsUpdate } from '../support/windows/defaults.ts';
import { skipWithoutDotnet } from '../support/windows/engine.ts';
import { createWindowsHost, type WindowsHost } from '../support/windows/host.ts';
import type { WindowsModel, WindowsUpdate } from '../support/windows/model.ts';
import { runAsSystem, runOnWindows } from '../support/windows/run.ts';

const offered = "IsInstalled=0 and IsHidden=0 and Type='Software'";

/** Searches, downloads and installs everything at once, and says what each call gave. */
const installAll = `
  $session = New-Object -ComObject Microsoft.Update.Session
  $session.ClientApplicationID = 'test'
  $found = $session.CreateUpdateSearcher().Search("${offered}").Updates
  $downloader = $session.CreateUpdateDownloader()
  $downloader.Updates = $found
  $installer = $session.CreateUpdateInstaller()
  $installer.Updates = $found
  try {
    $downloaded = $downloader.Download()
    $done = $installer.Install()
    for ($at = 0; $at -lt $found.Count; $at++) {
      $one = $done.GetUpdateResult($at)
      '{0} {1} {2:X8} {3}' -f $downloaded.GetUpdateResult($at).ResultCode, $one.ResultCode, $one.HResult, $one.RebootRequired
    }
  } catch { 'thrown {0:X8}' -f $_.Exception.HResult }
`;

function searchFor(criteria: string): string {
  return `
    $searcher = (New-Object -ComObject Microsoft.Update.Session).CreateUpdateSearcher()
    try { foreach ($update in $searcher.Search("${criteria}").Updates) { $update.Title } } catch { 'thrown {0:X8}' -f $_.Exception.HResult }
  `;
}

async function asSystem(host: WindowsHost, script: string): Promise<string[]> {
  return (await runAsSystem(host, script)).stdout.trimEnd().split('\r\n');
}

function hostWith(updates: WindowsUpdate[], model: Partial<WindowsModel> = {}): WindowsHost {
  return createWindowsHost({ model: { updates, ...model } });
}

describe('the Windows Update Agent of a simulated host', { skip: skipWithoutDotnet }, () => {
  test('searches for a network logon and refuses it everything else', async () => {
    await using host = hostWith([windowsUpdate({ title: 'One (KB5000001)' })]);
    const { stdout } = await runOnWindows(
      host,
      `${searchFor(offered)}
      foreach ($try in { $searcher.BeginSearch('', $null, $null) }, { (New-Object -ComObject Microsoft.Update.Session).CreateUpdateInstaller() },
        { (New-Object -ComObject Microsoft.Update.SystemInfo).RebootRequired }) {
        try { & $try } catch { $_.Exception.GetType().Name }
      }`,
    );
    const refused = 'UnauthorizedAccessException';
    assert.deepEqual(stdout.trimEnd().split('\r\n'), ['One (KB5000001)', refused, refused, refused]);
  });

  test('wraps its errors where the host is an old one', async () => {
    await using host = hostWith([]);
    await host.change((model) => (model.agent.wrapsComErrors = true));
    const script =
      'try { (New-Object -ComObject Microsoft.Update.SystemInfo).RebootRequired } catch { $_.Exception.GetType().Name }';
    assert.equal((await runOnWindows(host, script)).stdout, 'MethodInvocationException\r\n');
  });

  test('understands the criteria of its documentation and no others', async () => {
    await using host = hostWith([
      windowsUpdate({ title: 'plain' }),
      windowsUpdate({ title: 'optional', deploymentAction: 4, browseOnly: true }),
      windowsUpdate({ title: 'hidden', isHidden: true }),
      windowsUpdate({ title: 'driver', type: 'driver', categories: [classification.driver] }),
    ]);
    const found = async (criteria: string): Promise<string> =>
      (await runOnWindows(host, searchFor(criteria))).stdout.trimEnd();
    assert.equal(await found(offered), 'plain');
    assert.equal(await found(`${offered} and DeploymentAction='OptionalInstallation'`), 'optional');
    assert.equal(await found("IsInstalled=0 and Type='Driver' or IsHidden=1"), 'hidden\r\ndriver');
    assert.equal(await found(`CategoryIDs contains '${classification.driver.id}'`), 'driver');
    for (const wrong of ['IsInstalled=2', 'IsHidden!=0', "Title='plain'", 'nonsense']) {
      assert.equal(await found(wrong), 'thrown 80240032', wrong);
    }
  });

  test('installs what needs no restart at once, and leaves the rest to the restart', async () => {
    await using host = hostWith(monthOfUpdates());
    assert.deepEqual(await asSystem(host, installAll), [
      '2 2 00000000 True',
      ...Array<string>(3).fill('2 2 00000000 False'),
    ]);
    const [cumulative, dotnet, definition] = host.model().updates;
    assert.deepEqual(
      [cumulative?.isInstalled, cumulative?.isWaitingForReboot, dotnet?.isInstalled],
      [false, true, true],
    );
    // The definition is there once more, with a new revision.
    const revisions = host
      .model()
      .updates.filter(({ id }) => id === definition?.id)
      .map(({ revision }) => revision);
    assert.deepEqual(revisions, [200, 201]);
    assert.equal(host.model().os.ubr, 4052);
    const pending = Object.keys(host.model().registry).filter((path) => /Reboot(?:Pending|Required)$/.test(path));
    assert.equal(pending.length, 2);
    await host.reboot();
    assert.equal(host.model().updates[0]?.isInstalled, true);
    assert.equal(host.model().os.ubr, 4171);
    assert.deepEqual(
      Object.keys(host.model().registry).filter((path) => /Reboot(?:Pending|Required)$/.test(path)),
      [],
    );
  });

  test('rolls back at the restart what is set to, and a feature update that was not committed', async () => {
    const feature = { title: 'Upgrade', rebootBehavior: 1, needsCommit: true } as const;
    await using host = hostWith([
      windowsUpdate({ title: 'Rolls back (KB5000002)', rebootBehavior: 1, rollsBackAtReboot: true }),
      windowsUpdate(feature),
    ]);
    assert.deepEqual(await asSystem(host, installAll), ['2 2 00000000 True', '2 2 00000000 True']);
    await host.reboot();
    assert.deepEqual(
      host.model().updates.map(({ isInstalled }) => isInstalled),
      [false, false],
    );
    await asSystem(host, `${installAll}\n$installer.Commit(0)`);
    await host.reboot();
    assert.deepEqual(
      host.model().updates.map(({ isInstalled }) => isInstalled),
      [false, true],
    );
  });

  const results: [what: string, updates: Partial<WindowsUpdate>[], answers: string[]][] = [
    ['an exclusive update among others', [{ impact: 2 }, {}], ['thrown 80240019']],
    ['no update at all', [], ['thrown 80240024']],
    ['licence terms that were not accepted', [{ eulaAccepted: false }], ['4 4 80246007 False']],
    ['questions to a user', [{ canRequestUserInput: true }], ['2 4 80240020 False']],
    ['an old servicing stack', [{ requires: ['other'] }], ['2 4 80242017 False']],
    ['a failure of its own', [{ installResult: { resultCode: 4, hresult: '0x80070643' } }], ['2 4 80070643 False']],
    ['a disk that is full', [{ size: 1e15 }], ['4 4 80246007 False']],
  ];
  for (const [what, updates, answers] of results) {
    test(`has its own answer to ${what}`, async () => {
      await using host = hostWith(updates.map((update, at) => windowsUpdate({ title: `U${at}`, ...update })));
      assert.deepEqual(await asSystem(host, installAll), answers);
    });
  }

  test('throws where a property is broken, and leaves the others', async () => {
    await using host = hostWith([
      windowsUpdate({ title: 'Broken', failingProperties: { IsDownloaded: '0x80070057' } }),
    ]);
    const script = `${searchFor(offered)}
      $update = $searcher.Search("${offered}").Updates.Item(0)
      try { $update.IsDownloaded } catch { '{0:X8}' -f $_.Exception.ErrorCode }
      $update.IsInstalled`;
    assert.deepEqual((await runOnWindows(host, script)).stdout.trimEnd().split('\r\n'), [
      'Broken',
      '80070057',
      'False',
    ]);
  });

  test('cannot reach its source as often as set', async () => {
    await using host = hostWith([windowsUpdate({ title: 'One' })]);
    await host.change((model) => {
      model.agent.searchFault = '0x8024402C';
      model.agent.searchFaultTimes = 2;
    });
    const tries = [searchFor(offered), searchFor(offered), searchFor(offered)].join('\n');
    const { stdout } = await runOnWindows(host, tries);
    assert.equal(stdout, 'thrown 8024402C\r\nthrown 8024402C\r\nOne\r\n');
  });

  test('searches a catalogue file that is a cabinet on a local disk', async () => {
    await using host = hostWith([windowsUpdate({ title: 'One' })]);
    const script = `
      $manager = New-Object -ComObject Microsoft.Update.ServiceManager
      foreach ($path in '//share/wsusscn2.cab', 'missing.cab', "$env:TEMP/text.cab", "$env:TEMP/real.cab") {
        try { $service = $manager.AddScanPackageService('offline', $path, 0); $service.IsScanPackageService } catch { '{0:X8}' -f $_.Exception.HResult }
      }
      $searcher = (New-Object -ComObject Microsoft.Update.Session).CreateUpdateSearcher()
      $searcher.ServerSelection = 3
      $searcher.ServiceID = [string]$service.ServiceID
      $searcher.Search("${offered}").Updates.Count
      $manager.RemoveService([string]$service.ServiceID)
      try { $searcher.Search("${offered}") } catch { '{0:X8}' -f $_.Exception.HResult }
    `;
    const files = `[IO.File]::WriteAllText("$env:TEMP/text.cab", 'no'); [IO.File]::WriteAllText("$env:TEMP/real.cab", 'MSCF')`;
    const answers = ['8007007B', '80070002', '80247001', 'True', '1', '80240042'];
    assert.deepEqual(await asSystem(host, `${files}\n${script}`), answers);
  });

  test('has no history to be asked for until something was installed', async () => {
    await using host = hostWith([windowsUpdate({ title: 'One' })]);
    const history = `
      $searcher = (New-Object -ComObject Microsoft.Update.Session).CreateUpdateSearcher()
      try { $searcher.QueryHistory(0, 5) | ForEach-Object { $_.Title + ' ' + $_.ResultCode + ' ' + $_.ClientApplicationID } } catch { '{0:X8}' -f $_.Exception.ErrorCode }
    `;
    assert.deepEqual(await asSystem(host, `${history}\n${installAll}\n${history}`), [
      '80240007',
      '2 2 00000000 False',
      'One 2 test',
    ]);
  });
});
