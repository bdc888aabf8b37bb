# Installs exactly the asked (id, revision) pairs, as SYSTEM, one by one so that each has its own progress and result.

$agentServices = 'RpcSs', 'CryptSvc', 'TrustedInstaller', 'BITS', 'wuauserv'
# Tried a second time: something else was running, or the download was damaged.
$repeatCodes = @(
  '0x80240009', '0x8024001B', '0x8024001E', '0x80246007', '0x80246008', '0x80246002', '0x80200053', '0x8024200D',
  '0x80248007', '0x8024801C', '0x80070020', '0x800705B4', '0x800706BE', '0x80072EE2', '0x80072EFD', '0x80072EFE',
  '0x8024402C', '0x8024401C', '0x80244022', '0x80D02002'
)
$shutdownCodes = '0x8007045B', '0x8024A007'
$notNeededCodes = '0x80240017', '0x80240024'
$alreadyCodes = '0x00240006', '0x00242015'
$reserveSec = 600

function Install-WindowsUpdate($Request) {
  if ($Request.Rows.Length -eq 0 -or -not (Test-UpdateRows $Request.Rows)) {
    return New-JobAnswer 'bad-request' 1 'a row is not name, update id and revision'
  }
  $script:scanPackage = $null
  try {
    $refusal = Test-ReadyToInstall $Request
    if ($null -ne $refusal) { return $refusal }
    $answer = Read-FreshAnswer 'windows-update' $Request $simulateFreshSec
    Remove-ScanAnswers
    Write-JobNote 'searching for what was asked'
    $session = New-UpdateSession
    $asked = Find-Asked $session $Request $Request.Rows ($null -ne $answer)
    $asked['Fetched'] = $(if ($null -ne $answer) { $answer.Fetched } else { Format-Moment ([DateTime]::UtcNow) })
    $gone = @($asked.Missing | Where-Object { -not $_.IsInstalled -and -not $_.IsRenewed })
    if ($gone.Count -gt 0) { return New-DriftAnswer $gone }
    return Install-Asked $session $asked $Request
  } catch {
    $code = Get-ErrorCode $_
    Write-JobLog ('the update agent failed: ' + $code + ' ' + (Get-ErrorWords $_))
    return New-JobAnswer 'failed' 1 ('the update agent failed: ' + $code + ' ' + (Get-ErrorWords $_))
  } finally {
    if ($null -ne $script:scanPackage) { Remove-ScanPackage $script:scanPackage }
  }
}

function New-DriftAnswer($Gone) {
  $names = @($Gone | ForEach-Object { $_.Row[0] + ' (' + $_.Row[1] + ' revision ' + $_.Row[2] + ')' })
  $message = 'the host is not offered any more: ' + ($names -join ', ')
  Write-JobLog $message
  return New-JobAnswer 'drift' 0 $message
}

# What is refused here was not begun.
function Test-ReadyToInstall($Request) {
  $shortage = Get-DiskShortage
  if ($shortage -ne '') { return New-JobAnswer 'disk' 0 $shortage }
  $stopped = Start-AgentServices
  if ($stopped -ne '') { return New-JobAnswer 'broken-before' 1 $stopped }
  $session = New-UpdateSession
  $installer = $session.CreateUpdateInstaller()
  if (-not (Wait-Installer $installer (Get-NumberField $Request 'lock_wait' 600))) {
    return New-JobAnswer 'locked' 1 'another installation is in progress (0x80240009)'
  }
  if ((Read-FlagProperty $installer 'RebootRequiredBeforeInstallation' $null) -eq $true) {
    $words = 'an earlier change waits for a restart, and until then nothing can be installed (0x80240016): '
    return New-JobAnswer 'broken-before' 1 ($words + 'run fettle reboot for this host, then resume the run')
  }
  return $null
}

