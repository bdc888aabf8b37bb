# What managers of software beside Windows have in common. Runs as SYSTEM: winget does not start in a network logon. What
# they print is read by the controller; nothing localised is parsed here.

# All the lists of one scan together; what has not arrived by then is missing, and the scan reports it.
$listLimitSec = 180
$script:listClock = $null
# One package; what installs is not ended halfway.
$upgradeLimitSec = 3600

# Its lists as an answer; one that cannot be queried reports the reason and does not affect the others.
function Get-SoftwareAnswer([string]$Name) {
  $state = @{ phase = 'absent' }
  try {
    $path = & $packageManagers[$Name]['Find']
    if ($path -ne '') {
      $state = & $packageManagers[$Name]['List'] $path
      $state['phase'] = 'done'
    }
  } catch {
    $state = @{ phase = 'failed'; why = Get-ErrorWords $_ }
  }
  $isGood = $state['phase'] -cne 'failed' -and $state['listTimedOut'] -ne $true -and $state['outdatedTimedOut'] -ne $true
  return @{ IsGood = $isGood; Fetched = ''; Json = ConvertTo-PlainJson $state }
}

# A program that only lists, ended where it takes more than what is left of the time for all of them.
function Invoke-List([string]$Path, [string]$Arguments, [Text.Encoding]$Encoding) {
  if ($null -eq $script:listClock) { $script:listClock = [Diagnostics.Stopwatch]::StartNew() }
  $left = [int]($listLimitSec - $script:listClock.Elapsed.TotalSeconds)
  if ($left -le 0) { return @{ ExitCode = -1; Output = ''; TimedOut = $true } }
  return Invoke-Native $Path $Arguments $left $Encoding $true
}

function New-ListState($Version, $Installed, $Outdated) {
  return @{
    version = $Version.Output.Trim(); installed = $Installed.Output; outdated = $Outdated.Output
    listCode = $Installed.ExitCode; outdatedCode = $Outdated.ExitCode
    listTimedOut = $Installed.TimedOut; outdatedTimedOut = $Outdated.TimedOut; limit = $listLimitSec
  }
}

# Rows are name and version. A word of another alphabet could be an option or a command of its own.
function Test-SoftwareRows($Rows) {
  foreach ($row in $Rows) {
    if ($row.Count -ne 2) { return $false }
    foreach ($word in $row) { if ($word -cnotmatch '^[A-Za-z0-9][A-Za-z0-9._+-]{0,199}\z') { return $false } }
  }
  return $true
}
