# Who has the host. One run has it at a time: the record names run, job, controller and fencing number; one whose job is
# over, unknown or of an earlier boot is nobody's.

$claimPatienceSec = 600
# A heartbeat older than this is none.
$heartbeatSec = 90

function Get-JobsPath { return [IO.Path]::Combine((Get-BasePath), 'jobs') }

function Get-JobPath([string]$Job, [string]$File) {
  $path = [IO.Path]::Combine((Get-JobsPath), $Job)
  if ($File -eq '') { return $path }
  return [IO.Path]::Combine($path, $File)
}

function Get-ClaimPath { return [IO.Path]::Combine((Get-BasePath), 'active') }

function Get-StatePath([string]$Directory) { return [IO.Path]::Combine($Directory, 'started', 'state') }

# absent, claimed, running, done, crashed or interrupted.
function Get-JobState([string]$Directory) {
  if (-not [IO.Directory]::Exists($Directory)) { return 'absent' }
  $result = [IO.Path]::Combine($Directory, 'result')
  if ([IO.File]::Exists($result)) { return 'done' }
  $state = Read-Text (Get-StatePath $Directory)
  if ($null -eq $state) { return 'claimed' }
  $words = $state.Trim().Split(' ')
  if ($words.Length -ne 3 -or $words[2] -cne (Get-BootId)) { return 'interrupted' }
  if (Test-RunnerLives $Directory $words) { return 'running' }
  # It may have ended between the two checks.
  if ([IO.File]::Exists($result)) { return 'done' }
  if ([IO.Directory]::Exists($Directory)) { return 'crashed' }
  return 'absent'
}

# The process of that number that began at that moment. One that may not be inspected counts by its heartbeat.
function Test-RunnerLives([string]$Directory, [string[]]$Words) {
  try { $process = [Diagnostics.Process]::GetProcessById([int]$Words[0]) } catch { return $false }
  try {
    # A number is not given anew within these two seconds, whatever a clock made of them.
    return [Math]::Abs($process.StartTime.ToUniversalTime().Ticks - [long]$Words[1]) -lt 20000000
  } catch [InvalidOperationException] {
    return $false
  } catch {
    return Test-HeartbeatIsYoung $Directory
  } finally {
    $process.Dispose()
  }
}

function Test-HeartbeatIsYoung([string]$Directory) {
  $beat = Read-Text ([IO.Path]::Combine($Directory, 'heartbeat'))
  if ($null -eq $beat -or $beat.Trim() -cnotmatch '^[0-9]{1,12}\z') { return $false }
  return (Get-UptimeSec) - [long]$beat.Trim() -le $heartbeatSec
}

# The record as words, or nothing where it is malformed.
function Read-Claim {
  $text = Read-Text (Get-ClaimPath)
  if ($null -eq $text) { return $null }
  $words = $text.Trim().Split(' ')
  if ($words.Length -ne 4 -or $words[1] -cnotmatch '^[a-z0-9][a-z0-9-]*\z' -or $words[3] -cnotmatch '^[0-9]{1,15}\z') { return $null }
  return @{ Run = $words[0]; Job = $words[1]; Controller = $words[2]; Fence = [long]$words[3]; Text = $words -join ' ' }
}

# As long as its job works. One that was never started is judged by the next start, which knows how old it is.
function Get-ActiveClaim {
  $claim = Read-Claim
  if ($null -eq $claim -or (Get-JobState (Get-JobPath $claim.Job '')) -ne 'running') { return '' }
  return $claim.Text
}

# Whether somebody keeps us out: another run's job that may still do something, a job of our own beside which nothing
# may run, or a newer lease of our run.
function Test-ClaimKeepsOut($Claim, [string]$Job, [string]$Run, [long]$Fence) {
  if ($null -eq $Claim) { return $false }
  $directory = Get-JobPath $Claim.Job ''
  $phase = Get-JobState $directory
  if ($phase -eq 'running' -and ($Claim.Run -cne $Run -or -not ($Claim.Job -ceq $Job -or (Test-IsHook $directory)))) { return $true }
  if ($phase -eq 'claimed' -and $Claim.Run -cne $Run -and -not (Test-ClaimIsOld $directory)) { return $true }
  return $Claim.Run -ceq $Run -and $Claim.Fence -gt $Fence
}

# A hook that took too long is left to end beside what follows; no other job has company, not even of its own run.
function Test-IsHook([string]$Directory) {
  $request = Read-Text ([IO.Path]::Combine($Directory, 'request'))
  return $null -ne $request -and $request -cmatch '^v1 \S+ run .* ?kind=hook '
}

# Prepared in an earlier boot or long ago, and never started.
function Test-ClaimIsOld([string]$Directory) { return (Get-ClaimAgeSec $Directory) -gt $claimPatienceSec }

# Seconds since the job was prepared; more than any patience where that was in another boot.
function Get-ClaimAgeSec([string]$Directory) {
  $claimed = Read-Text ([IO.Path]::Combine($Directory, 'claimed'))
  if ($null -eq $claimed) { return [long]::MaxValue }
  $words = $claimed.Trim().Split(' ')
  if ($words.Length -ne 2 -or $words[0] -cne (Get-BootId) -or $words[1] -cnotmatch '^[0-9]{1,12}\z') { return [long]::MaxValue }
  return (Get-UptimeSec) - [long]$words[1]
}