# Stopped is their normal state: they are started when needed. Disabled is an administrator's decision and is reported, not changed.
function Start-AgentServices {
  foreach ($name in $agentServices) {
    try {
      $service = Get-Service -Name $name
      if ([string]$service.Status -eq 'Running') { continue }
      if ((Get-ServiceStart $name) -eq 4) {
        if ($name -eq 'TrustedInstaller' -or $name -eq 'wuauserv' -or $name -eq 'BITS') {
          return 'the service ' + $name + ' is disabled (0x80070422)'
        }
        continue
      }
      Start-Service -Name $name
      Write-JobLog ('started the service ' + $name)
    } catch {
      Write-JobLog ('the service ' + $name + ' does not start: ' + (Get-ErrorWords $_))
    }
  }
  return ''
}

function Wait-Installer($Installer, [int]$LimitSec) {
  $clock = [Diagnostics.Stopwatch]::StartNew()
  while ((Read-FlagProperty $Installer 'IsBusy' $null) -eq $true) {
    if ($clock.Elapsed.TotalSeconds -ge $LimitSec) { return $false }
    Write-JobNote 'waiting for another installation to end'
    [Threading.Thread]::Sleep(2000)
  }
  return $true
}

function Install-Asked($Session, $Asked, $Request) {
  $started = [DateTime]::UtcNow
  $deadline = [Diagnostics.Stopwatch]::StartNew()
  $work = @{
    Session = $Session; Mode = Read-Mode $Request; Clock = $deadline; LimitSec = Get-NumberField $Request 'limit' 0
    PauseMs = Get-NumberField $Request 'pause_ms' 20000; Total = $Asked.Found.Count; At = 0; IsOver = ''
  }
  foreach ($batch in (Split-Batches $Asked.Found)) {
    Write-JobLog ($batch.Name + ': ' + (@($batch.Items | ForEach-Object { $_.Name }) -join ', '))
    foreach ($item in @(Sort-BySize $batch.Items)) { Invoke-One $work $item }
  }
  $report = @{
    mode = $work.Mode; started = Format-Moment $started; finished = Format-Moment ([DateTime]::UtcNow); boot = Get-BootId
    items = @($Asked.Found | ForEach-Object { New-ItemReport $_ })
    already = @($Asked.Missing | Where-Object { $_.IsInstalled } | ForEach-Object { New-RowReport $_ })
    renewed = @($Asked.Missing | Where-Object { -not $_.IsInstalled } | ForEach-Object { New-RowReport $_ })
  }
  $after = Get-ScanAfter $Asked $Request
  return Get-InstallAnswer $Asked @{ results = ConvertTo-PlainJson $report; after = ConvertTo-PlainJson $after }
}

function New-RowReport($Missing) {
  return @{ name = $Missing.Row[0]; id = $Missing.Row[1]; revision = [long]$Missing.Row[2] }
}

# What is installed, pending and still on offer now. Where a restart follows the source is asked after it; the answer is
# kept for whoever asks next.
function Get-ScanAfter($Asked, $Request) {
  Write-JobNote 'querying what is installed now'
  $isPending = @($Asked.Found | Where-Object { $_.Result.NeedsReboot -or $_.Result.Outcome -eq 'pending-reboot' }).Count -gt 0
  $after = Invoke-Scan $Request $isPending
  $after['by'] = 'job'
  if ($isPending) { $after['fetched'] = $Asked.Fetched }
  try { Save-ScanAnswer 'windows-update' $Request (New-UpdateAnswer $after) } catch { Write-JobLog ('the answer cannot be kept: ' + (Get-ErrorWords $_)) }
  return $after
}

function Get-InstallAnswer($Asked, $Sections) {
  $bad = @($Asked.Found | Where-Object { $_.Result.Outcome -notin 'installed', 'pending-reboot', 'already', 'downloaded' })
  $words = @($bad | ForEach-Object { $_.Name + ' ' + $_.Result.Outcome + $(if ($_.Result.Words) { ' (' + $_.Result.Words + ')' }) })
  if ($words.Count -eq 0) { return New-JobAnswer 'ok' 0 '' $Sections }
  return New-JobAnswer 'failed' 1 ($words -join '; ') $Sections
}

# install, download (nothing is installed), cached (nothing is downloaded).
function Read-Mode($Request) {
  $mode = (Get-Field $Request 'mode' '')
  if ($mode -in 'download', 'cached') { return $mode }
  return 'install'
}

