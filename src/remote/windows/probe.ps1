# What is: facts, signs of a pending restart, and the scan. The last part of the probe script; it answers with one frame.

function Get-Probe($Request) {
  $account = Get-Account
  $sections = New-Object Collections.Specialized.OrderedDictionary
  $sections['manager'] = 'windows-update'
  $sections['boot-id'] = Get-BootId
  $sections['claim'] = Get-ActiveClaim
  $facts = Get-Facts
  $policy = Get-UpdatePolicy
  $scan = '{"phase":"denied"}'
  if ($account.isAdmin) { $scan = Get-ScanJson $Request $freshSec }
  # After the scan, which may have taken its time.
  $services = Get-ServiceFacts
  $sections['windows'] = ConvertTo-PlainJson @{
    facts = $facts; account = $account; policy = $policy; disks = Get-DiskFacts; services = $services
    pendingReboot = Get-MarkedReboot $Request; inventory = Get-Inventory
    problems = Get-Problems $facts $policy $services
    running = Get-RunningInstallers
  }
  $sections['wua'] = $scan
  $sections['system-state'] = Get-SystemState
  $sections['clock'] = [string](Get-EpochSeconds) + "`n" + [string]$facts.uptime
  return $sections
}

# What is, without the search for updates and all that takes its time.
function Get-Summary {
  $facts = Get-Facts
  $sections = New-Object Collections.Specialized.OrderedDictionary
  $sections['manager'] = 'windows-update'
  $sections['boot-id'] = Get-BootId
  $sections['claim'] = Get-ActiveClaim
  $sections['windows'] = ConvertTo-PlainJson @{
    facts = $facts; account = Get-Account; disks = Get-DiskFacts; running = Get-RunningInstallers
  }
  $sections['clock'] = [string](Get-EpochSeconds) + "`n" + [string]$facts.uptime
  return $sections
}

# Signs that the inventory says to leave aside are told all the same.
function Get-MarkedReboot($Request) {
  $ignored = (Get-Field $Request 'ignore_reboot' '').Split(',')
  $signs = Get-PendingReboot
  foreach ($sign in $signs) { $sign['isIgnored'] = $ignored -contains $sign.code }
  return , $signs
}

# Programs that install right now: Windows Update's worker says so itself, Windows Installer holds a mutex.
function Get-RunningInstallers {
  $running = New-Object Collections.ArrayList
  foreach ($name in 'wusa', 'msiexec', 'dism') {
    foreach ($process in [Diagnostics.Process]::GetProcessesByName($name)) {
      # The service msiexec /V stays for a while after its work; without a command line only session 0 tells.
      if ($name -ne 'msiexec' -or (Test-InstallerMutex)) { [void]$running.Add(@{ name = $name; pid = $process.Id }) }
      $process.Dispose()
    }
  }
  return , $running
}

function Test-InstallerMutex {
  try {
    $mutex = [Threading.Mutex]::OpenExisting('Global\_MSIExecute')
    $mutex.Dispose()
    return $true
  } catch {
    return $false
  }
}

function Get-Simulation($Request) {
  $sections = New-Object Collections.Specialized.OrderedDictionary
  $sections['asked'] = (@($Request.Rows | ForEach-Object { $_ -join ' ' }) -join "`n")
  $sections['wua'] = Get-ScanJson $Request $simulateFreshSec
  return $sections
}
