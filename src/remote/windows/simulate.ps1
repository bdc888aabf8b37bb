# What one package manager would do: a list of it that is new enough, with what was asked.

function Get-Simulation($Request) {
  $names = Get-WantedManagers $Request @()
  if ($names.Length -ne 1) { Stop-WithProblem 'bad-request' 'a simulation asks one package manager' }
  $name = $names[0]
  if (-not (& $packageManagers[$name]['Test'] $Request.Rows)) { Stop-WithProblem 'bad-request' ('a row is none of ' + $name) }
  $sections = New-Object Collections.Specialized.OrderedDictionary
  $sections['asked'] = (@($Request.Rows | ForEach-Object { $_ -join ' ' }) -join "`n")
  $answers = Get-ScanAnswers $Request $names $simulateFreshSec
  $sections[$name] = $answers[$name]
  return $sections
}