# Small ones first: the large cumulative update may be the one that no longer fits the time.
function Sort-BySize($Items) {
  $sorted = New-Object Collections.ArrayList
  foreach ($item in $Items) {
    $at = 0
    while ($at -lt $sorted.Count -and [long]$sorted[$at].Size -le [long]$item.Size) { $at++ }
    $sorted.Insert($at, $item)
  }
  return $sorted
}

function Invoke-One($Work, $Item) {
  $Work.At++
  $result = $Item.Result
  $label = $Item.Name + ' (' + $Work.At + ' of ' + $Work.Total + ', ' + [int](100 * ($Work.At - 1) / $Work.Total) + ' %)'
  $why = Get-Obstacle $Work $Item
  if ($why -ne '') {
    $result.Words = $why
    Write-JobLog ($Item.Name + ': ' + $why)
    return
  }
  $clock = [Diagnostics.Stopwatch]::StartNew()
  while ($result.Attempts -lt 2) {
    $result.Attempts++
    Invoke-Attempt $Work $Item $label
    $code = $result.InstallError + $result.DownloadError
    if ($result.Outcome -ne 'failed' -or $repeatCodes -notcontains $code -or $Work.IsOver -ne '') { break }
    Write-JobLog ($Item.Name + ': ' + $code + ', once more')
    [Threading.Thread]::Sleep($Work.PauseMs)
  }
  $result.Seconds = [int]$clock.Elapsed.TotalSeconds
  Write-JobLog ($Item.Name + ': ' + $result.Outcome + $(if ($result.Words) { ' (' + $result.Words + ')' }) + ', ' + $result.Seconds + ' s')
}

function Get-Obstacle($Work, $Item) {
  if ($Item.IsPending) {
    $Item.Result.Outcome = 'pending-reboot'
    return 'it is installed and waits for a restart'
  }
  if ($Work.IsOver -ne '') { return $Work.IsOver }
  $left = $Work.LimitSec - $Work.Clock.Elapsed.TotalSeconds
  if ($Work.LimitSec -gt 0 -and $left -lt [Math]::Min($reserveSec, $Work.LimitSec / 10)) { return 'the time for the installation is over' }
  if ($Work.Mode -eq 'cached' -and -not $Item.IsDownloaded) { return 'it is not downloaded, and only what is downloaded shall go in' }
  return ''
}

function Invoke-Attempt($Work, $Item, [string]$Label) {
  $result = $Item.Result
  $result.DownloadError = ''; $result.InstallError = ''; $result.Words = ''
  Confirm-Eula $Item
  try {
    $one = New-Object -ComObject Microsoft.Update.UpdateColl
    [void]$one.Add($Item.Update)
    if ($Work.Mode -ne 'cached' -and -not (Invoke-Download $Work $Item $one $Label)) { return }
    if ($Work.Mode -eq 'download') { $result.Outcome = 'downloaded'; return }
    Invoke-InstallOne $Work $Item $one $Label
  } catch {
    Set-Failure $Work $result 'InstallError' (Get-ErrorCode $_) (Get-ErrorWords $_)
  }
}

# Some updates throw at both (0x8002802B) and are installed all the same; one whose terms are not accepted fails with that error when it is installed.
function Confirm-Eula($Item) {
  $errors = New-Object Collections.ArrayList
  $isAccepted = Read-FlagProperty $Item.Update 'EulaAccepted' $errors
  if ($errors.Count -gt 0) { Write-JobLog ($Item.Name + ': whether its licence terms are accepted cannot be read: ' + ($errors.ToArray() -join ', ')) }
  if ($isAccepted -eq $true) { return }
  try {
    [void]$Item.Update.AcceptEula()
    Write-JobLog ($Item.Name + ': its licence terms were accepted')
  } catch {
    Write-JobLog ($Item.Name + ': its licence terms cannot be accepted: ' + (Get-ErrorCode $_))
  }
}

