# Which boot this is, and whether the system is up.

$bootPath = 'SOFTWARE\fettle\Boot'
$logonPath = 'SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon\AutoLogonChecked'
$servicingPath = 'SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Interface'
# Up when these are, as far as they are there and not switched off.
$coreServices = 'RpcSs', 'EventLog', 'Winmgmt', 'Schedule', 'LanmanServer', 'Dnscache', 'Netlogon'
# Some hosts never show the logon prompt: after so long the other signs count alone.
$logonPatienceSec = 600

function Open-MachineRoot { return [Microsoft.Win32.RegistryKey]::OpenBaseKey('LocalMachine', 'Registry64') }

# A new GUID in a volatile key, which is in memory only: made at first sight after a boot, gone with it. Empty where the
# account may not make it.
function Get-BootId {
  $marker = Read-BootMarker
  if ($null -eq $marker) {
    try { New-BootMarker } catch { return '' }
    $marker = Read-BootMarker
  }
  if ($null -eq $marker) { return '' }
  return $marker.Id
}

# The counter never runs backwards within a boot: a marker from its future was kept by something else than memory.
function Read-BootMarker {
  $root = Open-MachineRoot
  try {
    $key = $root.OpenSubKey($bootPath)
    if ($null -eq $key) { return $null }
    try {
      $id = [string]$key.GetValue('Id')
      $since = [string]$key.GetValue('Since')
    } finally {
      $key.Dispose()
    }
  } catch {
    return $null
  } finally {
    $root.Dispose()
  }
  if ($id -cnotmatch '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\z' -or $since -cnotmatch '^[0-9]{1,12}\z') { return $null }
  if ([long]$since -gt (Get-UptimeSec)) { return $null }
  return @{ Id = $id; SinceSec = [long]$since }
}

# One at a time: of two sessions that see no marker the second takes the first one's.
function New-BootMarker {
  $lock = Open-Lock 'boot.lock' 10
  try {
    if ($null -ne (Read-BootMarker)) { return }
    $root = Open-MachineRoot
    try {
      $root.DeleteSubKeyTree($bootPath, $false)
      $access = [Microsoft.Win32.RegistryKeyPermissionCheck]::ReadWriteSubTree
      $key = $root.CreateSubKey($bootPath, $access, [Microsoft.Win32.RegistryOptions]::Volatile)
      try {
        $key.SetValue('Since', [string](Get-UptimeSec))
        $key.SetValue('Id', [Guid]::NewGuid().ToString())
      } finally {
        $key.Dispose()
      }
    } finally {
      $root.Dispose()
    }
  } finally {
    if ($null -ne $lock) { $lock.Dispose() }
  }
}

# Held as long as the stream is open, by one process of the host; nothing after `LimitSec` in vain.
function Open-Lock([string]$Name, [int]$LimitSec) {
  $path = [IO.Path]::Combine((Get-BaseDirectory), $Name)
  $clock = [Diagnostics.Stopwatch]::StartNew()
  while ($true) {
    try {
      return New-Object IO.FileStream($path, [IO.FileMode]::OpenOrCreate, [IO.FileAccess]::ReadWrite, [IO.FileShare]::None)
    } catch {
      $cause = $_.Exception.GetBaseException()
      if ($cause -isnot [IO.IOException]) { throw $cause }
      if ($clock.Elapsed.TotalSeconds -ge $LimitSec) { return $null }
    }
    [Threading.Thread]::Sleep(100)
  }
}

# running: the prompt was shown (updates are configured before it), the component store is idle, core services run.
function Get-SystemState {
  if ((Get-StartingSigns).Length -eq 0) { return 'running' }
  return 'starting'
}

function Get-StartingSigns {
  $signs = New-Object Collections.ArrayList
  if (-not (Test-BootKey $logonPath) -and -not (Test-BootIsOld)) { [void]$signs.Add('the logon prompt was not shown yet') }
  if ((Read-ServicingState) -eq 2) { [void]$signs.Add('the component store is busy') }
  foreach ($name in $coreServices) {
    if (-not (Test-ServiceIsUp $name)) { [void]$signs.Add('service ' + $name + ' does not run') }
  }
  return , $signs.ToArray()
}

function Test-BootIsOld {
  $marker = Read-BootMarker
  return $null -ne $marker -and ((Get-UptimeSec) - $marker.SinceSec) -gt $logonPatienceSec
}

function Test-BootKey([string]$Path) {
  $root = Open-MachineRoot
  try {
    $key = $root.OpenSubKey($Path)
    if ($null -eq $key) { return $false }
    $key.Dispose()
    return $true
  } finally {
    $root.Dispose()
  }
}

# 0 nothing, 1 waits for a reboot, 2 busy; observed, not documented.
function Read-ServicingState {
  $root = Open-MachineRoot
  try {
    $key = $root.OpenSubKey($servicingPath)
    if ($null -eq $key) { return 0 }
    try { return $key.GetValue('ServicingInProgress') } finally { $key.Dispose() }
  } finally {
    $root.Dispose()
  }
}

# One that is not installed, switched off or started on demand only keeps nobody waiting.
function Test-ServiceIsUp([string]$Name) {
  try { $service = Get-Service -Name $Name -ErrorAction Stop } catch { return $true }
  return [string]$service.Status -eq 'Running' -or (Get-ServiceStart $Name) -ne 2
}

# 2 automatic, 3 on demand, 4 disabled; ServiceController reports it since .NET Framework 4.6.1 only.
function Get-ServiceStart([string]$Name) {
  $root = Open-MachineRoot
  try {
    $key = $root.OpenSubKey('SYSTEM\CurrentControlSet\Services\' + $Name)
    if ($null -eq $key) { return 0 }
    try { return [int]$key.GetValue('Start') } finally { $key.Dispose() }
  } catch {
    return 0
  } finally {
    $root.Dispose()
  }
}

# The answer to the `boot` verb: it is queried often, and while the host is starting, so it has to be fast.
function Get-BootSections {
  $signs = Get-StartingSigns
  $sections = New-Object Collections.Specialized.OrderedDictionary
  $sections['boot-id'] = Get-BootId
  $sections['system-state'] = $(if ($signs.Length -eq 0) { 'running' } else { 'starting' })
  $sections['starting'] = $signs -join "`n"
  $sections['clock'] = [string](Get-EpochSeconds) + "`n" + [string](Get-UptimeSec)
  return $sections
}
