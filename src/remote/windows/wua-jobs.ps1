# The other jobs of the update agent: search anew, and have it ready to work again.

function Invoke-UpdateRefresh($Request) {
  $stopped = Start-AgentServices
  if ($stopped -ne '') { return New-JobAnswer 'failed' 1 $stopped }
  if ($null -ne (Read-FreshAnswer 'windows-update' $Request $freshSec)) {
    Write-JobLog 'the source was asked a moment ago, and nothing was installed since'
    return New-JobAnswer 'ok' 0 ''
  }
  Write-JobNote 'searching for updates'
  $scan = Invoke-Scan $Request $false
  $scan['by'] = 'job'
  if ($scan.ContainsKey('failure')) {
    return New-JobAnswer 'failed' 1 ('the search failed: ' + $scan.failure.code + ' ' + $scan.failure.message)
  }
  if ($failedResults -contains $scan['resultCode']) {
    return New-JobAnswer 'failed' 1 ('the search failed: it ended with result ' + $scan['resultCode'])
  }
  Save-ScanAnswer 'windows-update' $Request (New-UpdateAnswer $scan)
  Write-JobLog ('updates on offer: ' + @($scan.updates).Count + ', ' + $scan.seconds + ' s')
  return New-JobAnswer 'ok' 0 ''
}

# Nothing is deleted: stopped services are started, and running ones are waited for.
function Invoke-UpdateRepair($Request) {
  $stopped = Start-AgentServices
  if ($stopped -ne '') { return New-JobAnswer 'failed' 1 $stopped }
  $installer = (New-UpdateSession).CreateUpdateInstaller()
  if (-not (Wait-Installer $installer (Get-NumberField $Request 'lock_wait' 600))) {
    return New-JobAnswer 'locked' 1 'another installation is in progress (0x80240009)'
  }
  if ((Read-FlagProperty $installer 'RebootRequiredBeforeInstallation' $null) -eq $true) {
    Write-JobLog 'the host must restart before it installs anything'
  }
  Remove-ScanAnswers
  return New-JobAnswer 'ok' 0 ''
}

$packageManagers['windows-update']['Install'] = { param($Request) Install-WindowsUpdate $Request }
$packageManagers['windows-update']['Refresh'] = { param($Request) Invoke-UpdateRefresh $Request }
$packageManagers['windows-update']['Repair'] = { param($Request) Invoke-UpdateRepair $Request }
