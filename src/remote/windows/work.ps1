# The work of jobs that has nothing to do with updates.

# cmd and every PowerShell hand it on unchanged; the first line of standard input is the program, the rest its own.
$textStub = '& ([ScriptBlock]::Create([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String([Console]::In.ReadLine()))))'
# Restarting these ends sessions, the machine's nerves, or the job itself.
$neverRestarted = @(
  'brokerinfrastructure', 'dcomlaunch', 'eventlog', 'lsm', 'netlogon', 'plugplay', 'power', 'profsvc', 'rpceptmapper', 'rpcss',
  'samss', 'schedule', 'sshd', 'systemeventsbroker', 'termservice', 'trustedinstaller', 'winmgmt', 'winrm'
)

function Invoke-Hook($Request) {
  $text = ConvertFrom-Octal (Get-Field $Request 'script' '')
  Write-JobNote 'running the script'
  $code = Invoke-LoggedText $text
  if ($code -eq 0) { return New-JobAnswer 'ok' 0 '' }
  return New-JobAnswer 'failed' $code ('the script ended with status ' + $code)
}

# Text of any bytes comes as three octal digits a byte.
function ConvertFrom-Octal([string]$Octal) {
  $bytes = [byte[]]::new([int]($Octal.Length / 3))
  for ($at = 0; $at -lt $bytes.Length; $at++) { $bytes[$at] = [Convert]::ToByte($Octal.Substring($at * 3, 3), 8) }
  return $utf8.GetString($bytes)
}

# Runs it into the log; answers with its exit code as an unsigned number.
function Invoke-LoggedText([string]$Text) {
  $arguments = '-NoProfile -NonInteractive -ExecutionPolicy Bypass -Command "' + $textStub + '"'
  $start = New-Object Diagnostics.ProcessStartInfo((Get-PowerShellPath), $arguments)
  $start.UseShellExecute = $false
  $start.CreateNoWindow = $true
  $start.RedirectStandardInput = $true
  $start.RedirectStandardOutput = $true
  $start.RedirectStandardError = $true
  $process = [Diagnostics.Process]::Start($start)
  try {
    $lines = ${function:Invoke-OwnText}.ToString(), $Text | ForEach-Object { [Convert]::ToBase64String($utf8.GetBytes($_)) + "`n" }
    $bytes = $utf8.GetBytes(-join $lines)
    # Past the writer, which may begin with a byte order mark. Whether a script reads its input is up to the script.
    try { $process.StandardInput.BaseStream.Write($bytes, 0, $bytes.Length) } catch { $null = $_ }
    try { $process.StandardInput.Dispose() } catch { $null = $_ }
    Copy-Output $process
    $process.WaitForExit()
    return [long]$process.ExitCode -band 0xffffffffL
  } finally {
    $process.Dispose()
  }
}

# Both streams into the log as they come; not for ever where a child was left behind that still has them open.
function Copy-Output($Process) {
  $pipes = New-Object Collections.ArrayList
  foreach ($stream in $Process.StandardOutput.BaseStream, $Process.StandardError.BaseStream) {
    $buffer = [byte[]]::new(32768)
    [void]$pipes.Add(@{ Stream = $stream; Buffer = $buffer; Task = $stream.ReadAsync($buffer, 0, $buffer.Length) })
  }
  $still = 0
  while ($pipes.Count -gt 0 -and $still -lt 10) {
    $tasks = [Threading.Tasks.Task[]]@($pipes | ForEach-Object { $_.Task })
    $at = [Threading.Tasks.Task]::WaitAny($tasks, 100)
    if ($at -lt 0) {
      if ($Process.HasExited) { $still++ }
      continue
    }
    $still = 0
    $pipe = $pipes[$at]
    $count = $(if ($pipe.Task.IsFaulted) { 0 } else { $pipe.Task.Result })
    if ($count -le 0) {
      $pipes.RemoveAt($at)
    } else {
      Write-LogBytes $pipe.Buffer $count
      $pipe.Task = $pipe.Stream.ReadAsync($pipe.Buffer, 0, $pipe.Buffer.Length)
    }
  }
}

function Invoke-Restart($Request) {
  $failed = New-Object Collections.ArrayList
  foreach ($row in $Request.Rows) {
    $name = $row[0]
    if ($neverRestarted -contains $name) {
      Write-JobLog ('left alone: ' + $name)
      continue
    }
    Write-JobNote ('restarting ' + $name)
    Write-JobLog ('restarting ' + $name)
    try { Restart-Service -Name $name -Force -ErrorAction Stop } catch {
      Write-JobLog ($name + ': ' + $_.Exception.Message)
      [void]$failed.Add($name)
    }
  }
  if ($failed.Count -eq 0) { return New-JobAnswer 'ok' 0 '' }
  return New-JobAnswer 'failed' 1 ('not restarted: ' + ($failed.ToArray() -join ' '))
}
