# What the host is: system, machine, services, policy, and what would stand in the way of patching it.

$versionPath = 'SOFTWARE\Microsoft\Windows NT\CurrentVersion'
$policyPath = 'SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate'
$servicesPath = 'SYSTEM\CurrentControlSet\Services'
# A cumulative update may need as much.
$amplyFreeBytes = 10737418240
$updateSettingsPath = 'SOFTWARE\Microsoft\WindowsUpdate\UX\Settings'

# One class of CIM; nothing where it cannot be had.
function Get-Instances([string]$Class, [string]$Filter) {
  try {
    if ($Filter -eq '') { return @(Get-CimInstance -ClassName $Class) }
    return @(Get-CimInstance -ClassName $Class -Filter $Filter)
  } catch {
    return @()
  }
}

function Get-FirstInstance([string]$Class) {
  $found = @(Get-Instances $Class '')
  if ($found.Count -eq 0) { return $null }
  return $found[0]
}

function Read-Fact($Object, [string]$Name) {
  if ($null -eq $Object) { return $null }
  return Read-Property $Object $Name $null
}

function Read-FactText($Object, [string]$Name) { return ([string](Read-Fact $Object $Name)).Trim() }

function Get-Facts {
  $system = Get-FirstInstance 'Win32_OperatingSystem'
  $computer = Get-FirstInstance 'Win32_ComputerSystem'
  $product = Get-FirstInstance 'Win32_ComputerSystemProduct'
  $facts = @{
    os       = Get-SystemFacts $system
    hostName = Get-HostName $computer
    domain   = Read-FactText $computer 'Domain'
    isMember = Read-Fact $computer 'PartOfDomain'
    memory   = Get-MemoryFacts $system
    uptime   = Get-Uptime $system
    maker    = Read-FactText $computer 'Manufacturer'
    model    = Read-FactText $computer 'Model'
    uuid     = Read-FactText $product 'UUID'
    serial   = Read-FactText $product 'IdentifyingNumber'
    machine  = [string](Read-MachineValue 'SOFTWARE\Microsoft\Cryptography' 'MachineGuid')
  }
  return $facts
}

function Get-HostName($Computer) {
  $name = Read-FactText $Computer 'Name'
  if ($name -ne '') { return $name }
  return [Environment]::MachineName
}

function Get-SystemFacts($System) {
  $revision = Read-MachineValue $versionPath 'UBR'
  return @{
    caption      = Read-FactText $System 'Caption'
    productName  = [string](Read-MachineValue $versionPath 'ProductName')
    build        = [string](Read-MachineValue $versionPath 'CurrentBuild')
    ubr          = $(if ($null -eq $revision) { $null } else { [long]$revision })
    edition      = [string](Read-MachineValue $versionPath 'EditionID')
    release      = [string](Read-MachineValue $versionPath 'DisplayVersion')
    installation = [string](Read-MachineValue $versionPath 'InstallationType')
    version      = Read-FactText $System 'Version'
    arch         = [string]$env:PROCESSOR_ARCHITECTURE
    productType  = Read-Fact $System 'ProductType'
    locale       = Read-FactText $System 'Locale'
    installed    = Read-InstanceMoment $System 'InstallDate'
  }
}

function Read-InstanceMoment($Instance, [string]$Name) {
  $value = Read-Fact $Instance $Name
  if ($value -is [DateTime]) { return Format-Moment $value }
  return $null
}

# Win32_OperatingSystem counts in KiB.
function Get-MemoryFacts($System) {
  $facts = @{}
  foreach ($pair in @('total', 'TotalVisibleMemorySize'), @('free', 'FreePhysicalMemory'), @('freeCommit', 'FreeVirtualMemory')) {
    $value = Read-Fact $System $pair[1]
    $facts[$pair[0]] = $(if ($null -eq $value) { $null } else { [long]$value * 1024 })
  }
  return $facts
}

function Get-Uptime($System) {
  $boot = Read-Fact $System 'LastBootUpTime'
  if ($boot -isnot [DateTime]) { return $null }
  $elapsed = [DateTime]::UtcNow - $boot.ToUniversalTime()
  return [long][Math]::Max(0, $elapsed.TotalSeconds)
}

function Get-DiskFacts {
  $disks = New-Object Collections.ArrayList
  foreach ($disk in @(Get-Instances 'Win32_LogicalDisk' 'DriveType=3')) {
    $free = Read-Fact $disk 'FreeSpace'
    if ($null -eq $free) { continue }
    [void]$disks.Add(@{ mount = Read-FactText $disk 'DeviceID'; free = [long]$free; size = [long](Read-Fact $disk 'Size') })
  }
  return , $disks
}

