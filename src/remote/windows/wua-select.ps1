# Which of the offered updates were asked for, and in which batches they go in.

# Rows are name, update id, revision; anything else is no row of ours.
function Test-UpdateRows($Rows) {
  foreach ($row in $Rows) {
    if ($row.Count -ne 3) { return $false }
    if ($row[1] -notmatch '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$') { return $false }
    if ($row[2] -notmatch '^[0-9]{1,9}$') { return $false }
  }
  return $true
}

# The live objects of the asked rows: the agent installs objects, not names. An update that cannot be read is passed by.
function Find-Asked($Session, $Request, $Rows) {
  $choice = Read-SourceChoice $Request
  $found = New-Object Collections.ArrayList
  $installed = @{}
  try {
    $searcher = New-UpdateSearcher $Session $choice
    $result = Invoke-Search $searcher $offeredCriteria (Get-NumberField $Request 'pause_ms' 20000)
    Add-Asked $found $result $Rows
    if ($found.Count -lt $Rows.Count) { Add-MoreAsked $found $searcher $Rows }
    if ($found.Count -lt $Rows.Count) { Add-InstalledKeys $installed $searcher }
  } finally {
    # The scan package must stay while its updates are at work; who asked for it removes it.
    $script:scanPackage = $choice
  }
  $missing = New-Object Collections.ArrayList
  foreach ($row in $Rows) {
    $key = Get-RowKey $row
    $isFound = $false
    foreach ($item in $found) { if ($item.Key -eq $key) { $isFound = $true } }
    if (-not $isFound) { [void]$missing.Add(@{ Row = $row; Key = $key; IsInstalled = $installed.ContainsKey($key) }) }
  }
  return @{ Found = $found; Missing = $missing }
}

function Get-RowKey($Row) { return $Row[1] + '.' + $Row[2] }

# Optional ones, drivers and hidden ones are searched for only where a row is still without its update.
function Add-MoreAsked($Found, $Searcher, $Rows) {
  foreach ($criteria in $optionalCriteria, $driverCriteria, $hiddenCriteria) {
    if ($Found.Count -ge $Rows.Count) { return }
    try { Add-Asked $Found $Searcher.Search($criteria) $Rows } catch { Write-JobLog ('search: ' + (Get-ErrorCode $_)) }
  }
}

function Add-InstalledKeys($Keys, $Searcher) {
  try {
    $updates = $Searcher.Search($installedCriteria).Updates
    for ($index = 0; $index -lt $updates.Count; $index++) {
      $key = Get-UpdateKey $updates.Item($index)
      if ($key -ne '') { $Keys[$key] = $true }
    }
  } catch { Write-JobLog ('search of installed updates: ' + (Get-ErrorCode $_)) }
}

function Get-UpdateKey($Update) {
  try {
    $identity = $Update.Identity
    return ([string]$identity.UpdateID).ToLowerInvariant() + '.' + [string]$identity.RevisionNumber
  } catch {
    return ''
  }
}

function Add-Asked($Found, $Result, $Rows) {
  $updates = $Result.Updates
  $known = @{}
  foreach ($item in $Found) { $known[$item.Key] = $true }
  for ($index = 0; $index -lt $updates.Count; $index++) {
    $update = $updates.Item($index)
    $key = Get-UpdateKey $update
    if ($known.ContainsKey($key)) { continue }
    foreach ($row in $Rows) {
      if ((Get-RowKey $row) -ne $key) { continue }
      $known[$key] = $true
      [void]$Found.Add((New-Asked $row $key $update))
    }
  }
}

function New-Asked($Row, [string]$Key, $Update) {
  $record = Read-Update $Update
  return @{
    Name           = $Row[0]
    Key            = $Key
    Id             = $Row[1]
    Revision       = [long]$Row[2]
    Update         = $Update
    Title          = $record.title
    Classification = $record.classification
    IsExclusive    = $record['impact'] -eq 2
    IsStack        = $record.title -match 'Servicing Stack'
    IsDownloaded   = $record['isDownloaded'] -eq $true
    IsPending      = $record['rebootRequired'] -eq $true
    IsUpgrade      = $record.classification -eq 'upgrade'
    Size           = $record.sizeMax
    Result         = New-Result
  }
}

# Codes of OperationResultCode: 0 not started, 1 in progress, 2 succeeded, 3 with errors, 4 failed, 5 aborted.
function New-Result {
  return @{
    Attempts = 0; DownloadCode = 0; DownloadError = ''; InstallCode = 0; InstallError = ''
    NeedsReboot = $false; Seconds = 0; Outcome = 'not-attempted'; Words = ''
  }
}

# Servicing stack first, definitions and small ones, then the rest; exclusive ones each alone, upgrades last.
function Split-Batches($Asked) {
  $stack = @(); $definitions = @(); $normal = @(); $alone = @(); $upgrades = @()
  foreach ($item in $Asked) {
    if ($item.IsUpgrade) { $upgrades += $item }
    elseif ($item.IsStack) { $stack += $item }
    elseif ($item.IsExclusive) { $alone += $item }
    elseif ($item.Classification -eq 'definition') { $definitions += $item }
    else { $normal += $item }
  }
  $batches = New-Object Collections.ArrayList
  if ($stack.Count -gt 0) { [void]$batches.Add(@{ Name = 'servicing stack'; Items = $stack }) }
  if ($definitions.Count -gt 0) { [void]$batches.Add(@{ Name = 'definitions'; Items = $definitions }) }
  if ($normal.Count -gt 0) { [void]$batches.Add(@{ Name = 'updates'; Items = $normal }) }
  foreach ($item in $alone) { [void]$batches.Add(@{ Name = 'exclusive'; Items = @(, $item) }) }
  foreach ($item in $upgrades) { [void]$batches.Add(@{ Name = 'feature update'; Items = @(, $item) }) }
  return , $batches
}
