# What is required before anything is installed: free space on the system drive, and no other installer running.

# Below it nothing is begun.
$minFreeBytes = 3221225472

function Get-SystemDriveFree {
  try { return (New-Object IO.DriveInfo($env:SystemDrive)).AvailableFreeSpace } catch { return $null }
}

# Why there is too little room, in words; empty where there is enough, or nobody knows.
function Get-DiskShortage {
  $free = Get-SystemDriveFree
  if ($null -eq $free -or $free -ge $minFreeBytes) { return '' }
  return 'the system drive has ' + [int]($free / 1048576) + ' MiB free, ' + [int]($minFreeBytes / 1048576) + ' MiB are needed'
}

# Programs that install right now: Windows Update's worker reports it itself, Windows Installer holds a mutex.
function Get-RunningInstallers {
  $running = New-Object Collections.ArrayList
  foreach ($name in 'wusa', 'msiexec', 'dism') {
    foreach ($process in [Diagnostics.Process]::GetProcessesByName($name)) {
      # The service msiexec /V stays for a while after its work; without a command line only session 0 shows it.
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
