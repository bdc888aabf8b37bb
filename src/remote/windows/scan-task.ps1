# The scan as a task of SYSTEM, which outlives the session that asked for it: one at a time, the answer of each package
# manager kept for a while, so that a lost connection, a slow source and two controllers cost one search.

$scanTask = 'scan'
$scanLimitMinutes = 120
# How long an answer stands for the host: nothing was installed and no restart happened since.
$freshSec = 90
$simulateFreshSec = 900

function Get-ScanDirectory {
  $directory = [IO.Path]::Combine((Get-BaseDirectory), 'scan')
  [void][IO.Directory]::CreateDirectory($directory)
  return $directory
}

function Get-ScanFile([string]$Name) { return [IO.Path]::Combine((Get-ScanDirectory), $Name + '.json') }

function Get-AnswerKey([string]$Name, $Request) { return & $packageManagers[$Name]['Key'] $Request }

# One line for us, then the record: boot, moment, key, how the search ended, when its source was asked. The moment is one
# of the performance counter, which is the same in every process: a whole second is too coarse to order events.
function Save-ScanAnswer([string]$Name, $Request, $Answer) {
  $words = (Get-BootId), [Diagnostics.Stopwatch]::GetTimestamp(), (Get-AnswerKey $Name $Request), $(if ($Answer.IsGood) { 'good' } else { 'failed' })
  $head = 'v3 ' + ($words -join ' ') + ' ' + [string]$Answer.Fetched
  Write-Atomic (Get-ScanFile $Name) ($head + "`n" + $Answer.Json)
}

# Of every package manager: what one installs may be in the list of another.
function Remove-ScanAnswers {
  try {
    foreach ($path in [IO.Directory]::GetFiles((Get-ScanDirectory), '*.json')) { [IO.File]::Delete($path) }
  } catch { Write-JobLog ('the last scan cannot be removed: ' + (Get-ErrorWords $_)) }
}

function Read-ScanAnswer([string]$Name, $Request) {
  try {
    $text = [IO.File]::ReadAllText((Get-ScanFile $Name))
  } catch {
    return $null
  }
  $lineEnd = $text.IndexOf("`n")
  if ($lineEnd -lt 0) { return $null }
  $words = $text.Substring(0, $lineEnd).Split(' ')
  if ($words.Count -ne 6 -or $words[0] -ne 'v3' -or $words[1] -ne (Get-BootId) -or $words[3] -ne (Get-AnswerKey $Name $Request)) { return $null }
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
function Read-FreshAnswer([string]$Name, $Request, [int]$MaxAgeSec) {
  $answer = Read-ScanAnswer $Name $Request
  if ($null -eq $answer -or -not $answer.IsGood) { return $null }
  if (Test-ScanAnswer $answer ([Diagnostics.Stopwatch]::GetTimestamp()) $MaxAgeSec) { return $answer }
  return $null
}

# Runs as SYSTEM. What it was asked by is of no use to anybody afterwards.
function Invoke-ScanWorker($Request) {
  try {
    if (Test-SoftwareIsAsked $Request) { Write-Atomic (Get-FindsPath) ((Get-OwnFinds) -join ' ') }
    foreach ($name in (Get-WantedManagers $Request @())) {
      $answer = & $packageManagers[$name]['Scan'] $Request
      Save-ScanAnswer $name $Request $answer
      # Whoever waits gets it at once.
      if (Test-EndsScan $name $answer) { return }
    }
  } finally {
    $directory = [IO.Path]::Combine((Get-BasePath), $scanTask)
    foreach ($name in 'request', 'script') { try { [IO.File]::Delete([IO.Path]::Combine($directory, $name)) } catch { $null = $_ } }
  }
}

# Where the search of Windows Update failed the scan has failed, whatever else there is.
function Test-EndsScan([string]$Name, $Answer) { return $Name -ceq 'windows-update' -and -not $Answer.IsGood }

# JSON by the name of the package manager; one with `running` where it takes longer than the caller can wait.
function Get-ScanAnswers($Request, [string[]]$Names, [int]$MaxAgeSec) {
  $round = @{ Request = $Request; Names = $Names; AskedAt = [Diagnostics.Stopwatch]::GetTimestamp(); MaxAgeSec = $MaxAgeSec; Found = @{} }
  if (Read-Answers $round) { return $round.Found }
  $clock = [Diagnostics.Stopwatch]::StartNew()
  $limit = Get-NumberField $Request 'wait' 240
  $problem = ''
  $hasRestarted = $false
  if (-not (Test-SystemTask $scanTask)) { $problem = Start-ScanTask $round }
  while ($problem -eq '' -and $clock.Elapsed.TotalSeconds -lt $limit) {
    $isAtWork = Test-SystemTask $scanTask
    # After the check whether it runs: it may write its answer between the two checks.
    if (Read-Answers $round) { return $round.Found }
    if (-not $isAtWork) {
      # What ran was a search for something else, or it died: once more, not for ever.
      if ($hasRestarted) { break }
      $hasRestarted = $true
      $problem = Start-ScanTask $round
    }
    [Threading.Thread]::Sleep(250)
  }
  foreach ($name in (Get-Unanswered $round)) { $round.Found[$name] = Get-Substitute $name $round $problem $clock }
  return $round.Found
}

# Whether every answer is there; those that are stay as they are.
function Read-Answers($Round) {
  foreach ($name in (Get-Unanswered $Round)) {
    $answer = Read-ScanAnswer $name $Round.Request
    if (-not (Test-ScanAnswer $answer $Round.AskedAt $Round.MaxAgeSec)) { continue }
    $Round.Found[$name] = $answer.Json
    if (Test-EndsScan $name $answer) { return $true }
  }
  return (Get-Unanswered $Round).Length -eq 0
}

function Get-Unanswered($Round) { return , @($Round.Names | Where-Object { -not $Round.Found.ContainsKey($_) }) }

# The error in place of an answer that did not arrive.
function Get-Substitute([string]$Name, $Round, [string]$Problem, $Clock) {
  if ($Problem -eq '') {
    $phase = $(if (Test-SystemTask $scanTask) { 'running' } else { 'lost' })
    $why = Read-RunnerFailure ([IO.Path]::Combine((Get-BasePath), $scanTask))
    return ConvertTo-PlainJson @{ phase = $phase; seconds = [int]$Clock.Elapsed.TotalSeconds; why = $why }
  }
  if ($packageManagers[$Name].ContainsKey('Inline')) { return & $packageManagers[$Name]['Inline'] $Round.Request $Problem }
  return ConvertTo-PlainJson @{ phase = 'failed'; why = 'no task could be started as SYSTEM: ' + $Problem }
}

function Start-ScanTask($Round) {
  try {
    Start-SystemTask $scanTask (Get-WorkerLine $Round) $scanLimitMinutes
    return ''
  } catch {
    return (Get-ErrorCode $_) + ' ' + (Get-ErrorWords $_)
  }
}

# What the probe was asked, as a request to the worker: the same alphabet, so that nothing has to be quoted.
function Get-WorkerLine($Round) {
  $line = 'v1 ' + $Round.Request.Mark + ' scan-worker managers=' + ((Get-Unanswered $Round) -join ',')
  foreach ($name in 'source', 'cab', 'drivers', 'software', 'pause_ms') {
    $value = (Get-Field $Round.Request $name '')
    if ($value -ne '') { $line += ' ' + $name + '=' + $value }
  }
  return $line + ' --'
}
