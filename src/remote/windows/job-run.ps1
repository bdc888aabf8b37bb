# The runner of a job, in a scheduled task as SYSTEM.

$beatSec = 15

function Invoke-Job($Request) {
  $directory = Get-JobPath (Get-JobName $Request) ''
  if (-not (Enter-Gate $directory)) { return }
  $startedAt = Get-EpochSeconds
  Open-JobLog $directory
  $beat = $null
  try {
    $beat = Start-Heartbeat $directory
    $answer = Invoke-Work $Request
  } catch {
    $cause = $_.Exception.GetBaseException()
    Write-JobLog ('the job failed: ' + $cause.Message + "`n" + $_.ScriptStackTrace)
    $answer = New-JobAnswer 'failed' 1 ('{0:X8} {1}' -f $cause.HResult, $cause.Message)
  } finally {
    Close-JobLog
  }
  Save-Result $Request $directory $answer $startedAt
  Stop-Heartbeat $beat
}

function New-JobAnswer([string]$Verdict, [long]$Code, [string]$Message, $Sections = @{}) {
  return @{ Verdict = $Verdict; Code = $Code; Message = $Message; Sections = $Sections }
}

# The gate: a directory that already has this process in it is moved into place, which only one can do.
function Enter-Gate([string]$Directory) {
  if (-not [IO.Directory]::Exists($Directory)) { return $false }
  $self = [Diagnostics.Process]::GetCurrentProcess()
  $gate = [IO.Path]::Combine($Directory, '.gate.' + $self.Id)
  $state = $self.Id, $self.StartTime.ToUniversalTime().Ticks, (Get-BootId)
  try {
    [void][IO.Directory]::CreateDirectory($gate)
    Write-Atomic ([IO.Path]::Combine($gate, 'state')) (($state -join ' ') + "`n")
    Move-Directory $gate ([IO.Path]::Combine($Directory, 'started'))
    return $true
  } catch {
    try { [IO.Directory]::Delete($gate, $true) } catch { $null = $_ }
    return $false
  }
}

# By uptime, from a thread of its own: what a job does may take an hour in one call.
function Start-Heartbeat([string]$Directory) {
  $flag = New-Object Threading.ManualResetEvent($false)
  # The plain session: it needs no module, and is there at once.
  $state = [Management.Automation.Runspaces.InitialSessionState]::CreateDefault2()
  $runspace = [Management.Automation.Runspaces.RunspaceFactory]::CreateRunspace($state)
  $runspace.Open()
  $shell = [Management.Automation.PowerShell]::Create()
  $shell.Runspace = $runspace
  [void]$shell.AddScript({
      param($Path, $Flag, $PauseMs)
      do {
        $now = [long][Math]::Floor([Diagnostics.Stopwatch]::GetTimestamp() / [Diagnostics.Stopwatch]::Frequency)
        try { [IO.File]::WriteAllText($Path, [string]$now) } catch { $null = $_ }
      } until ($Flag.WaitOne($PauseMs))
    }.ToString())
  [void]$shell.AddArgument([IO.Path]::Combine($Directory, 'heartbeat')).AddArgument($flag).AddArgument($beatSec * 1000)
  $handle = $shell.BeginInvoke()
  return @{ Flag = $flag; Shell = $shell; Runspace = $runspace; Handle = $handle }
}

function Stop-Heartbeat($Beat) {
  if ($null -eq $Beat) { return }
  [void]$Beat.Flag.Set()
  try { [void]$Beat.Shell.EndInvoke($Beat.Handle) } catch { $null = $_ }
  $Beat.Shell.Dispose()
  $Beat.Runspace.Dispose()
  $Beat.Flag.Dispose()
}

function Invoke-Work($Request) {
  switch -CaseSensitive (Get-Field $Request 'kind' '') {
    'install' { return Invoke-ManagerWork $Request 'Install' }
    'refresh' { return Invoke-ManagerWork $Request 'Refresh' }
    'repair' { return Invoke-ManagerWork $Request 'Repair' }
    'restart' { return Invoke-Restart $Request }
    'hook' { return Invoke-Hook $Request }
    'reboot' { return Invoke-Reboot $Request }
  }
  return New-JobAnswer 'bad-request' 1 'there is no job of this kind'
}

# A job works with one package manager alone.
function Invoke-ManagerWork($Request, [string]$Work) {
  $name = Get-Field $Request 'manager' ''
  if (-not $packageManagers.ContainsKey($name) -or -not $packageManagers[$name].ContainsKey($Work)) {
    return New-JobAnswer 'bad-request' 1 ('no package manager ' + $name + ' does this work: ' + $Work)
  }
  return & $packageManagers[$name][$Work] $Request
}

# The result, written once. Without room for it there is none: the truth is then read from the host.
function Save-Result($Request, [string]$Directory, $Answer, [long]$StartedAt) {
  $frame = New-Frame $Request.Mark
  $words = [string]$Answer.Message -replace '[^\x20-\x7e]', ' '
  Add-Section $frame 'verdict' ([string]$Answer.Verdict + ' ' + ([long]$Answer.Code) + "`n" + $words + "`n")
  Add-Section $frame 'times' ([string]$StartedAt + ' ' + (Get-EpochSeconds) + "`n")
  foreach ($name in @($Answer.Sections.Keys)) { Add-Section $frame $name ([string]$Answer.Sections[$name]) }
  try { Write-AtomicBytes ([IO.Path]::Combine($Directory, 'result')) ($latin1.GetBytes((Complete-Frame $frame))) } catch { $null = $_ }
}
