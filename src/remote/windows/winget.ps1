# winget: its lists and its upgrades.

# Whatever the code page of the host, winget writes UTF-8; read as another one the columns of its tables move.
function Get-WingetLists([string]$Path) {
  $quiet = ' --accept-source-agreements --disable-interactivity'
  $version = Invoke-List $Path '--version' $utf8
  return New-ListState $version (Invoke-List $Path ('list' + $quiet) $utf8) (Invoke-List $Path ('upgrade' + $quiet) $utf8)
}

# The words have no character that a command line would read as anything else.
function Invoke-WingetUpgrade([string]$Path, [string]$Name, [string]$Version) {
  $words = 'upgrade --id ' + $Name + ' --exact --version ' + $Version + ' --silent --disable-interactivity'
  return Invoke-Native $Path ($words + ' --accept-package-agreements --accept-source-agreements') $upgradeLimitSec $utf8
}

$packageManagers['winget'] = @{
  Key         = { 'lists' }
  Scan        = { Get-SoftwareAnswer 'winget' }
  Test        = { param($Rows) Test-SoftwareRows $Rows }
  Find        = { Find-Winget }
  List        = { param($Path) Get-WingetLists $Path }
  Upgrade     = { param($Path, $Name, $Version) Invoke-WingetUpgrade $Path $Name $Version }
  # INSTALL_REBOOT_REQUIRED_TO_FINISH (0x8A150109) and INSTALL_REBOOT_INITIATED (0x8A15010B) of its returnCodes.md: done.
  GoodCodes   = 0, -1978334967, -1978334965
  RebootCodes = -1978334967, -1978334965
}
