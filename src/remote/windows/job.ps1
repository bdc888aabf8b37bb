# The detached job: claimed once, started once, followed by byte offset, collected after its result was recorded. Files
# of a job: request, script, claimed, started/state, heartbeat, note, log, result. Nothing here ever ends a running job.

$tombstoneDays = 30
$abandonedDays = 7
# How long one start waits for the runner; the next one waits on.
$startWaitSec = 60
# A busy host takes minutes until a task runs.
$startLimitSec = 300
$jobPattern = '^[a-z0-9][a-z0-9-]{0,79}\z'

# The answer to a request that is not carried out.
function New-Refusal([string]$Code, [string]$Words) { return @{ Code = $Code; Words = $Words } }

function Add-Refusal($Frame, $Refusal) { Add-Section $Frame 'refused' ($Refusal.Code + "`n" + $Refusal.Words + "`n") }

function Get-JobName($Request) {
  $job = Get-Field $Request 'job' ''
  if ($job -cnotmatch $jobPattern) { Stop-WithProblem 'bad-request' 'the request names no job' }
  return $job
}

function Get-TombstonePath([string]$Job) { return [IO.Path]::Combine((Get-BasePath), 'collected', $Job) }

function Initialize-OwnTree {
  $base = Get-BaseDirectory
  foreach ($name in 'jobs', 'collected') { [void][IO.Directory]::CreateDirectory([IO.Path]::Combine($base, $name)) }
}

function Add-Status($Frame, [string]$Job) {
  $directory = Get-JobPath $Job ''
  $phase = Get-JobState $directory
  if ($phase -eq 'absent' -and [IO.Directory]::Exists((Get-TombstonePath $Job))) { $phase = 'collected' }
  $state = Read-Text (Get-StatePath $directory)
  $boot = ''
  if ($null -ne $state) { $boot = $state.Trim().Split(' ')[-1] }
  $lines = ('phase ' + $phase), ('log ' + (Get-LogSize $Job)), ('boot ' + $boot), ('note ' + (Read-Note $Job).Words)
  Add-Section $Frame 'status' (($lines -join "`n") + "`n")
  return $phase
}

function Get-LogSize([string]$Job) {
  $log = New-Object IO.FileInfo((Get-JobPath $Job 'log'))
  if ($log.Exists) { return $log.Length }
  return [long]0
}

function Read-Note([string]$Job) {
  $note = Read-Text (Get-JobPath $Job 'note')
  if ($null -eq $note -or $note -cnotmatch '^([0-9]{1,12}) (.*)') { return @{ SinceSec = [long]0; Words = '' } }
  return @{ SinceSec = [long]$Matches[1]; Words = $Matches[2].Trim() }
}

# What is asked is checked before anything is claimed.
function Test-JobRequest($Request) {
  $kind = Get-Field $Request 'kind' ''
  switch -CaseSensitive ($kind) {
    'install' { if ($Request.Rows.Length -eq 0) { return New-Refusal 'bad-request' 'there is nothing to install' } }
    'hook' {
      $octal = Get-Field $Request 'script' ''
      if ($octal -cnotmatch '^([0-3][0-7][0-7])*\z') { return New-Refusal 'bad-request' 'the script is malformed' }
    }
    'refresh' { }
    'repair' { }
    'restart' { if (-not (Test-ServiceRows $Request.Rows)) { return New-Refusal 'bad-request' 'a row is no service' } }
    'reboot' { }
    default { return New-Refusal 'bad-request' ('there is no job of kind ' + $kind) }
  }
  if (('install', 'refresh', 'repair') -ccontains $kind -and (Get-Field $Request 'manager' '') -cnotmatch '^[a-z][a-z-]{0,39}\z') {
    return New-Refusal 'bad-request' 'the request names no package manager'
  }
  if ((Get-Field $Request 'run' '') -cnotmatch '^[A-Za-z0-9-]+\z') { return New-Refusal 'bad-request' 'the request names no run' }
  return $null
}

# Names of services may have any character but slashes; a wildcard would mean others too.
function Test-ServiceRows($Rows) {
  foreach ($row in $Rows) {
    if ($row.Count -ne 1 -or $row[0] -cnotmatch '^[^\x00-\x1f/\\*?\[\]`]{1,256}\z') { return $false }
  }
  return $true
}

function Start-DetachedJob($Request, $Frame) {
  $job = Get-JobName $Request
  $refusal = Test-JobRequest $Request
  if ($null -eq $refusal) {
    Initialize-OwnTree
    $directory = Get-JobPath $job ''
    $isBuried = -not [IO.Directory]::Exists($directory) -and [IO.Directory]::Exists((Get-TombstonePath $job))
    if (-not $isBuried) { $refusal = Enter-Claim $Request $job $directory }
  }
  if ($null -eq $refusal) { [void](Add-Status $Frame $job) } else { Add-Refusal $Frame $refusal }
}

# Callers queue: the job is there before the record names it, and the record names it before it is started.
function Enter-Claim($Request, [string]$Job, [string]$Directory) {
  $lock = Open-Lock 'start.lock' 60
  if ($null -eq $lock) { return New-Refusal 'disk' 'another start has held the lock for a minute' }
  try {
    $isPrepared = $false
    if (-not [IO.Directory]::Exists($Directory)) {
      $problem = New-JobDirectory $Request $Job $Directory
      if ($problem -ne '') { return New-Refusal 'disk' $problem }
      $isPrepared = $true
    }
    if ((Get-JobState $Directory) -ne 'claimed') { return $null }
    $refusal = Set-Claim $Request $Job
    if ($null -ne $refusal) {
      if ($isPrepared) { [IO.Directory]::Delete($Directory, $true) }
      return $refusal
    }
    if ((Get-Field $Request 'only' '') -ceq 'claim') { return $null }
    $problem = Start-Runner $Job $Directory
    if ($problem -ne '') { return New-Refusal 'task' $problem }
  } finally {
    $lock.Dispose()
  }
  return Wait-Runner $Job $Directory
}

