# Software that Windows Update does not know, by the package managers that are there. Runs as SYSTEM: winget does not
# start in a network logon. What they print is read by the controller; nothing localised is looked at here.

# All the lists of one scan together; what is not there by then is missing, and the scan says so.
$listLimitSec = 180
# 0 done, 1605/1614 nothing to remove, 1641/3010 done and a restart is due (Chocolatey's documented exit codes).
$goodChocoCodes = 0, 1605, 1614, 1641, 3010
$rebootCodes = 1641, 3010
$trustees = '(SY|BA|S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464)'

# One that fails does not keep the other out.
function Get-ThirdParty {
  $script:listClock = [Diagnostics.Stopwatch]::StartNew()
  $found = @{ failures = New-Object Collections.ArrayList }
  try {
    $choco = Find-Choco
    if ($choco -ne '') { $found['chocolatey'] = Get-ChocoState $choco }
  } catch { [void]$found.failures.Add('chocolatey: ' + (Get-ErrorWords $_)) }
  try {
    $winget = Find-Winget
    if ($winget -ne '') { $found['winget'] = Get-WingetState $winget }
  } catch { [void]$found.failures.Add('winget: ' + (Get-ErrorWords $_)) }
  return $found
}

# Below ProgramData everybody may make a directory: what lies there is run only where nobody but administrators put it.
function Find-Choco {
  $root = [IO.Path]::Combine([string]$env:ProgramData, 'chocolatey')
  $bin = [IO.Path]::Combine($root, 'bin')
  $path = [IO.Path]::Combine($bin, 'choco.exe')
  if (-not [IO.File]::Exists($path)) { return '' }
  Assert-Guarded (New-Object IO.DirectoryInfo($root))
  Assert-Guarded (New-Object IO.DirectoryInfo($bin))
  Assert-Guarded (New-Object IO.FileInfo($path))
  return $path
}

# Owned by SYSTEM, Administrators or TrustedInstaller, no link, and to be read at most by everybody else.
function Assert-Guarded($Info) {
  if ($Info.Attributes -band [IO.FileAttributes]::ReparsePoint) { throw ($Info.FullName + ' is a link and is not run') }
  $sddl = $Info.GetAccessControl().GetSecurityDescriptorSddlForm('Owner, Access')
  $isGuarded = $sddl -cmatch ('^O:' + $trustees + 'D:[A-Z]*(\([^()]*\))+\z')
  foreach ($entry in [regex]::Matches($sddl, '\(([^()]*)\)')) {
    $words = $entry.Groups[1].Value.Split(';')
    $isHarmless = $words[0] -ceq 'D' -or ($words[0] -ceq 'A' -and $words[2] -cmatch '^(0x1?200a9|0x1?20089|FR|FX|GR|GX|GXGR|GRGX)\z')
    if (-not $isHarmless -and $words[5] -cnotmatch ('^(' + $trustees + '|CO)\z')) { $isGuarded = $false }
  }
  if (-not $isGuarded) { throw ($Info.FullName + ' is not run, since others than administrators may change it: ' + $sddl) }
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

# A program that only lists, ended where it takes more than what is left of the time for all of them.
function Invoke-List([string]$Path, [string]$Arguments, [Text.Encoding]$Encoding) {
  $left = [int]($listLimitSec - $script:listClock.Elapsed.TotalSeconds)
  if ($left -le 0) { return @{ ExitCode = -1; Output = ''; TimedOut = $true } }
  return Invoke-Native $Path $Arguments $left $Encoding $true
}

function New-ListState($Version, $Installed, $Outdated) {
  return @{
    version = $Version.Output.Trim(); installed = $Installed.Output; outdated = $Outdated.Output
    listCode = $Installed.ExitCode; outdatedCode = $Outdated.ExitCode
    listTimedOut = $Installed.TimedOut; outdatedTimedOut = $Outdated.TimedOut; limit = $listLimitSec
  }
}

function Get-ChocoState([string]$Path) {
  $version = Invoke-List $Path '--version'
  # Version 2 lists what is installed by itself; version 1 has to be told.
  $list = 'list --limit-output'
  if ($version.Output -match '^\s*[01]\.') { $list += ' --local-only' }
  return New-ListState $version (Invoke-List $Path $list) (Invoke-List $Path 'outdated --limit-output --no-progress')
}

# Whatever the code page of the host, winget writes UTF-8; read as another one the columns of its tables move.
function Get-WingetState([string]$Path) {
  $quiet = ' --accept-source-agreements --disable-interactivity'
  $version = Invoke-List $Path '--version' $utf8
  return New-ListState $version (Invoke-List $Path ('list' + $quiet) $utf8) (Invoke-List $Path ('upgrade' + $quiet) $utf8)
}

# Rows are name, manager, version; whatever they print goes into the log.
function Install-ThirdParty($Rows, $Results) {
  foreach ($row in $Rows) {
    $result = @{ name = $row[0]; manager = $row[1]; version = $row[2]; code = 0; outcome = 'failed'; needsReboot = $false }
    Write-JobNote ('installing ' + $row[0] + ' ' + $row[2] + ' by ' + $row[1])
    try {
      $done = Invoke-ThirdParty $row
      Write-JobLog $done.Output
      $result.code = [int]$done.ExitCode
      $result.needsReboot = $rebootCodes -contains $done.ExitCode
      if ($goodChocoCodes -contains $done.ExitCode) { $result.outcome = 'installed' }
      if ($done.TimedOut) { $result.outcome = 'failed'; Write-JobLog ($row[0] + ' took too long') }
    } catch {
      Write-JobLog ($row[0] + ': ' + (Get-ErrorWords $_))
    }
    [void]$Results.Add($result)
  }
}

# The words of a row have no character that a command line would read as anything else.
function Invoke-ThirdParty($Row) {
  if ($Row[1] -eq 'chocolatey') {
    $words = 'upgrade ' + $Row[0] + ' --version ' + $Row[2] + ' --yes --no-progress --limit-output'
    return Invoke-Native (Find-Choco) $words 3600
  }
  $words = 'upgrade --id ' + $Row[0] + ' --exact --version ' + $Row[2] + ' --silent --disable-interactivity'
  return Invoke-Native (Find-Winget) ($words + ' --accept-package-agreements --accept-source-agreements') 3600 $utf8
}

# A name or version of another alphabet could be an option or a command of its own.
function Test-ThirdPartyRow($Row) {
  return $Row.Count -eq 3 -and $Row[1] -in 'chocolatey', 'winget' -and
  $Row[0] -match '^[A-Za-z0-9][A-Za-z0-9._+-]*$' -and $Row[2] -match '^[A-Za-z0-9][A-Za-z0-9._+-]*$'
}
