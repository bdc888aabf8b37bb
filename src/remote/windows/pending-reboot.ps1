# Why the host wants a restart: each sign by itself, so that each can be checked, and ignored, by itself.

$cbsPath = 'SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing'
$updatePath = 'SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate'
$sessionPath = 'SYSTEM\CurrentControlSet\Control\Session Manager'
$namePath = 'SYSTEM\CurrentControlSet\Control\ComputerName'

# The value of a name below HKEY_LOCAL_MACHINE, 64-bit view; nothing where there is none.
function Read-MachineValue([string]$Path, [string]$Name) {
  $key = Open-MachineKey $Path
  if ($null -eq $key) { return $null }
  try { return , $key.GetValue($Name) } catch { return $null } finally { $key.Dispose() }
}

function Open-MachineKey([string]$Path) {
  try {
    $root = [Microsoft.Win32.RegistryKey]::OpenBaseKey('LocalMachine', 'Registry64')
    return $root.OpenSubKey($Path)
  } catch {
    return $null
  }
}

function Test-MachineKey([string]$Path) {
  $key = Open-MachineKey $Path
  if ($null -eq $key) { return $false }
  $key.Dispose()
  return $true
}

function Read-MachineNames([string]$Path, [string]$Kind) {
  $key = Open-MachineKey $Path
  if ($null -eq $key) { return @() }
  try { return @($(if ($Kind -eq 'values') { $key.GetValueNames() } else { $key.GetSubKeyNames() })) } catch { return @() } finally { $key.Dispose() }
}

# hard: the agent or the component store waits for it; soft: often set for no good reason.
function Get-PendingReboot {
  $reasons = New-Object Collections.ArrayList
  Add-ServicingReasons $reasons
  Add-AgentReasons $reasons
  Add-FileReasons $reasons
  Add-NameReasons $reasons
  Add-RoleReasons $reasons
  return , $reasons
}

function Add-Reason($Reasons, [string]$Code, [string]$Weight, [string]$Words) {
  [void]$Reasons.Add(@{ code = $Code; weight = $Weight; words = $Words })
}

function Add-ServicingReasons($Reasons) {
  if (Test-MachineKey ($cbsPath + '\RebootPending')) {
    Add-Reason $Reasons 'component-store' 'hard' 'component based servicing waits for a restart'
  }
  if (Test-MachineKey ($cbsPath + '\RebootInProgress')) {
    Add-Reason $Reasons 'component-store-restarting' 'hard' 'component based servicing is in the middle of a restart'
  }
  $packages = @(Read-MachineNames ($cbsPath + '\PackagesPending') 'keys')
  if ($packages.Count -gt 0) {
    Add-Reason $Reasons 'packages-pending' 'hard' ('packages wait for a restart: ' + $packages.Count)
  }
}

function Add-AgentReasons($Reasons) {
  $ids = @(Read-MachineNames ($updatePath + '\Auto Update\RebootRequired') 'values')
  if (Test-MachineKey ($updatePath + '\Auto Update\RebootRequired')) {
    $words = 'Windows Update waits for a restart'
    if ($ids.Count -gt 0) { $words += ' (updates: ' + $ids.Count + ')' }
    Add-Reason $Reasons 'windows-update' 'hard' $words
  }
  if (Test-MachineKey ($updatePath + '\Auto Update\PostRebootReporting')) {
    Add-Reason $Reasons 'reporting' 'soft' 'Windows Update has yet to report after a restart'
  }
  $services = @(Read-MachineNames ($updatePath + '\Services\Pending') 'keys')
  if ($services.Count -gt 0) {
    Add-Reason $Reasons 'update-services' 'soft' 'an update service waits to be registered'
  }
}

# Printers (in System32\spool), services that keep files in the profile of SYSTEM, left-over copies of drivers, virus
# scanners and browsers keep this list filled for ever; files of Windows itself count for more.
$windowsFiles = '\\(System32\\(?!(spool|config\\systemprofile|DriverStore\\Temp)\\)|WinSxS\\)'

function Add-FileReasons($Reasons) {
  $files = New-Object Collections.ArrayList
  foreach ($name in 'PendingFileRenameOperations', 'PendingFileRenameOperations2') {
    $entries = Read-MachineValue $sessionPath $name
    foreach ($entry in $entries) {
      if ($null -ne $entry -and [string]$entry -ne '') { [void]$files.Add([string]$entry) }
    }
  }
  if ($files.Count -eq 0) { return }
  $own = @($files | Where-Object { [regex]::IsMatch($_, $windowsFiles, 'IgnoreCase, CultureInvariant') })
  $first = ($files[0] -replace '^[!*0-9]*\\\?\?\\', '')
  if ($own.Count -gt 0) {
    Add-Reason $Reasons 'system-files' 'hard' ('files of Windows wait to be replaced: ' + $own.Count)
  } else {
    Add-Reason $Reasons 'file-renames' 'soft' ('files wait to be renamed: ' + $files.Count + ', the first is ' + $first)
  }
}

function Add-NameReasons($Reasons) {
  $active = [string](Read-MachineValue ($namePath + '\ActiveComputerName') 'ComputerName')
  $next = [string](Read-MachineValue ($namePath + '\ComputerName') 'ComputerName')
  if ($active -ne '' -and $next -ne '' -and $active -ne $next) {
    Add-Reason $Reasons 'computer-name' 'soft' ('the computer is to be renamed to ' + $next)
  }
  $netlogon = @(Read-MachineNames 'SYSTEM\CurrentControlSet\Services\Netlogon' 'values')
  if ($netlogon -contains 'JoinDomain' -or $netlogon -contains 'AvoidSpnSet') {
    Add-Reason $Reasons 'domain-join' 'soft' 'a domain join waits for a restart'
  }
}

function Add-RoleReasons($Reasons) {
  $volatile = Read-MachineValue 'SOFTWARE\Microsoft\Updates' 'UpdateExeVolatile'
  if ($null -ne $volatile -and [long]$volatile -ne 0) {
    Add-Reason $Reasons 'update-exe' 'soft' 'an old installer of updates waits for a restart'
  }
  if ($null -ne (Read-MachineValue 'SOFTWARE\Microsoft\Windows\CurrentVersion\RunOnce' 'DVDRebootSignal')) {
    Add-Reason $Reasons 'run-once' 'soft' 'a setup program waits for a restart'
  }
  $attempts = Read-MachineValue 'SOFTWARE\Microsoft\ServerManager' 'CurrentRebootAttempts'
  if ($null -ne $attempts -or (Test-MachineKey 'SOFTWARE\Microsoft\ServerManager\CurrentRebootAttempts')) {
    Add-Reason $Reasons 'server-roles' 'hard' 'a role or feature waits for a restart'
  }
}
