# The last part of the job script: what is asked, answered with one frame.
$request = Read-Request $RequestLine
if ($request.Verb -ceq 'run') {
  Invoke-Job $request
  return
}
Assert-Administrator
$frame = New-Frame $request.Mark
switch -CaseSensitive ($request.Verb) {
  'start' { Start-DetachedJob $request $frame }
  'follow' { Watch-Job $request $frame }
  'collect' { Clear-Job $request $frame }
  'sweep' { Clear-OldJobs $request $frame }
  'stat' { [void](Add-Status $frame (Get-JobName $request)) }
  default { Stop-WithProblem 'bad-request' ('a job has no verb ' + $request.Verb) }
}
Complete-Frame $frame
