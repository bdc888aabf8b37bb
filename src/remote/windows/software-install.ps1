# Installing software by any manager of it: the same rules for each.

# Installs exactly the asked versions, one by one, and reads back what is there.
function Install-Software($Request) {
  $name = Get-Field $Request 'manager' ''
  if ($Request.Rows.Length -eq 0 -or -not (Test-SoftwareRows $Request.Rows)) {
    return New-JobAnswer 'bad-request' 1 'a row is not name and version'
  }
  if ((Get-Field $Request 'mode' '') -ne '') { return New-JobAnswer 'bad-request' 1 ($Name + ' cannot download ahead') }
  $shortage = Get-DiskShortage
  if ($shortage -ne '') { return New-JobAnswer 'disk' 0 $shortage }
  if (-not (Wait-WindowsInstaller (Get-NumberField $Request 'lock_wait' 600))) {
    return New-JobAnswer 'locked' 1 'Windows Installer is running'
  }
  try { $path = & $packageManagers[$Name]['Find'] } catch { return New-JobAnswer 'broken-before' 1 (Get-ErrorWords $_) }
  if ($path -eq '') { return New-JobAnswer 'broken-before' 1 ($Name + ' is not there any more') }
  Remove-ScanAnswers
  $started = [DateTime]::UtcNow
  $items = Install-SoftwareRows $Name $path $Request
  Write-JobNote 'listing what is installed now'
  $after = Get-SoftwareAnswer $Name
  try { Save-ScanAnswer $Name $Request $after } catch { Write-JobLog ('the lists cannot be kept: ' + (Get-ErrorWords $_)) }
  $report = @{ manager = $Name; started = Format-Moment $started; finished = Format-Moment ([DateTime]::UtcNow); items = $items }
  return Get-SoftwareJobAnswer $items @{ results = ConvertTo-PlainJson $report; after = $after.Json }
}

function Get-SoftwareJobAnswer($Items, $Sections) {
  $bad = @($Items | Where-Object { $_['outcome'] -cne 'installed' })
  if ($bad.Count -eq 0) { return New-JobAnswer 'ok' 0 '' $Sections }
  $words = @($bad | ForEach-Object {
      $_['name'] + ' ' + $_['outcome'] + $(if ($_['words'] -ne '') { ' (' + $_['words'] + ')' } else { ' with status ' + $_['code'] })
    })
  return New-JobAnswer 'failed' 1 ($words -join '; ') $Sections
}

function Wait-WindowsInstaller([long]$LimitSec) {
  $clock = [Diagnostics.Stopwatch]::StartNew()
  while (Test-InstallerMutex) {
    if ($clock.Elapsed.TotalSeconds -ge $LimitSec) { return $false }
    Write-JobNote 'waiting for another installation to end'
    [Threading.Thread]::Sleep(2000)
  }
  return $true
}

# Whatever they print goes into the log.
function Install-SoftwareRows([string]$Name, [string]$Path, $Request) {
  $clock = [Diagnostics.Stopwatch]::StartNew()
  $limit = Get-NumberField $Request 'limit' 0
  $items = New-Object Collections.ArrayList
  foreach ($row in $Request.Rows) {
    $item = @{ name = $row[0]; version = $row[1]; code = 0; outcome = 'not-attempted'; words = ''; needsReboot = $false }
    [void]$items.Add($item)
    if ($limit -gt 0 -and $clock.Elapsed.TotalSeconds -ge $limit) {
      $item['words'] = 'the time for the installation is over'
      continue
    }
    Write-JobNote ('installing ' + $row[0] + ' ' + $row[1] + ' by ' + $Name)
    Install-SoftwareRow $packageManagers[$Name] $Path $row $item
    Write-JobLog ($row[0] + ' ' + $row[1] + ': ' + $item['outcome'])
  }
  return , $items
}

function Install-SoftwareRow($Manager, [string]$Path, $Row, $Item) {
  $Item['outcome'] = 'failed'
  try {
    $done = & $Manager['Upgrade'] $Path $Row[0] $Row[1]
    Write-JobLog $done.Output
    if ($done.TimedOut) {
      $Item['words'] = 'it did not end within ' + $upgradeLimitSec + ' s'
      return
    }
    $Item['code'] = [int]$done.ExitCode
    $Item['needsReboot'] = $Manager['RebootCodes'] -contains $done.ExitCode
    if ($Manager['GoodCodes'] -contains $done.ExitCode) { $Item['outcome'] = 'installed' }
  } catch {
    $Item['words'] = (Get-ErrorWords $_) -replace '[^\x20-\x7e]', '?'
  }
}

foreach ($manager in @($packageManagers.Values)) {
  if ($manager.ContainsKey('Upgrade')) { $manager['Install'] = { param($Request) Install-Software $Request } }
}
