# One scan: what is offered, hidden and installed, with the agent's own account of how it searched.

# Criteria know no KB, severity or date; what is left out by default is judged by the controller, which sees everything.
$offeredCriteria = "IsInstalled=0 and IsHidden=0 and Type='Software'"
$driverCriteria = "IsInstalled=0 and IsHidden=0 and Type='Driver'"
$hiddenCriteria = "IsInstalled=0 and IsHidden=1 and Type='Software'"
$installedCriteria = "IsInstalled=1 and Type='Software'"
# Without a deployment action the agent means installation and keeps optional ones to itself.
$optionalCriteria = "IsInstalled=0 and IsHidden=0 and Type='Software' and DeploymentAction='OptionalInstallation'"

$historyLimit = 60

# The scan of the worker. The first search must succeed; the others only add, and say so when they fail.
function Invoke-Scan($Request) {
  $started = [DateTime]::UtcNow
  $scan = @{
    started = Format-Moment $started
    boot    = Get-BootId
    phase   = 'done'
    wanted  = Get-ScanKey $Request
  }
  $choice = $null
  try {
    $choice = Read-SourceChoice $Request
    $session = New-UpdateSession
    $searcher = New-UpdateSearcher $session $choice
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
  $scan['seconds'] = [int]([DateTime]::UtcNow - $started).TotalSeconds
  return $scan
}

# Scans that ask for the same thing may share an answer.
function Get-ScanKey($Request) {
  $key = ''
  foreach ($name in 'source', 'cab', 'drivers') { $key += $name + '=' + (Get-Field $Request $name '') + ';' }
  return $key
}

function Add-Searches($Scan, $Searcher, $Request) {
  $pauseMs = Get-NumberField $Request 'pause_ms' 20000
  $warnings = New-Object Collections.ArrayList
  $result = Invoke-Search $Searcher $offeredCriteria $pauseMs
  $updates = Read-Result $result $warnings
  $Scan['resultCode'] = Read-NumberProperty $result 'ResultCode' $null
  $extra = @(, @('optional', $optionalCriteria))
  if ((Get-Field $Request 'drivers' '') -eq 'yes') { $extra += , @('drivers', $driverCriteria) }
  $extra += , @('hidden', $hiddenCriteria)
  foreach ($pair in $extra) {
    foreach ($update in (Invoke-ExtraSearch $Searcher $pair $warnings)) { Add-Once $updates $update }
  }
  $Scan['updates'] = $updates
  $Scan['installed'] = Invoke-ExtraSearch $Searcher @('installed', $installedCriteria) $warnings
  $Scan['warnings'] = $warnings
  $Scan['isBlind'] = Test-EmptyObjects $updates
}

function Invoke-ExtraSearch($Searcher, $Pair, $Warnings) {
  try {
    return , (Read-Result $Searcher.Search($Pair[1]) $Warnings)
  } catch {
    [void]$Warnings.Add(@{ context = $Pair[0]; code = Get-ErrorCode $_; message = Get-ErrorWords $_ })
    return , (New-Object Collections.ArrayList)
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
      $entry = $history.Item($index)
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
