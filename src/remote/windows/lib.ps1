param([string]$RequestLine, [string]$ScriptText)
# What every script begins with: a quiet, fixed environment, the request, and the framing of the answer.
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'
$VerbosePreference = 'SilentlyContinue'
$ConfirmPreference = 'None'
[Threading.Thread]::CurrentThread.CurrentCulture = [Globalization.CultureInfo]::InvariantCulture
[Threading.Thread]::CurrentThread.CurrentUICulture = [Globalization.CultureInfo]::InvariantCulture
$utf8 = New-Object Text.UTF8Encoding($false)
$strictUtf8 = New-Object Text.UTF8Encoding($false, $true)
$latin1 = [Text.Encoding]::GetEncoding(28591)
$recordSeparator = [string][char]0x1e
# Full control for SYSTEM and Administrators, inherited below, and nothing from above.
$ownSddl = 'O:BAG:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)'
$ownSddlPattern = '^O:(BA|SY)(G:[A-Z0-9-]+)?D:P[A-Z]*(\(A;OICI;FA;;;(SY|BA)\)){1,2}\z'
# Package managers whose parts were sent, by name, as each part has entered itself. Key: what an answer is the answer to;
# Scan: the answer; Inline: the same in the session, where no task can be started; Test: whether rows are its own; Install,
# Refresh, Repair: work of jobs.
$packageManagers = @{}
$script:jobLog = $null
$script:jobDirectory = $null

# Ends the script with an error whose kind the controller knows: bad-request, admin, disk.
function Stop-WithProblem([string]$Phase, [string]$Words) {
  $problem = New-Object InvalidOperationException($Words)
  $problem.Data['fettle'] = $Phase
  throw $problem
}

# The request is one line: v1 MARK VERB key=value ... -- a,b,c d,e,f ... In cells of rows =101 is the byte of that octal
# number, so that a cell may hold any text; who uses one checks it against an alphabet of its own. Words are the rows as
# they came.
function Read-Request([string]$Line) {
  if ($Line -cnotmatch '^[A-Za-z0-9.+~:_@/,= -]*\z') { Stop-WithProblem 'bad-request' 'the request has characters that no request has' }
  $words = $Line.Split([char[]]' ', [StringSplitOptions]::RemoveEmptyEntries)
  if ($words.Length -lt 3 -or $words[0] -cne 'v1' -or $words[1] -cnotmatch '^[a-z0-9]{1,32}\z' -or $words[2] -cnotmatch '^[a-z-]+\z') {
    Stop-WithProblem 'bad-request' 'the request is malformed'
  }
  $fields = @{}
  $rows = New-Object Collections.ArrayList
  $at = 3
  while ($at -lt $words.Length -and $words[$at] -cne '--') {
    if ($words[$at] -cnotmatch '^[a-z_]+=') { Stop-WithProblem 'bad-request' 'a field of the request is malformed' }
    $cut = $words[$at].IndexOf('=')
    $fields[$words[$at].Substring(0, $cut)] = $words[$at].Substring($cut + 1)
    $at++
  }
  $more = New-Object Collections.ArrayList
  for ($at++; $at -lt $words.Length; $at++) {
    [void]$more.Add($words[$at])
    [void]$rows.Add([string[]]@($words[$at].Split([char]',') | ForEach-Object { ConvertFrom-Cell $_ }))
  }
  return @{ Mark = $words[1]; Verb = $words[2]; Fields = $fields; Rows = $rows.ToArray(); Words = $more.ToArray() }
}

function ConvertFrom-Cell([string]$Cell) {
  if (-not $Cell.Contains('=')) { return $Cell }
  if ($Cell -cnotmatch '^([^=]|=[0-3][0-7][0-7])*\z') { Stop-WithProblem 'bad-request' 'a cell of the request is malformed' }
  $bytes = [byte[]]::new($Cell.Length)
  $count = 0
  for ($at = 0; $at -lt $Cell.Length; $at++) {
    if ($Cell[$at] -eq '=') {
      $bytes[$count++] = [Convert]::ToByte($Cell.Substring($at + 1, 3), 8)
      $at += 3
    } else {
      $bytes[$count++] = [byte][char]$Cell[$at]
    }
  }
  try { return $strictUtf8.GetString($bytes, 0, $count) } catch { Stop-WithProblem 'bad-request' 'a cell of the request is no text' }
}

# The value of a field of the request; digits only, few enough to count with.
function Get-Field($Request, [string]$Name, [string]$Default) {
  if ($Request.Fields.ContainsKey($Name)) { return [string]$Request.Fields[$Name] }
  return $Default
}

function Get-NumberField($Request, [string]$Name, [long]$Default) {
  $text = Get-Field $Request $Name ''
  if ($text -cmatch '^[0-9]{1,10}\z') { return [long]$text }
  return $Default
}

