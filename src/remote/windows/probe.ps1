# The state of the host: facts, signs of a pending restart, and the report of each package manager.

function Get-Probe($Request) {
  $account = Get-Account
  $names = Get-WantedManagers $Request (Get-FoundManagers $Request)
  $sections = New-Object Collections.Specialized.OrderedDictionary
  $sections['family'] = 'windows'
  $sections['boot-id'] = Get-BootId
  $sections['claim'] = Get-ActiveClaim
  $isWhole = (Get-Field $Request 'only' '') -cne 'yes'
  if ($isWhole) {
    $facts = Get-Facts
    $policy = Get-UpdatePolicy
  }
  $answers = @{ 'windows-update' = '{"phase":"denied"}' }
  if ($account.isAdmin) { $answers = Get-ScanAnswers $Request $names $freshSec }
  # After the scan, which may have taken its time, and which may have found another package manager.
  $found = Get-FoundManagers $Request
  $scanned = @($names | Where-Object { $found -ccontains $_ -and $answers.ContainsKey($_) })
  $sections['managers'] = $found -join "`n"
  $sections['scanned'] = $scanned -join "`n"
  if ($isWhole) {
    $services = Get-ServiceFacts
    $sections['windows'] = ConvertTo-PlainJson @{
      facts = $facts; account = $account; policy = $policy; disks = Get-DiskFacts; services = $services
      pendingReboot = Get-MarkedReboot $Request; inventory = Get-Inventory
      problems = Get-Problems $facts $policy $services
      running = Get-RunningInstallers
    }
  }
  foreach ($name in $scanned) { $sections[$name] = $answers[$name] }
  if ($isWhole) {
    $sections['system-state'] = Get-SystemState
    $sections['clock'] = [string](Get-EpochSeconds) + "`n" + [string]$facts.uptime
  }
  return $sections
}

# Signs that the inventory ignores are reported all the same.
function Get-MarkedReboot($Request) {
  $ignored = (Get-Field $Request 'ignore_reboot' '').Split(',')
  $signs = Get-PendingReboot
  foreach ($sign in $signs) { $sign['isIgnored'] = $ignored -contains $sign.code }
  return , $signs
}
