# The other jobs of the update agent: search anew, and have it ready to work again.

function Invoke-Refresh($Request) {
  $stopped = Start-AgentServices
  if ($stopped -ne '') { return New-Answer 'failed' 1 $stopped @{} }
  if ($null -ne (Read-FreshAnswer $Request $freshSec)) {
    Write-JobLog 'the source was asked a moment ago, and nothing was installed since'
    return New-Answer 'ok' 0 '' @{}
  }
  Write-JobNote 'searching for updates'
  $scan = Invoke-Scan $Request $false
  $scan['by'] = 'job'
  if ($scan.ContainsKey('failure')) {
    return New-Answer 'failed' 1 ('the search failed: ' + $scan.failure.code + ' ' + $scan.failure.message) @{}
  }
  if ($failedResults -contains $scan['resultCode']) {
    return New-Answer 'failed' 1 ('the search failed: it ended with result ' + $scan['resultCode']) @{}
  }
  Add-ThirdParty $scan $Request
  Save-ScanAnswer $scan
  Write-JobLog ('updates on offer: ' + @($scan.updates).Count + ', ' + $scan.seconds + ' s')
  return New-Answer 'ok' 0 '' @{}
}

# Nothing is deleted: services that stand still are started, and who is at work is waited for.
function Invoke-Repair($Request) {
  $stopped = Start-AgentServices
  if ($stopped -ne '') { return New-Answer 'failed' 1 $stopped @{} }
  $installer = (New-UpdateSession).CreateUpdateInstaller()
  if (-not (Wait-Installer $installer (Get-NumberField $Request 'lock_wait' 600))) {
    return New-Answer 'locked' 1 'another installation is in progress (0x80240009)' @{}
  }
  if ((Read-FlagProperty $installer 'RebootRequiredBeforeInstallation' $null) -eq $true) {
    Write-JobLog 'the host must restart before it installs anything'
  }
  Remove-ScanAnswer
  return New-Answer 'ok' 0 '' @{}
}