# The result of the one update, or of the whole where the agent has none for it.
function Read-OwnResult($Done) {
  try { $own = $Done.GetUpdateResult(0) } catch { $own = $Done }
  $code = Read-NumberProperty $own 'ResultCode' $null
  if ($null -eq $code) { $code = Read-NumberProperty $Done 'ResultCode' $null }
  $error1 = Format-ErrorCode (Read-NumberProperty $own 'HResult' $null)
  if ($error1 -eq '0x00000000') { $error1 = Format-ErrorCode (Read-NumberProperty $Done 'HResult' $null) }
  return @{
    Code = [int]$(if ($null -eq $code) { 0 } else { $code }); Error = $error1
    NeedsReboot = (Read-FlagProperty $own 'RebootRequired' $null) -eq $true -or (Read-FlagProperty $Done 'RebootRequired' $null) -eq $true
  }
}

function Invoke-Download($Work, $Item, $One, [string]$Label) {
  $result = $Item.Result
  if ((Read-FlagProperty $Item.Update 'IsDownloaded' $null) -eq $true) { $result.DownloadCode = 2; return $true }
  Write-JobNote ('downloading ' + $Label)
  $downloader = $Work.Session.CreateUpdateDownloader()
  $downloader.Updates = $One
  $own = Read-OwnResult $downloader.Download()
  $result.DownloadCode = $own.Code
  if ($result.DownloadCode -eq 2 -or $result.DownloadCode -eq 3) { return $true }
  Set-Failure $Work $result 'DownloadError' $own.Error 'the download failed'
  return $false
}

function Invoke-InstallOne($Work, $Item, $One, [string]$Label) {
  $result = $Item.Result
  Write-JobNote ('installing ' + $Label)
  $installer = $Work.Session.CreateUpdateInstaller()
  try { $installer.AllowSourcePrompts = $false } catch { [void]$_ }
  try { $installer.ForceQuiet = $true } catch { [void]$_ }
  if ((Read-FlagProperty $installer 'RebootRequiredBeforeInstallation' $null) -eq $true) {
    $Work.IsOver = 'the host must restart first (0x80240016)'
    $result.Words = $Work.IsOver
    return
  }
  $installer.Updates = $One
  $own = Read-OwnResult $installer.Install()
  $result.InstallCode = $own.Code
  $result.NeedsReboot = $own.NeedsReboot
  if ($result.InstallCode -eq 2 -or $alreadyCodes -contains $own.Error) {
    $result.Outcome = $(if ($result.NeedsReboot) { 'pending-reboot' } else { 'installed' })
    if ($Item.IsUpgrade) { Confirm-Upgrade $installer $Item }
    return
  }
  Set-Failure $Work $result 'InstallError' $own.Error $(if ($result.InstallCode -eq 5) { 'it was aborted' } else { 'the installation failed' })
}

# A feature update is applied at the next restart only when it was committed.
function Confirm-Upgrade($Installer, $Item) {
  try { [void]$Installer.Commit(0) } catch {
    $Item.Result.Words = 'it is not committed (' + (Get-ErrorCode $_) + '), so the next restart may not apply it'
    Write-JobLog ($Item.Name + ': ' + $Item.Result.Words)
  }
}

function Set-Failure($Work, $Result, [string]$Field, [string]$Code, [string]$Words) {
  $Result[$Field] = $Code
  $Result.Words = ($Words -replace '[^\x20-\x7e]', '?') + ' (' + $Code + ')'
  $Result.Outcome = $(if ($notNeededCodes -contains $Code) { 'not-applicable' } else { 'failed' })
  if ($shutdownCodes -contains $Code) { $Work.IsOver = 'the host is shutting down (' + $Code + ')' }
}

function New-ItemReport($Item) {
  $result = $Item.Result
  return @{
    name = $Item.Name; id = $Item.Id; revision = $Item.Revision; title = $Item.Title; classification = $Item.Classification
    outcome = $result.Outcome; words = $result.Words; attempts = $result.Attempts; seconds = $result.Seconds
    downloadCode = $result.DownloadCode; downloadError = $result.DownloadError
    installCode = $result.InstallCode; installError = $result.InstallError; needsReboot = $result.NeedsReboot
  }
}
