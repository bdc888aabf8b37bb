# Refuses where a reboot would do harm; the reboot itself begins some seconds later, so that the result can be read.

$rebootDelaySec = 10
$installerPath = 'SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\InProgress'
$winlogonPath = 'SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon'

# power is reboot, off or cancel.
function Invoke-Reboot($Request) {
  $power = Get-Field $Request 'power' 'reboot'
  if ($power -ceq 'cancel') { return Stop-ScheduledShutdown }
  if (('reboot', 'off') -cnotcontains $power) { return New-JobAnswer 'bad-request' 1 ('there is no power state ' + $power) }
  $busy = Get-RebootObstacle
  if ($busy -ne '') { return New-JobAnswer 'busy' 1 $busy }
  if ((Get-Field $Request 'idle' 'no') -ceq 'yes') {
    $users = Get-LoggedOn
    if ($users.Length -gt 0) { return New-JobAnswer 'in-use' 1 ('logged on: ' + ($users -join ', ')) }
  }
  # The marker of this boot must exist, so that the next one can be distinguished.
  if ((Get-BootId) -eq '') { return New-JobAnswer 'failed' 1 'the marker of this boot cannot be made' }
  Write-JobNote $(if ($power -ceq 'off') { 'powering off' } else { 'rebooting' })
  $answer = Invoke-Shutdown $power
  # ERROR_SHUTDOWN_IS_SCHEDULED: by somebody whose delay may be long.
  if ($answer.ExitCode -eq 1190) {
    Write-JobLog 'a shutdown was scheduled already and is replaced'
    [void](Invoke-Native (Get-SystemFile 'shutdown.exe') '/a' 60)
    $answer = Invoke-Shutdown $power
  }
  # ERROR_SHUTDOWN_IN_PROGRESS: it goes down as it is.
  if ((0, 1115) -contains $answer.ExitCode) {
    if ($power -ceq 'reboot') { Remove-LogonSign }
    return New-JobAnswer 'ok' 0 ''
  }
  return New-ShutdownFailure $answer
}

function New-ShutdownFailure($Answer) {
  $words = 'shutdown.exe ended with ' + $Answer.ExitCode
  if ($Answer.TimedOut) { $words = 'shutdown.exe did not answer' }
  return New-JobAnswer 'failed' 1 ($words + ' ' + ([string]$Answer.Output).Trim())
}

# p:2:18 is planned, operating system, security fix; p:0:0 is planned, other.
function Invoke-Shutdown([string]$Power) {
  $arguments = '/r /t ' + $rebootDelaySec + ' /d p:2:18 /c "fettle restarts this computer to finish its updates"'
  if ($Power -ceq 'off') { $arguments = '/s /t ' + $rebootDelaySec + ' /d p:0:0 /c "fettle shuts this computer down"' }
  $answer = Invoke-Native (Get-SystemFile 'shutdown.exe') $arguments 120
  Write-JobLog ('shutdown.exe ' + $arguments + ': ' + $answer.ExitCode)
  return $answer
}

# ERROR_NO_SHUTDOWN_IN_PROGRESS is 1116.
function Stop-ScheduledShutdown {
  $answer = Invoke-Native (Get-SystemFile 'shutdown.exe') '/a' 60
  Write-JobLog ('shutdown.exe /a: ' + $answer.ExitCode)
  if ($answer.ExitCode -eq 0) {
    Add-LogonSign
    return New-JobAnswer 'ok' 0 'called off: shutdown'
  }
  if ($answer.ExitCode -eq 1116) { return New-JobAnswer 'ok' 0 'nothing was scheduled' }
  return New-ShutdownFailure $answer
}

# Accounts of people, by their SIDs, that own a process outside of the session of services. What quser says is in the
# host's language; sessions that WMI lists may be long gone, a process is there. Not to know is not to be alone.
function Get-LoggedOn {
  $seen = New-Object Collections.ArrayList
  $read = 0
  $processes = @(Get-CimInstance -ClassName 'Win32_Process' -Filter 'SessionId<>0')
  foreach ($process in $processes) {
    try { $words = Read-ProcessOwner $process } catch { continue }
    $read++
    if ($words -ne '' -and -not $seen.Contains($words)) { [void]$seen.Add($words) }
  }
  if ($read -eq 0 -and $processes.Count -gt 0) { throw 'the owners of processes cannot be read' }
  return , $seen.ToArray()
}

# Domain and local accounts begin with S-1-5-21, those of Entra ID with S-1-12-1; the desktop's own do not. One that
# ended meanwhile throws.
function Read-ProcessOwner($Process) {
  $sid = [string](Invoke-CimMethod -InputObject $Process -MethodName 'GetOwnerSid').Sid
  if ($sid -cnotmatch '^S-1-(5-21|12-1)-') { return '' }
  $owner = Invoke-CimMethod -InputObject $Process -MethodName 'GetOwner'
  return [string]$owner.Domain + '\' + [string]$owner.User + ' in session ' + [string]$Process.SessionId
}

function Get-RebootObstacle {
  if ((Read-ServicingState) -eq 2) { return 'the component store is busy' }
  if (Test-BootKey $installerPath) { return 'Windows Installer is running' }
  return ''
}

# The sign that the logon prompt was shown is made anew at every boot, unless somebody made it to stay. Removed when the
# restart is certain: without it a host that stays up may log on by itself again.
function Remove-LogonSign {
  $root = Open-MachineRoot
  try {
    $key = $root.OpenSubKey($winlogonPath, $true)
    if ($null -eq $key) { return }
    try { $key.DeleteSubKeyTree('AutoLogonChecked', $false) } finally { $key.Dispose() }
  } catch {
    Write-JobLog ('AutoLogonChecked cannot be removed: ' + $_.Exception.Message)
  } finally {
    $root.Dispose()
  }
}

# As Windows makes it: gone with the next boot.
function Add-LogonSign {
  $root = Open-MachineRoot
  try {
    $access = [Microsoft.Win32.RegistryKeyPermissionCheck]::ReadWriteSubTree
    $key = $root.CreateSubKey($winlogonPath + '\AutoLogonChecked', $access, [Microsoft.Win32.RegistryOptions]::Volatile)
    $key.Dispose()
  } catch {
    Write-JobLog ('AutoLogonChecked cannot be made: ' + $_.Exception.Message)
  } finally {
    $root.Dispose()
  }
}
