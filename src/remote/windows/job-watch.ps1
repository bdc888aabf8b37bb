# What is asked of a job after its start: news, and its end.

# Waits for news, at most `wait` seconds: more log than `offset`, another note, or the end. Whether the process still
# lives is checked now and then only.
function Watch-Job($Request, $Frame) {
  $job = Get-JobName $Request
  $offset = Get-NumberField $Request 'offset' 0
  $limit = [Math]::Min([long]60, (Get-NumberField $Request 'wait' 0))
  $before = Read-Note $job
  # A note of this moment may be news to who asks.
  if ($before.SinceSec + 3 -ge (Get-UptimeSec)) { $limit = [Math]::Min([long]2, $limit) }
  $clock = [Diagnostics.Stopwatch]::StartNew()
  $directory = Get-JobPath $job ''
  for ($looks = 0; $clock.Elapsed.TotalSeconds -lt $limit; $looks++) {
    if ([IO.File]::Exists((Get-JobPath $job 'result'))) { break }
    if ($looks % 10 -eq 0 -and (Get-JobState $directory) -ne 'running') { break }
    if ((Get-LogSize $job) -gt $offset -or (Read-Note $job).Words -cne $before.Words) { break }
    [Threading.Thread]::Sleep(400)
  }
  $phase = Add-Status $Frame $job
  $log = Read-Bytes (Get-JobPath $job 'log') $offset ([int](Get-NumberField $Request 'max' 65536))
  if ($null -eq $log) { $log = [byte[]]@() }
  Add-ByteSection $Frame 'log' $log
  if ($phase -ne 'done') { return }
  $result = Read-Bytes (Get-JobPath $job 'result') 0 16777216
  if ($null -ne $result) { Add-ByteSection $Frame 'result' $result }
}

# Gone with all its files but an empty directory of its name, which keeps an older copy of a ledger from starting it
# again. The move needs no room on a full disk.
function Remove-JobFiles([string]$Job) {
  $grave = Get-TombstonePath $Job
  try {
    if ([IO.Directory]::Exists($grave)) { [IO.Directory]::Delete($grave, $true) }
    Move-Directory (Get-JobPath $Job '') $grave
  } catch {
    return $false
  }
  $info = New-Object IO.DirectoryInfo($grave)
  foreach ($entry in $info.GetFileSystemInfos()) {
    try { if ($entry -is [IO.DirectoryInfo]) { $entry.Delete($true) } else { $entry.Delete() } } catch { $null = $_ }
  }
  try { [IO.Directory]::SetLastWriteTimeUtc($grave, [DateTime]::UtcNow) } catch { $null = $_ }
  return $true
}

# The record that guards the host, where it is that of this job.
function Clear-ClaimOf([string]$Job) {
  $claim = Read-Claim
  if ($null -ne $claim -and $claim.Job -ceq $Job) { [IO.File]::Delete((Get-ClaimPath)) }
}

function Clear-Job($Request, $Frame) {
  $job = Get-JobName $Request
  Initialize-OwnTree
  $phase = Get-JobState (Get-JobPath $job '')
  $refusal = $null
  if ($phase -eq 'running') {
    $refusal = New-Refusal 'running' ($job + ' is still running')
  } elseif ($phase -ne 'absent') {
    Remove-Task $job
    if (-not (Remove-JobFiles $job)) { $refusal = New-Refusal 'disk' ((Get-JobPath $job '') + ' cannot be removed') }
  }
  if ($null -ne $refusal) {
    Add-Refusal $Frame $refusal
    return
  }
  Clear-ClaimOf $job
  Remove-OldDirectories ([IO.Path]::Combine((Get-BasePath), 'collected')) $tombstoneDays
  [void](Add-Status $Frame $job)
}

function Remove-OldDirectories([string]$Path, [int]$Days) {
  foreach ($info in (New-Object IO.DirectoryInfo($Path)).GetDirectories()) {
    if ($info.LastWriteTimeUtc -lt [DateTime]::UtcNow.AddDays(-$Days)) { try { $info.Delete($true) } catch { $null = $_ } }
  }
}

# Jobs of other runs that are over, or were never begun, and that nobody came back for; with `over` all of the run that
# are over, however young. Tasks without a job go too.
function Clear-OldJobs($Request, $Frame) {
  Initialize-OwnTree
  $own = Get-Field $Request 'own' 'none'
  $isOver = (Get-Field $Request 'over' 'no') -ceq 'yes'
  $swept = New-Object Collections.ArrayList
  foreach ($info in (New-Object IO.DirectoryInfo((Get-JobsPath))).GetDirectories()) {
    $name = $info.Name
    $isOld = $info.LastWriteTimeUtc -lt [DateTime]::UtcNow.AddDays(-$abandonedDays)
    if ($name.StartsWith('.')) {
      if ($info.LastWriteTimeUtc -lt [DateTime]::UtcNow.AddDays(-1)) { try { $info.Delete($true) } catch { $null = $_ } }
      continue
    }
    if ($name.StartsWith($own + '-', [StringComparison]::Ordinal)) { if (-not $isOver) { continue } } elseif (-not $isOld) { continue }
    if ($name -cnotmatch $jobPattern -or (Get-JobState $info.FullName) -eq 'running') { continue }
    Remove-Task $name
    if (-not (Remove-JobFiles $name)) { continue }
    [void]$swept.Add($name)
    Clear-ClaimOf $name
  }
  Remove-OrphanTasks
  Add-Section $Frame 'swept' (($swept.ToArray() -join "`n") + "`n")
}

# Under the lock of a start: a job directory is there before its task is.
function Remove-OrphanTasks {
  $lock = Open-Lock 'start.lock' 10
  if ($null -eq $lock) { return }
  try {
    foreach ($name in Get-TaskNames) {
      if ($name -cmatch $jobPattern -and $name.Contains('-') -and -not [IO.Directory]::Exists((Get-JobPath $name ''))) {
        if (-not (Test-SystemTask $name)) { Remove-Task $name }
      }
    }
  } finally {
    $lock.Dispose()
  }
}