# What runs before has to run after, but for services that a trigger starts and that end by themselves.
function Get-ServiceFacts {
  $services = New-Object Collections.ArrayList
  foreach ($service in @(Get-Instances 'Win32_Service' '')) {
    $name = Read-FactText $service 'Name'
    $start = Read-FactText $service 'StartMode'
    [void]$services.Add(@{
        name        = $name
        state       = Read-FactText $service 'State'
        start       = $start
        exit        = Read-Fact $service 'ExitCode'
        isTriggered = $start -eq 'Auto' -and (Test-MachineKey ($servicesPath + '\' + $name + '\TriggerInfo'))
      })
  }
  return , $services
}

function Get-Account {
  $identity = [Security.Principal.WindowsIdentity]::GetCurrent()
  $principal = New-Object Security.Principal.WindowsPrincipal($identity)
  return @{
    name    = [string]$identity.Name
    isAdmin = [bool]$principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
    shell   = [string]$PSVersionTable.PSVersion
  }
}

function Get-UpdatePolicy {
  $policy = @{}
  foreach ($name in 'WUServer', 'WUStatusServer', 'TargetGroup', 'TargetGroupEnabled', 'DisableWindowsUpdateAccess',
    'DoNotConnectToWindowsUpdateInternetLocations', 'SetDisableUXWUAccess', 'ProductVersion', 'TargetReleaseVersionInfo') {
    Add-PolicyValue $policy $name (Read-MachineValue $policyPath $name)
  }
  foreach ($name in 'UseWUServer', 'NoAutoUpdate', 'AUOptions', 'ScheduledInstallDay', 'ScheduledInstallTime',
    'NoAutoRebootWithLoggedOnUsers', 'AlwaysAutoRebootAtScheduledTime') {
    Add-PolicyValue $policy $name (Read-MachineValue ($policyPath + '\AU') $name)
  }
  Add-PolicyValue $policy 'PausedUntil' (Read-MachineValue $updateSettingsPath 'PauseUpdatesExpiryTime')
  return $policy
}

function Add-PolicyValue($Policy, [string]$Name, $Value) {
  if ($null -ne $Value) { $Policy[$Name] = [string]$Value }
}

# code, words and whether it keeps patching from being tried at all.
function Get-Problems($Facts, $Policy, $Services) {
  $problems = New-Object Collections.ArrayList
  Add-ServiceProblems $problems $Services
  Add-PolicyProblems $problems $Policy
  Add-SpaceProblem $problems
  $free = $Facts.memory['freeCommit']
  if ($null -ne $free -and $free -lt 1073741824) {
    Add-Problem $problems 'memory' $false ('only ' + [int]($free / 1048576) + ' MiB of memory can still be committed')
  }
  $ccm = @(@($Services) | Where-Object { $_.name -eq 'CcmExec' -and $_.state -eq 'Running' })
  if ($ccm.Count -gt 0) { Add-Problem $problems 'two-masters' $false 'Configuration Manager runs on it and may patch it too' }
  foreach ($battery in @(Get-Instances 'Win32_Battery' '')) {
    $charge = Read-Fact $battery 'EstimatedChargeRemaining'
    $state = Read-Fact $battery 'BatteryStatus'
    if ($state -eq 1 -and $null -ne $charge -and $charge -lt 40) {
      Add-Problem $problems 'battery' $true ('it runs on its battery, which has ' + $charge + ' % left (0x8024004C)')
    }
  }
  return , $problems
}

function Add-Problem($Problems, [string]$Code, [bool]$IsBlocking, [string]$Words) {
  [void]$Problems.Add(@{ code = $Code; isBlocking = $IsBlocking; words = $Words })
}

function Add-SpaceProblem($Problems) {
  $free = Get-SystemDriveFree
  if ($null -eq $free -or $free -ge $amplyFreeBytes) { return }
  $isShort = $free -lt $minFreeBytes
  $wanted = $(if ($isShort) { $minFreeBytes } else { $amplyFreeBytes })
  $words = 'the system drive has ' + [int]($free / 1048576) + ' MiB free, '
  $words += $(if ($isShort) { 'no update can do with less than ' } else { 'a cumulative update may need ' })
  Add-Problem $Problems 'disk' $isShort ($words + [int]($wanted / 1048576) + ' MiB')
}

function Add-ServiceProblems($Problems, $Services) {
  $needed = 'wuauserv', 'BITS', 'CryptSvc', 'TrustedInstaller', 'Schedule', 'RpcSs', 'Winmgmt'
  $known = @{}
  foreach ($service in $Services) { $known[$service.name.ToLowerInvariant()] = $service }
  foreach ($name in $needed) {
    $service = $known[$name.ToLowerInvariant()]
    if ($null -ne $service -and $service.start -eq 'Disabled') {
      $words = 'the service ' + $name + ' is disabled (0x80070422)'
      Add-Problem $Problems 'service-disabled' ($name -in 'wuauserv', 'BITS', 'TrustedInstaller', 'Schedule') $words
    }
  }
}

function Add-PolicyProblems($Problems, $Policy) {
  $server = [string]$Policy['WUServer']
  $status = [string]$Policy['WUStatusServer']
  if ($Policy['UseWUServer'] -eq '1' -and $server -ne $status) {
    Add-Problem $Problems 'wsus-policy' $false 'WUServer and WUStatusServer differ: the agent ignores both'
  }
  if ($Policy['UseWUServer'] -eq '1' -and $server -eq '') {
    Add-Problem $Problems 'wsus-policy' $false 'a WSUS server shall be used, but none is named'
  }
  if ($Policy['DisableWindowsUpdateAccess'] -eq '1') {
    Add-Problem $Problems 'update-access' $false 'access to Windows Update is disabled by policy (0x8024002E)'
  }
  if ($Policy['AUOptions'] -eq '4' -and $Policy['NoAutoUpdate'] -ne '1') {
    Add-Problem $Problems 'two-masters' $false 'its own automatic updates are scheduled to install by themselves'
  }
}
