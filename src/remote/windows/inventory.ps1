# Software and hardware. Win32_Product is never asked: the question alone makes Windows Installer check every program.

$uninstallPath = 'SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall'
$uninstallPath32 = 'SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall'

function Get-Inventory {
  return @{
    programs = Get-Programs
    hotfixes = Get-HotfixList
    hardware = Get-Hardware
    products = Get-ProductVersions
  }
}

# What the list of programs shows; parts of other programs and of the system are left out.
function Get-Programs {
  $programs = New-Object Collections.ArrayList
  foreach ($path in $uninstallPath, $uninstallPath32) {
    foreach ($name in @(Read-MachineNames $path 'keys')) {
      $program = Read-Program ($path + '\' + $name) $name
      if ($null -ne $program) {
        $program['bits'] = $(if ($path -eq $uninstallPath) { 64 } else { 32 })
        [void]$programs.Add($program)
      }
    }
  }
  return , $programs
}

function Read-Program([string]$Path, [string]$Name) {
  $key = Open-MachineKey $Path
  if ($null -eq $key) { return $null }
  try {
    $title = ([string]$key.GetValue('DisplayName')).Trim()
    $isPart = [string]$key.GetValue('SystemComponent') -eq '1' -or [string]$key.GetValue('ParentKeyName') -ne ''
    if ($title -eq '' -or $isPart) { return $null }
    return @{
      key       = $Name
      name      = $title
      version   = ([string]$key.GetValue('DisplayVersion')).Trim()
      publisher = ([string]$key.GetValue('Publisher')).Trim()
      date      = [string]$key.GetValue('InstallDate')
      location  = [string]$key.GetValue('InstallLocation')
      isMsi     = [string]$key.GetValue('WindowsInstaller') -eq '1'
    }
  } catch {
    return $null
  } finally {
    $key.Dispose()
  }
}

# Packages of component based servicing only; the newest cumulative update stands for those before it.
function Get-HotfixList {
  $fixes = New-Object Collections.ArrayList
  foreach ($fix in @(Get-Instances 'Win32_QuickFixEngineering' '')) {
    $id = Read-FactText $fix 'HotFixID'
    if ($id -ne '') { [void]$fixes.Add(@{ id = $id; kind = Read-FactText $fix 'Description' }) }
  }
  return , $fixes
}

function Get-Hardware {
  $bios = Get-FirstInstance 'Win32_BIOS'
  $processors = New-Object Collections.ArrayList
  foreach ($processor in @(Get-Instances 'Win32_Processor' '')) {
    [void]$processors.Add(@{
        name    = Read-FactText $processor 'Name'
        cores   = Read-Fact $processor 'NumberOfCores'
        threads = Read-Fact $processor 'NumberOfLogicalProcessors'
      })
  }
  return @{
    bios       = @{ version = Read-FactText $bios 'SMBIOSBIOSVersion'; serial = Read-FactText $bios 'SerialNumber' }
    processors = $processors
    adapters   = Get-Adapters
  }
}

# With the addresses by which a host can be woken.
function Get-Adapters {
  $adapters = New-Object Collections.ArrayList
  foreach ($adapter in @(Get-Instances 'Win32_NetworkAdapterConfiguration' 'IPEnabled=TRUE')) {
    $addresses = New-Object Collections.ArrayList
    foreach ($address in (Read-Fact $adapter 'IPAddress')) {
      if ($null -ne $address) { [void]$addresses.Add([string]$address) }
    }
    [void]$adapters.Add(@{
        name      = Read-FactText $adapter 'Description'
        mac       = Read-FactText $adapter 'MACAddress'
        addresses = $addresses
      })
  }
  return , $adapters
}

# Versions that Windows Update does not report: Office that updates itself, virus definitions, .NET Framework.
function Get-ProductVersions {
  $versions = @{}
  foreach ($entry in @(
      @('office', 'SOFTWARE\Microsoft\Office\ClickToRun\Configuration', 'VersionToReport'),
      @('defender-signatures', 'SOFTWARE\Microsoft\Windows Defender\Signature Updates', 'AVSignatureVersion'),
      @('defender-engine', 'SOFTWARE\Microsoft\Windows Defender\Signature Updates', 'EngineVersion'),
      @('dotnet-release', 'SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full', 'Release')
    )) {
    $value = Read-MachineValue $entry[1] $entry[2]
    if ($null -ne $value) { $versions[$entry[0]] = [string]$value }
  }
  return $versions
}
