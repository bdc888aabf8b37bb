# One scan: what is offered, hidden and installed, with the agent's own account of how it searched.

# Criteria know no KB, severity or date; the controller, which gets everything, decides what is left out by default.
# A part that names no deployment action means installation; stated in each part, since one search contains them all.
$offeredCriteria = "IsInstalled=0 and IsHidden=0 and Type='Software' and DeploymentAction='Installation'"
$driverCriteria = "IsInstalled=0 and IsHidden=0 and Type='Driver' and DeploymentAction='Installation'"
$hiddenCriteria = "IsInstalled=0 and IsHidden=1 and Type='Software' and DeploymentAction='Installation'"
$installedCriteria = "IsInstalled=1 and Type='Software' and DeploymentAction='Installation'"
$optionalCriteria = "IsInstalled=0 and IsHidden=0 and Type='Software' and DeploymentAction='OptionalInstallation'"
# WU_E_INVALID_CRITERIA: an old agent that does not know one of the parts.
$unknownCriteria = '0x80240032'
# OperationResultCode of wuapi.h: not started, in progress, failed, aborted. What was found then is no answer.
$failedResults = 0, 1, 4, 5

$historyLimit = 200

# The scan of the worker. The one search asks the source; with `IsLocal` what is known on the host is judged anew.
function Invoke-Scan($Request, [bool]$IsLocal) {
  $started = [DateTime]::UtcNow
  $scan = @{
    started = Format-Moment $started
    boot    = Get-BootId
    phase   = 'done'
    wanted  = Get-ScanKey $Request
    isLocal = $IsLocal
  }
  $choice = $null
  try {
    $choice = Read-SourceChoice $Request
    $session = New-UpdateSession
    $searcher = New-UpdateSearcher $session $choice
    if ($IsLocal) { $searcher.Online = $false }
    Add-Searches $scan $searcher $Request
    $scan['source'] = Read-SourceUsed $searcher $choice
    $scan['history'] = Read-History $searcher
    $scan['agent'] = Read-Agent
  } catch {
    $scan['failure'] = @{ code = Get-ErrorCode $_; message = Get-ErrorWords $_; phase = 'search' }
  } finally {
    if ($null -ne $choice) { Remove-ScanPackage $choice }
  }
  $scan['finished'] = Format-Moment ([DateTime]::UtcNow)
  # When the source was asked: now, unless a caller who searched on the host alone knows better.
  if (-not $IsLocal) { $scan['fetched'] = $scan['finished'] }
  $scan['seconds'] = [int]([DateTime]::UtcNow - $started).TotalSeconds
  return $scan
}

# Scans that ask for the same thing may share an answer.
function Get-ScanKey($Request) {
  $key = ''
  foreach ($name in 'source', 'cab', 'drivers') { $key += $name + '=' + (Get-Field $Request $name '') + ';' }
  return $key
}

# What a host is asked for in one search: a source is slow, and each search asks it anew.
function Get-SearchParts($Request) {
  $parts = New-Object Collections.ArrayList
  [void]$parts.Add(@('offered', $offeredCriteria))
  [void]$parts.Add(@('optional', $optionalCriteria))
  if ((Get-Field $Request 'drivers' '') -eq 'yes') { [void]$parts.Add(@('drivers', $driverCriteria)) }
  [void]$parts.Add(@('hidden', $hiddenCriteria))
  [void]$parts.Add(@('installed', $installedCriteria))
  return , $parts
}