function Set-Claim($Request, [string]$Job) {
  $run = Get-Field $Request 'run' ''
  $fence = Get-NumberField $Request 'fence' 0
  $claim = Read-Claim
  if (Test-ClaimKeepsOut $claim $Job $run $fence) {
    return New-Refusal 'lock-held' ($claim.Run + ' ' + $claim.Job + ' ' + $claim.Controller)
  }
  $record = $run, $Job, (Get-Field $Request 'controller' 'unknown'), $fence
  try { Write-Atomic (Get-ClaimPath) (($record -join ' ') + "`n") } catch {
    return New-Refusal 'disk' ((Get-ClaimPath) + ' cannot be written: ' + $_.Exception.GetBaseException().Message)
  }
  return $null
}

# Prepared aside and moved into place: a job directory is whole or not there.
function New-JobDirectory($Request, [string]$Job, [string]$Directory) {
  $aside = [IO.Path]::Combine((Get-JobsPath), '.' + $Job + '.' + [Guid]::NewGuid().ToString('N').Substring(0, 8))
  $line = 'v1 ' + $Request.Mark + ' run job=' + $Job
  foreach ($name in $Request.Fields.Keys) {
    if (('job', 'only') -cnotcontains $name) { $line += ' ' + $name + '=' + $Request.Fields[$name] }
  }
  $claimed = (Get-BootId) + ' ' + (Get-UptimeSec) + "`n"
  try {
    [void][IO.Directory]::CreateDirectory($aside)
    Write-Atomic ([IO.Path]::Combine($aside, 'request')) ($line + ' -- ' + ($Request.Words -join ' '))
    Write-Atomic ([IO.Path]::Combine($aside, 'script')) $ScriptText
    Write-Atomic ([IO.Path]::Combine($aside, 'claimed')) $claimed
    [IO.File]::WriteAllText([IO.Path]::Combine($aside, 'log'), '')
    Move-Directory $aside $Directory
    return ''
  } catch {
    $words = 'the job cannot be written to ' + (Get-JobsPath) + ': ' + $_.Exception.GetBaseException().Message
    try { [IO.Directory]::Delete($aside, $true) } catch { $null = $_ }
    return $words
  }
}

# A task that waits in the queue or runs is left alone; one that could not be made or run leaves no job behind.
function Start-Runner([string]$Job, [string]$Directory) {
  try {
    if (-not (Test-SystemTask $Job)) { Register-SystemTask $Job $Directory 'PT0S' }
    return ''
  } catch {
    $cause = $_.Exception.GetBaseException()
    [void](Remove-UnstartedJob $Job $Directory)
    return 'the task cannot be started: ' + ('0x{0:X8}' -f $cause.HResult) + ' ' + $cause.Message
  }
}

# The runner's own mark counts: a task that is running is no proof that the script is.
function Wait-Runner([string]$Job, [string]$Directory) {
  $clock = [Diagnostics.Stopwatch]::StartNew()
  while ((Get-JobState $Directory) -eq 'claimed' -and $clock.Elapsed.TotalSeconds -lt $startWaitSec) {
    $problem = Get-TaskProblem $Job $Directory $clock.Elapsed.TotalSeconds
    if ($problem -ne '') {
      if (Remove-UnstartedJob $Job $Directory) { return New-Refusal 'task' $problem }
      return $null
    }
    [Threading.Thread]::Sleep(100)
  }
  return $null
}

# SCHED_S_TASK_READY, _RUNNING, _HAS_NOT_RUN and _QUEUED of winerror.h are no failures.
function Get-TaskProblem([string]$Job, [string]$Directory, [double]$WaitedSec) {
  if ((Get-ClaimAgeSec $Directory) -gt $startLimitSec) { return 'the task did not start within ' + $startLimitSec + ' s' }
  $task = Find-Task $Job
  if ($null -eq $task) { return 'the task is gone' }
  if ((2, 4) -contains [int]$task.State -or $WaitedSec -lt 5) { return '' }
  $failure = Read-RunnerFailure $Directory
  if ($failure -ne '') { return 'the task could not run the job: ' + $failure }
  try { $code = [int]$task.LastTaskResult } catch { return '' }
  if ((0x00041300, 0x00041301, 0x00041303, 0x00041325) -contains $code) { return '' }
  return 'the task ended without starting the job: ' + ('0x{0:X8}' -f $code)
}

# Gone, unless the runner was quicker: then it is put back.
function Remove-UnstartedJob([string]$Job, [string]$Directory) {
  $aside = [IO.Path]::Combine((Get-JobsPath), '.' + $Job + '.' + [Guid]::NewGuid().ToString('N').Substring(0, 8))
  try {
    Move-Directory $Directory $aside
    if ([IO.File]::Exists((Get-StatePath $aside))) {
      Move-Directory $aside $Directory
      return $false
    }
    [IO.Directory]::Delete($aside, $true)
    Remove-Task $Job
    return $true
  } catch {
    return $false
  }
}
