# Package managers: which of them this host has, and what the parts that were sent can do. How each is found is here, and
# always sent; all else is in a part of its own.

# In the order in which they install. Windows Update is on every host.
$managerOrder = 'windows-update', 'chocolatey', 'winget'

# Below ProgramData; who may change it is checked before it is run.
function Find-Chocolatey {
  $path = [IO.Path]::Combine([string]$env:ProgramData, 'chocolatey', 'bin', 'choco.exe')
  if ([IO.File]::Exists($path)) { return $path }
  return ''
}

# The alias in a user's profile is not there for SYSTEM: the newest installed package has the program itself.
function Find-Winget {
  if ([string]$env:ProgramFiles -eq '') { return '' }
  $apps = [IO.Path]::Combine($env:ProgramFiles, 'WindowsApps')
  $best = ''
  $bestVersion = New-Object Version 0, 0
  try {
    foreach ($folder in [IO.Directory]::GetDirectories($apps, 'Microsoft.DesktopAppInstaller_*_8wekyb3d8bbwe')) {
      $path = [IO.Path]::Combine($folder, 'winget.exe')
      $version = New-Object Version 0, 0
      $words = [IO.Path]::GetFileName($folder).Split('_')
      if ($words.Count -lt 2 -or -not [Version]::TryParse($words[1], [ref]$version)) { continue }
      if ([IO.File]::Exists($path) -and $version -ge $bestVersion) { $best = $path; $bestVersion = $version }
    }
  } catch { [void]$_ }
  return $best
}

# Software managers by what this account can read.
function Get-OwnFinds {
  $found = New-Object Collections.ArrayList
  if ((Find-Chocolatey) -ne '') { [void]$found.Add('chocolatey') }
  if ((Find-Winget) -ne '') { [void]$found.Add('winget') }
  return , $found.ToArray()
}

function Test-SoftwareIsAsked($Request) { return (Get-Field $Request 'software' '') -cne 'no' }

# Every package manager of this host: SYSTEM may read folders that an administrator's session may not, so that what the
# last scan found counts too.
function Get-FoundManagers($Request) {
  if (-not (Test-SoftwareIsAsked $Request)) { return , @('windows-update') }
  $found = @('windows-update') + (Get-OwnFinds) + (Read-SystemFinds)
  return , @($managerOrder | Where-Object { $found -ccontains $_ })
}

function Get-FindsPath { return [IO.Path]::Combine((Get-BasePath), 'scan', 'found') }

function Read-SystemFinds {
  if (-not (Test-Administrator)) { return , @() }
  try { $text = Read-Text (Get-FindsPath) } catch { return , @() }
  if ($null -eq $text) { return , @() }
  return , $text.Trim().Split([char]' ')
}

# Those whose part is wanted: the ones that the request names, or all that were found; without a part nothing is done.
function Get-WantedManagers($Request, [string[]]$Found) {
  $names = $Found
  $asked = Get-Field $Request 'managers' ''
  if ($asked -ne '') { $names = $asked.Split([char]',') }
  if (-not (Test-SoftwareIsAsked $Request)) { $names = @($names | Where-Object { $_ -ceq 'windows-update' }) }
  return , @($managerOrder | Where-Object { $names -ccontains $_ -and $packageManagers.ContainsKey($_) })
}