# A frame is text of one character a byte, so that the bytes of a log travel as they are.
function New-Frame([string]$Mark) {
  $text = New-Object Text.StringBuilder
  [void]$text.Append($recordSeparator).Append('FETTLE ').Append($Mark).Append(" begin`n")
  return @{ Mark = $Mark; Text = $text }
}

function Add-Section($Frame, [string]$Name, [string]$Text) {
  Add-ByteSection $Frame $Name ($utf8.GetBytes($Text))
}

function Add-ByteSection($Frame, [string]$Name, [byte[]]$Bytes) {
  [void]$Frame.Text.Append("`n").Append($recordSeparator).Append($Frame.Mark).Append(' ').Append($Name).Append("`n")
  [void]$Frame.Text.Append($latin1.GetString($Bytes))
}

function Complete-Frame($Frame) {
  return $Frame.Text.Append("`n").Append($recordSeparator).Append($Frame.Mark).Append(" end`n").ToString()
}

function Test-Administrator {
  $principal = New-Object Security.Principal.WindowsPrincipal([Security.Principal.WindowsIdentity]::GetCurrent())
  return $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
}

function Assert-Administrator {
  if (Test-Administrator) { return }
  $name = [Security.Principal.WindowsIdentity]::GetCurrent().Name
  Stop-WithProblem 'admin' ('the account ' + $name + ' has no administrator rights in this session')
}

# Seconds by the performance counter, which goes on evenly in every process until the next boot: wall clocks jump.
function Get-UptimeSec { return [long][Math]::Floor([Diagnostics.Stopwatch]::GetTimestamp() / [Diagnostics.Stopwatch]::Frequency) }

function Get-EpochSeconds {
  return [long][Math]::Floor(([DateTime]::UtcNow - (New-Object DateTime(1970, 1, 1, 0, 0, 0, ([DateTimeKind]::Utc)))).TotalSeconds)
}

# One that was there before us, or that others may write to, could feed SYSTEM their script.
function Protect-Directory([string]$Path) {
  $own = New-Object Security.AccessControl.DirectorySecurity
  $own.SetSecurityDescriptorSddlForm($ownSddl)
  $info = New-Object IO.DirectoryInfo($Path)
  try { if (-not $info.Exists) { [void]$info.Create($own) } } catch {
    Stop-WithProblem 'disk' ($Path + ' cannot be created: ' + $_.Exception.GetBaseException().Message)
  }
  $info = New-Object IO.DirectoryInfo($Path)
  if (-not $info.Exists -or ($info.Attributes -band [IO.FileAttributes]::ReparsePoint)) {
    Stop-WithProblem 'disk' ($Path + ' is a link or not a directory')
  }
  $sddl = $info.GetAccessControl().GetSecurityDescriptorSddlForm('Owner, Access')
  if ($sddl -cnotmatch '^O:(BA|SY)') { Stop-WithProblem 'disk' ($Path + ' belongs to somebody else: ' + $sddl) }
  if ($sddl -cnotmatch $ownSddlPattern) { Stop-WithProblem 'disk' ($Path + ' can be read or written by others: ' + $sddl) }
}

# Below Program Files only administrators make directories; below ProgramData, where earlier versions kept their own,
# everybody does, so that any user could have taken the name first.
$script:basePath = $null

function Get-BasePath {
  if ($null -eq $script:basePath) { $script:basePath = Find-BasePath }
  return $script:basePath
}

# The old place is moved as soon as no job is left there whose end nobody has fetched, and used until then. It counts only
# where owner and access are exactly ours.
function Find-BasePath {
  $path = [IO.Path]::Combine($env:ProgramFiles, 'fettle')
  $old = [IO.Path]::Combine($env:ProgramData, 'fettle')
  if ([IO.Directory]::Exists($path) -or -not (Test-OwnDirectory $old)) { return $path }
  $jobs = [IO.Path]::Combine($old, 'jobs')
  if ([IO.Directory]::Exists($jobs) -and [IO.Directory]::GetDirectories($jobs).Length -gt 0) { return $old }
  try { [IO.Directory]::Move($old, $path) } catch { return $old }
  return $path
}

function Test-OwnDirectory([string]$Path) {
  try {
    $info = New-Object IO.DirectoryInfo($Path)
    if (-not $info.Exists -or ($info.Attributes -band [IO.FileAttributes]::ReparsePoint)) { return $false }
    return $info.GetAccessControl().GetSecurityDescriptorSddlForm('Owner, Access') -cmatch $ownSddlPattern
  } catch {
    return $false
  }
}

function Get-BaseDirectory {
  $base = Get-BasePath
  Protect-Directory $base
  return $base
}

