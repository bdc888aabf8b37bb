# The last part of the probe script: what is asked, answered with one frame.
$request = Read-Request $RequestLine
if ($request.Verb -ceq 'scan-worker') {
  Invoke-ScanWorker $request
  return
}
$frame = New-Frame $request.Mark
switch -CaseSensitive ($request.Verb) {
  'boot' { $sections = Get-BootSections }
  'summary' { $sections = Get-Summary $request }
  'probe' { $sections = Get-Probe $request }
  'simulate' { $sections = Get-Simulation $request }
  default { Stop-WithProblem 'bad-request' ('the probe has no verb ' + $request.Verb) }
}
foreach ($name in @($sections.Keys)) { Add-Section $frame $name ([string]$sections[$name]) }
Complete-Frame $frame
