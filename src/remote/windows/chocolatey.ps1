# Chocolatey: its lists and its upgrades.

$trustees = '(SY|BA|S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464)'

# Below ProgramData everybody may make a directory: what lies there is run only where nobody but administrators put it.
function Find-GuardedChocolatey {
  $path = Find-Chocolatey
  if ($path -eq '') { return '' }
  $program = New-Object IO.FileInfo($path)
  Assert-Guarded $program.Directory.Parent
  Assert-Guarded $program.Directory
  Assert-Guarded $program
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

function Get-ChocolateyLists([string]$Path) {
  $version = Invoke-List $Path '--version'
  # Version 2 lists what is installed by itself; version 1 needs an option for that.
  $list = 'list --limit-output'
  if ($version.Output -match '^\s*[01]\.') { $list += ' --local-only' }
  return New-ListState $version (Invoke-List $Path $list) (Invoke-List $Path 'outdated --limit-output --no-progress')
}

# The words have no character that a command line would read as anything else.
function Invoke-ChocolateyUpgrade([string]$Path, [string]$Name, [string]$Version) {
  $words = 'upgrade ' + $Name + ' --version ' + $Version + ' --yes --no-progress --limit-output'
  return Invoke-Native $Path $words $upgradeLimitSec
}

$packageManagers['chocolatey'] = @{
  Key         = { 'lists' }
  Scan        = { Get-SoftwareAnswer 'chocolatey' }
  Test        = { param($Rows) Test-SoftwareRows $Rows }
  Find        = { Find-GuardedChocolatey }
  List        = { param($Path) Get-ChocolateyLists $Path }
  Upgrade     = { param($Path, $Name, $Version) Invoke-ChocolateyUpgrade $Path $Name $Version }
  # 0 done, 1605/1614 nothing to remove, 1641/3010 done and a restart is due (its documented exit codes).
  GoodCodes   = 0, 1605, 1614, 1641, 3010
  RebootCodes = 1641, 3010
}