# The text of a file that others may be writing or replacing; nothing where there is none.
function Read-Text([string]$Path) {
  $bytes = Read-Bytes $Path 0 16777216
  if ($null -eq $bytes) { return $null }
  return $utf8.GetString($bytes)
}

function Read-Bytes([string]$Path, [long]$Offset, [int]$Limit) {
  for ($try = 1; ; $try++) {
    try {
      $stream = New-Object IO.FileStream($Path, [IO.FileMode]::Open, [IO.FileAccess]::Read, ([IO.FileShare]'ReadWrite, Delete'))
      break
    } catch {
      $cause = $_.Exception.GetBaseException()
      if ($cause -is [IO.FileNotFoundException] -or $cause -is [IO.DirectoryNotFoundException]) { return $null }
      if ($try -ge 20) { throw $cause }
      [Threading.Thread]::Sleep(50)
    }
  }
  try {
    $length = [Math]::Min([Math]::Max(0, $stream.Length - $Offset), $Limit)
    $bytes = [byte[]]::new([int]$length)
    [void]$stream.Seek($Offset, [IO.SeekOrigin]::Begin)
    $read = 0
    while ($read -lt $length) {
      $count = $stream.Read($bytes, $read, $length - $read)
      if ($count -le 0) { break }
      $read += $count
    }
    if ($read -lt $length) { [Array]::Resize([ref]$bytes, $read) }
    return , $bytes
  } finally {
    $stream.Dispose()
  }
}

# Whole or not at all: written aside, flushed to the disk and moved into place. Scanners hold new files for a moment.
function Write-Atomic([string]$Path, [string]$Text) { Write-AtomicBytes $Path ($utf8.GetBytes($Text)) }

function Write-AtomicBytes([string]$Path, [byte[]]$Bytes) {
  $aside = $Path + '.' + [Guid]::NewGuid().ToString('N').Substring(0, 8) + '.new'
  try {
    $stream = New-Object IO.FileStream($aside, [IO.FileMode]::CreateNew, [IO.FileAccess]::Write, [IO.FileShare]::None)
    try {
      $stream.Write($Bytes, 0, $Bytes.Length)
      $stream.Flush($true)
    } finally {
      $stream.Dispose()
    }
    for ($try = 1; ; $try++) {
      try {
        if ([IO.File]::Exists($Path)) { [IO.File]::Replace($aside, $Path, [NullString]::Value) } else { [IO.File]::Move($aside, $Path) }
        return
      } catch {
        if ($try -ge 20) { throw }
        [Threading.Thread]::Sleep(50)
      }
    }
  } finally {
    try { [IO.File]::Delete($aside) } catch { $null = $_ }
  }
}

# A directory, unless there is one of that name already. A scanner that looks into it keeps it for a moment.
function Move-Directory([string]$From, [string]$To) {
  for ($try = 1; ; $try++) {
    try {
      [IO.Directory]::Move($From, $To)
      return
    } catch {
      if ($try -ge 40 -or [IO.Directory]::Exists($To) -or -not [IO.Directory]::Exists($From)) { throw }
      [Threading.Thread]::Sleep(50)
    }
  }
}

# A program of the host by its full path, without a window; its output in the code page of the console, unless another one
# is named. One that is late goes on, unless it is to be ended: what installs is not ended halfway.
function Invoke-Native([string]$File, [string]$Arguments, [int]$TimeoutSec, [Text.Encoding]$Encoding, [bool]$IsEnded) {
  $start = New-Object Diagnostics.ProcessStartInfo($File, $Arguments)
  $start.UseShellExecute = $false
  $start.CreateNoWindow = $true
  $start.RedirectStandardInput = $true
  $start.RedirectStandardOutput = $true
  $start.RedirectStandardError = $true
  if ($null -ne $Encoding) { $start.StandardOutputEncoding = $Encoding; $start.StandardErrorEncoding = $Encoding }
  $process = [Diagnostics.Process]::Start($start)
  try {
    $process.StandardInput.Dispose()
    $output = $process.StandardOutput.ReadToEndAsync()
    $errors = $process.StandardError.ReadToEndAsync()
    $isOver = $process.WaitForExit($TimeoutSec * 1000)
    if (-not $isOver) {
      if ($IsEnded) { try { $process.Kill() } catch { $null = $_ } }
      return @{ ExitCode = -1; Output = ''; TimedOut = $true }
    }
    # A child that it left behind may keep the pipes.
    [void][Threading.Tasks.Task]::WaitAll(@($output, $errors), 5000)
    $words = ''
    foreach ($task in $output, $errors) { if ($task.IsCompleted) { $words += $task.Result } }
    return @{ ExitCode = $process.ExitCode; Output = $words; TimedOut = $false }
  } finally {
    $process.Dispose()
  }
}
