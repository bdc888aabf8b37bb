# What is, without the search for updates and all that takes its time.

function Get-Summary($Request) {
  $facts = Get-Facts
  $managers = (Get-FoundManagers $Request) -join "`n"
  $sections = New-Object Collections.Specialized.OrderedDictionary
  $sections['family'] = 'windows'
  $sections['managers'] = $managers
  # None of them has anything of its own in a summary.
  $sections['scanned'] = $managers
  $sections['boot-id'] = Get-BootId
  $sections['claim'] = Get-ActiveClaim
  $sections['windows'] = ConvertTo-PlainJson @{
    facts = $facts; account = Get-Account; disks = Get-DiskFacts; running = Get-RunningInstallers
  }
  $sections['clock'] = [string](Get-EpochSeconds) + "`n" + [string]$facts.uptime
  return $sections
}
