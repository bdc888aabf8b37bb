# The scan as a task of SYSTEM, which outlives the session that asked for it: one at a time, its answer kept for a while,
# so that a lost connection, a slow source and two controllers cost one search.

$scanTask = 'scan'
$scanLimitMinutes = 120
# How long an answer stands for the host: nothing was installed and no restart happened since.
$freshSec = 90
$simulateFreshSec = 900

function Get-ScanFile {
  $directory = [IO.Path]::Combine((Get-BaseDirectory), 'scan')
  [void][IO.Directory]::CreateDirectory($directory)
  return [IO.Path]::Combine($directory, 'answer.json')
}

# One line for us, then the record: boot, moment, key, how the search ended, when its source was asked. The moment is one of the performance
# counter, which is the same in every process: a whole second is too coarse to say what came before what.
function Save-ScanAnswer($Scan) {
  $isGood = -not $Scan.ContainsKey('failure') -and $failedResults -notcontains $Scan['resultCode']
  $words = $Scan.boot, [Diagnostics.Stopwatch]::GetTimestamp(), $Scan.wanted, $(if ($isGood) { 'good' } else { 'failed' })
  $head = 'v2 ' + ($words -join ' ') + ' ' + [string]$Scan['fetched']
  Write-Atomic (Get-ScanFile) ($head + "`n" + (ConvertTo-PlainJson $Scan))
}

function Remove-ScanAnswer {
  try { [IO.File]::Delete((Get-ScanFile)) } catch { Write-JobLog ('the last scan cannot be removed: ' + (Get-ErrorWords $_)) }
}

function Read-ScanAnswer([string]$Key) {
  try {
    $text = [IO.File]::ReadAllText((Get-ScanFile))
  } catch {
    return $null
  }
  $lineEnd = $text.IndexOf("`n")
  if ($lineEnd -lt 0) { return $null }
  $words = $text.Substring(0, $lineEnd).Split(' ')
  if ($words.Count -ne 6 -or $words[0] -ne 'v2' -or $words[1] -ne (Get-BootId) -or $words[3] -ne $Key) { return $null }
  return @{ At = [long]$words[2]; IsGood = $words[4] -ceq 'good'; Fetched = $words[5]; Json = $text.Substring($lineEnd + 1) }
}

# Whether what was found answers a question asked then: a success may be older than the question, a failure not.
function Test-ScanAnswer($Answer, [long]$AskedAt, [int]$MaxAgeSec) {
  if ($null -eq $Answer) { return $false }
  $since = $AskedAt
  if ($Answer.IsGood) { $since -= $MaxAgeSec * [Diagnostics.Stopwatch]::Frequency }
  return $Answer.At -ge $since
}

# A good answer to the same question that is not older than that, and of this boot; or nothing.
function Read-FreshAnswer($Request, [int]$MaxAgeSec) {
  $answer = Read-ScanAnswer (Get-ScanKey $Request)
  if ($null -eq $answer -or -not $answer.IsGood) { return $null }
  if (Test-ScanAnswer $answer ([Diagnostics.Stopwatch]::GetTimestamp()) $MaxAgeSec) { return $answer }
  return $null
}

# Runs as SYSTEM. What it was asked by is of no use to anybody afterwards.
function Invoke-ScanWorker($Request) {
  try {
    $scan = Invoke-Scan $Request $false
    $scan['by'] = 'task'
    Add-ThirdParty $scan $Request
    Save-ScanAnswer $scan
  } finally {
    $directory = [IO.Path]::Combine((Get-BasePath), $scanTask)
    foreach ($name in 'request', 'script') { try { [IO.File]::Delete([IO.Path]::Combine($directory, $name)) } catch { $null = $_ } }
  }
}

function Add-ThirdParty($Scan, $Request) {
  if ((Get-Field $Request 'third_party' '') -eq 'no' -or $Scan.ContainsKey('failure')) { return }
  $Scan['thirdParty'] = Get-ThirdParty
}

# The record as JSON; one that says `running` where the search takes longer than the caller can wait.
function Get-ScanJson($Request, [int]$MaxAgeSec) {
  $key = Get-ScanKey $Request
  $askedAt = [Diagnostics.Stopwatch]::GetTimestamp()
  $answer = Read-ScanAnswer $key
  if (Test-ScanAnswer $answer $askedAt $MaxAgeSec) { return $answer.Json }
  $clock = [Diagnostics.Stopwatch]::StartNew()
  $limit = Get-NumberField $Request 'wait' 240
  $problem = ''
  $hasRestarted = $false
  $isStarted = Test-SystemTask $scanTask
  if (-not $isStarted) { $problem = Start-ScanTask $Request; $isStarted = $problem -eq '' }
  if (-not $isStarted) { return Get-InlineScan $Request $problem }
  while ($clock.Elapsed.TotalSeconds -lt $limit) {
    $answer = Read-ScanAnswer $key
    if (Test-ScanAnswer $answer $askedAt $MaxAgeSec) { return $answer.Json }
    if (-not (Test-SystemTask $scanTask)) {
      # It may have written its answer between the two looks.
      $answer = Read-ScanAnswer $key
      if (Test-ScanAnswer $answer $askedAt $MaxAgeSec) { return $answer.Json }
      # What ran was a search for something else, or it died: once more, not for ever.
      if ($hasRestarted) { break }
      $hasRestarted = $true
      $problem = Start-ScanTask $Request
      if ($problem -ne '') { return Get-InlineScan $Request $problem }
    }
    [Threading.Thread]::Sleep(250)
  }
  $phase = $(if (Test-SystemTask $scanTask) { 'running' } else { 'lost' })
  $why = Read-RunnerFailure ([IO.Path]::Combine((Get-BasePath), $scanTask))
  return ConvertTo-PlainJson @{ phase = $phase; seconds = [int]$clock.Elapsed.TotalSeconds; why = $why }
}

function Start-ScanTask($Request) {
  try {
    Start-SystemTask $scanTask (Get-WorkerLine $Request) $scanLimitMinutes
    return ''
  } catch {
    return (Get-ErrorCode $_) + ' ' + (Get-ErrorWords $_)
  }
}

# What the probe was asked, as a request to the worker: the same alphabet, so that nothing has to be quoted.
function Get-WorkerLine($Request) {
  $line = 'v1 ' + $Request.Mark + ' scan-worker'
  foreach ($name in 'source', 'cab', 'drivers', 'third_party', 'pause_ms') {
    $value = (Get-Field $Request $name '')
    if ($value -ne '') { $line += ' ' + $name + '=' + $value }
  }
  return $line + ' --'
}

# A network logon may search, though not more than that; better than nothing where no task can be started.
function Get-InlineScan($Request, [string]$Problem) {
  $scan = Invoke-Scan $Request $false
  $scan['by'] = 'session'
  $scan['taskProblem'] = $Problem
  return ConvertTo-PlainJson $scan
}