function Add-Searches($Scan, $Searcher, $Request) {
  $pauseMs = Get-NumberField $Request 'pause_ms' 20000
  $warnings = New-Object Collections.ArrayList
  $found = New-Object Collections.ArrayList
  $parts = Get-SearchParts $Request
  try {
    $result = Invoke-Search $Searcher (@($parts | ForEach-Object { $_[1] }) -join ' or ') $pauseMs
    $Scan['resultCode'] = Read-NumberProperty $result 'ResultCode' $null
    foreach ($update in (Read-Result $result $warnings)) { Add-Once $found $update }
  } catch {
    if ((Get-ErrorCode $_) -ne $unknownCriteria) { throw }
    Add-PartSearches $Scan $Searcher $parts $pauseMs $found $warnings
  }
  $Scan['updates'] = @($found | Where-Object { $_['isInstalled'] -ne $true })
  $Scan['installed'] = @($found | Where-Object { $_['isInstalled'] -eq $true })
  $Scan['warnings'] = $warnings
  $Scan['isBlind'] = Test-EmptyObjects $found
}

# Part by part for an old agent: the first asks the source and must succeed, the others add what is known on the host.
function Add-PartSearches($Scan, $Searcher, $Parts, [int]$PauseMs, $Found, $Warnings) {
  $result = Invoke-Search $Searcher $Parts[0][1] $PauseMs
  $Scan['resultCode'] = Read-NumberProperty $result 'ResultCode' $null
  foreach ($update in (Read-Result $result $Warnings)) { Add-Once $Found $update }
  $Searcher.Online = $false
  for ($at = 1; $at -lt $Parts.Count; $at++) {
    $name = $Parts[$at][0]
    try {
      $result = $Searcher.Search($Parts[$at][1])
      foreach ($update in (Read-Result $result $Warnings)) { Add-Once $Found $update }
      $code = Read-NumberProperty $result 'ResultCode' $null
      if ($code -ne 2) { [void]$Warnings.Add(@{ context = $name; code = ''; message = 'the search ended with result ' + $code }) }
    } catch {
      [void]$Warnings.Add(@{ context = $name; code = Get-ErrorCode $_; message = Get-ErrorWords $_ })
    }
  }
}

function Read-Result($Result, $Warnings) {
  $errors = New-Object Collections.ArrayList
  $updates = New-Object Collections.ArrayList
  foreach ($warning in (Read-Items $Result 'Warnings' $errors)) {
    [void]$Warnings.Add(@{
        context = Read-TextProperty $warning 'Context' $null
        code    = Format-ErrorCode (Read-NumberProperty $warning 'HResult' $null)
        message = Read-TextProperty $warning 'Message' $null
      })
  }
  foreach ($item in (Read-Items $Result 'Updates' $errors)) {
    $record = $null
    try { $record = Read-Update $item } catch { [void]$errors.Add('update ' + (Get-ErrorCode $_)) }
    if ($null -eq $record) { [void]$errors.Add('update without identity') } else { [void]$updates.Add($record) }
  }
  foreach ($words in $errors) { [void]$Warnings.Add(@{ context = 'read'; code = ''; message = $words }) }
  return , $updates
}

function Add-Once($Updates, $Update) {
  foreach ($known in $Updates) { if ($known.id -eq $Update.id -and $known.revision -eq $Update.revision) { return } }
  [void]$Updates.Add($Update)
}

# Builds of mid-2024 gave objects without any content (repaired by KB5040527).
function Test-EmptyObjects($Updates) {
  if ($Updates.Count -eq 0) { return $false }
  foreach ($update in $Updates) { if ($update.title -ne '') { return $false } }
  return $true
}

function Read-SourceUsed($Searcher, $Choice) {
  $serviceId = (Read-TextProperty $Searcher 'ServiceID' $null).ToLowerInvariant()
  $services = New-Object Collections.ArrayList
  try {
    $manager = New-Object -ComObject Microsoft.Update.ServiceManager
    foreach ($service in (Read-Items $manager 'Services' (New-Object Collections.ArrayList))) {
      [void]$services.Add(@{
          id        = (Read-TextProperty $service 'ServiceID' $null).ToLowerInvariant()
          name      = Read-TextProperty $service 'Name' $null
          isManaged = Read-FlagProperty $service 'IsManaged' $null
          isDefault = Read-FlagProperty $service 'IsDefaultAUService' $null
        })
    }
  } catch { [void]$_ }
  return @{
    asked     = $Choice.Source
    cab       = $Choice.Cab
    selection = Read-NumberProperty $Searcher 'ServerSelection' $null
    serviceId = $serviceId
    services  = $services
  }
}

