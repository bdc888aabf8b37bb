# Which of the offered updates were asked for, and in which batches they go in.

# The live objects of the asked rows: the agent installs objects, not names. An update that cannot be read is passed by.
# Where the source was asked a short while ago the host itself knows them; it is asked anew for what is missing then.
function Find-Asked($Session, $Request, $Rows, [bool]$IsRecent) {
  $choice = Read-SourceChoice $Request
  $pauseMs = Get-NumberField $Request 'pause_ms' 20000
  $known = @{ Found = New-Object Collections.ArrayList; Installed = @{}; Renewed = @{} }
  $isLocal = $IsRecent -and $choice.Cab -eq ''
  try {
    $searcher = New-UpdateSearcher $Session $choice
    if ($isLocal) {
      $searcher.Online = $false
      Add-Asked $known (Invoke-Search $searcher (Get-AskedCriteria) $pauseMs) $Rows
    }
    $missing = @(Get-Missing $known $Rows | Where-Object { -not $_.IsInstalled })
    if (-not $isLocal -or $missing.Count -gt 0) {
      $searcher.Online = $true
      Add-Asked $known (Invoke-Search $searcher (Get-AskedCriteria) $pauseMs) $Rows
    }
  } finally {
    # The scan package must stay while its updates are installed; the caller removes it.
    $script:scanPackage = $choice
  }
  return @{ Found = $known.Found; Missing = @(Get-Missing $known $Rows) }
}

# All that a row may name, and what is installed, in one search.
function Get-AskedCriteria {
  return ($offeredCriteria, $optionalCriteria, $driverCriteria, $hiddenCriteria, $installedCriteria) -join ' or '
}

# IsRenewed: a definition that its publisher has replaced since, as happens several times a day.
function Get-Missing($Known, $Rows) {
  $keys = @{}
  foreach ($item in $Known.Found) { $keys[$item.Key] = $true }
  foreach ($row in $Rows) {
    $key = Get-RowKey $row
    if ($keys.ContainsKey($key)) { continue }
    @{ Row = $row; Key = $key; IsInstalled = $Known.Installed.ContainsKey($key); IsRenewed = $Known.Renewed.ContainsKey($row[0]) }
  }
}

function Get-RowKey($Row) { return $Row[1] + '.' + $Row[2] }

function Get-UpdateKey($Update) {
  try {
    $identity = $Update.Identity
    return ([string]$identity.UpdateID).ToLowerInvariant() + '.' + [string]$identity.RevisionNumber
  } catch {
    return ''
  }
}

function Add-Asked($Known, $Result, $Rows) {
  $there = @{}
  foreach ($item in $Known.Found) { $there[$item.Key] = $true }
  foreach ($update in (Read-Items $Result 'Updates' $null)) {
    $key = Get-UpdateKey $update
    if ($key -eq '' -or $there.ContainsKey($key)) { continue }
    Add-Definition $Known $update
    if ((Read-FlagProperty $update 'IsInstalled' $null) -eq $true) {
      $Known.Installed[$key] = $true
      continue
    }
    foreach ($row in $Rows) {
      if ((Get-RowKey $row) -ne $key) { continue }
      $there[$key] = $true
      [void]$Known.Found.Add((New-Asked $row $key $update))
    }
  }
}

# The KB numbers under which definitions are on offer, or in.
function Add-Definition($Known, $Update) {
  if ((Get-Classification (Read-Categories $Update $null)) -ne 'definition') { return }
  foreach ($kb in (Read-Words $Update 'KBArticleIDs' $null)) { $Known.Renewed['KB' + ($kb -replace '^KB', '')] = $true }
}

function New-Asked($Row, [string]$Key, $Update) {
  $record = Read-Update $Update
  # Its identity was readable a moment ago; without the rest it still is what was asked for.
  if ($null -eq $record) { $record = @{ title = ''; classification = 'unknown'; sizeMax = $null } }
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
