# Refuses where a reboot would do harm; the reboot itself begins some seconds later, so that the result can be read.

$rebootDelaySec = 10
$installerPath = 'SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\InProgress'
$winlogonPath = 'SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon'

function Invoke-Reboot($Request) {
  $busy = Get-RebootObstacle
  if ($busy -ne '') { return New-JobAnswer 'busy' 1 $busy }
  # The marker of this boot must be there for the next one to be told apart.
  if ((Get-BootId) -eq '') { return New-JobAnswer 'failed' 1 'the marker of this boot cannot be made' }
  Remove-LogonSign
  Write-JobNote 'rebooting'
  $answer = Invoke-Shutdown
  # ERROR_SHUTDOWN_IS_SCHEDULED: by somebody whose delay may be long.
  if ($answer.ExitCode -eq 1190) {
    Write-JobLog 'a shutdown was scheduled already and is replaced'
    [void](Invoke-Native (Get-SystemFile 'shutdown.exe') '/a' 60)
    $answer = Invoke-Shutdown
  }
  # ERROR_SHUTDOWN_IN_PROGRESS: it goes down as it is.
  if ((0, 1115) -contains $answer.ExitCode) { return New-JobAnswer 'ok' 0 '' }
  $words = 'shutdown.exe ended with ' + $answer.ExitCode
  if ($answer.TimedOut) { $words = 'shutdown.exe did not answer' }
  return New-JobAnswer 'failed' 1 ($words + ' ' + ([string]$answer.Output).Trim())
}

# p:2:18 is planned, operating system, security fix.
function Invoke-Shutdown {
  $arguments = '/r /t ' + $rebootDelaySec + ' /d p:2:18 /c "fettle restarts this computer to finish its updates"'
  $answer = Invoke-Native (Get-SystemFile 'shutdown.exe') $arguments 120
  Write-JobLog ('shutdown.exe ' + $arguments + ': ' + $answer.ExitCode)
  return $answer
}

function Get-RebootObstacle {
  if ((Read-ServicingState) -eq 2) { return 'the component store is at work' }
  if (Test-BootKey $installerPath) { return 'Windows Installer is at work' }
  return ''
}

# The sign that the logon prompt was shown is made anew at every boot, unless somebody made it to stay.
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