# Throws 0x80240007 where there is none, so the count is asked first.
function Read-History($Searcher) {
  $entries = New-Object Collections.ArrayList
  try {
    $count = [Math]::Min([int]$Searcher.GetTotalHistoryCount(), $historyLimit)
    if ($count -le 0) { return , $entries }
    $history = $Searcher.QueryHistory(0, $count)
    for ($index = 0; $index -lt $count; $index++) {
      try { $entry = $history.Item($index) } catch { continue }
      $identity = Read-Property $entry 'UpdateIdentity' $null
      [void]$entries.Add(@{
          at         = Read-MomentProperty $entry 'Date' $null
          title      = Read-TextProperty $entry 'Title' $null
          operation  = Read-NumberProperty $entry 'Operation' $null
          resultCode = Read-NumberProperty $entry 'ResultCode' $null
          code       = Format-ErrorCode (Read-NumberProperty $entry 'HResult' $null)
          client     = Read-TextProperty $entry 'ClientApplicationID' $null
          id         = (Read-TextProperty $identity 'UpdateID' $null).ToLowerInvariant()
          revision   = Read-NumberProperty $identity 'RevisionNumber' $null
        })
    }
  } catch { [void]$_ }
  return , $entries
}

function Read-Agent {
  $agent = @{ version = ''; lastSearch = $null; lastInstall = $null; rebootRequired = $null }
  try { $agent.version = [string](New-Object -ComObject Microsoft.Update.AgentInfo).GetInfo('ProductVersionString') } catch { [void]$_ }
  try {
    $results = (New-Object -ComObject Microsoft.Update.AutoUpdate).Results
    $agent.lastSearch = Read-MomentProperty $results 'LastSearchSuccessDate' $null
    $agent.lastInstall = Read-MomentProperty $results 'LastInstallationSuccessDate' $null
  } catch { [void]$_ }
  try { $agent.rebootRequired = [bool](New-Object -ComObject Microsoft.Update.SystemInfo).RebootRequired } catch { [void]$_ }
  return $agent
}

# The record as an answer; a search that failed, or that ended as none, is not good for long.
function New-UpdateAnswer($Scan) {
  $isGood = -not $Scan.ContainsKey('failure') -and $failedResults -notcontains $Scan['resultCode']
  return @{ IsGood = $isGood; Fetched = [string]$Scan['fetched']; Json = ConvertTo-PlainJson $Scan }
}

# In a task of SYSTEM.
function Get-UpdateAnswer($Request) {
  $scan = Invoke-Scan $Request $false
  $scan['by'] = 'task'
  return New-UpdateAnswer $scan
}

# A network logon may search, though not more than that; better than nothing where no task can be started.
function Get-InlineUpdates($Request, [string]$Problem) {
  $scan = Invoke-Scan $Request $false
  $scan['by'] = 'session'
  $scan['taskProblem'] = $Problem
  return ConvertTo-PlainJson $scan
}

# Rows are name, update id, revision; any other row is ignored.
function Test-UpdateRows($Rows) {
  foreach ($row in $Rows) {
    if ($row.Count -ne 3) { return $false }
    if ($row[0] -notmatch '^(KB[0-9]{4,9}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})\z') { return $false }
    if ($row[1] -notmatch '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\z') { return $false }
    if ($row[2] -notmatch '^[0-9]{1,9}\z') { return $false }
  }
  return $true
}

$packageManagers['windows-update'] = @{
  Key    = { param($Request) Get-ScanKey $Request }
  Scan   = { param($Request) Get-UpdateAnswer $Request }
  Inline = { param($Request, $Problem) Get-InlineUpdates $Request $Problem }
  Test   = { param($Rows) Test-UpdateRows $Rows }
}
