# What scripts of fettle are made of, run once before the fork server forks: types, members and cmdlets that they use are
# then loaded and compiled in each copy. It starts no process and reads no console, which would leave threads behind.
param([string]$Line, [string]$Directory)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
[Threading.Thread]::CurrentThread.CurrentCulture = [Globalization.CultureInfo]::InvariantCulture
$utf8 = New-Object Text.UTF8Encoding($false)
$latin1 = [Text.Encoding]::GetEncoding(28591)
$names = @('brokerinfrastructure', 'eventlog')

function Stop-WithProblem([string]$Phase, [string]$Words) {
  $problem = New-Object InvalidOperationException($Words)
  $problem.Data['phase'] = $Phase
  throw $problem
}

function Read-Request([string]$Line) {
  if ($Line -cnotmatch '^[A-Za-z0-9.+~:_@/,= -]*\z') { Stop-WithProblem 'bad-request' 'no request' }
  $words = $Line.Split([char[]]' ', [StringSplitOptions]::RemoveEmptyEntries)
  if ($words.Length -lt 3 -or $words[0] -cne 'v1' -or $words[2] -cnotmatch '^[a-z-]+\z') { Stop-WithProblem 'bad-request' 'no' }
  $fields = @{}
  $rows = New-Object Collections.ArrayList
  $at = 3
  while ($at -lt $words.Length -and $words[$at] -cne '--') {
    $cut = $words[$at].IndexOf('=')
    $fields[$words[$at].Substring(0, $cut)] = $words[$at].Substring($cut + 1)
    $at++
  }
  for ($at++; $at -lt $words.Length; $at++) { [void]$rows.Add($words[$at].Split([char]',')) }
  return @{ Mark = $words[1]; Verb = $words[2]; Fields = $fields; Rows = $rows.ToArray(); Line = $Line }
}

function Get-Field($Request, [string]$Name, [string]$Default) {
  if ($Request.Fields.ContainsKey($Name)) { return [string]$Request.Fields[$Name] }
  return $Default
}

function Add-Value([Text.StringBuilder]$Text, $Value, [int]$Depth) {
  if ($null -eq $Value -or $Depth -gt 12) { [void]$Text.Append('null')
  } elseif ($Value -is [bool]) { [void]$Text.Append($(if ($Value) { 'true' } else { 'false' }))
  } elseif ($Value -is [string]) { [void]$Text.Append('"').Append(($Value -replace '["\\]', '\$0')).Append('"')
  } elseif ($Value -is [Collections.IDictionary]) {
    foreach ($key in @($Value.Keys)) { Add-Value $Text $key ($Depth + 1); Add-Value $Text $Value[$key] ($Depth + 1) }
  } elseif ($Value -is [Collections.IEnumerable]) { foreach ($item in $Value) { Add-Value $Text $item ($Depth + 1) }
  } else { [void]$Text.Append([Convert]::ToString($Value, [Globalization.CultureInfo]::InvariantCulture)) }
}

function Get-Switched([string]$Verb) {
  switch -CaseSensitive ($Verb) { 'start' { return 1 } 'follow' { return 2 } }
  return [long]0
}

function Test-Files([string]$Directory) {
  $path = [IO.Path]::Combine($Directory, 'file')
  [void][IO.Directory]::CreateDirectory($Directory)
  [IO.File]::WriteAllBytes("$path.new", $utf8.GetBytes("words`n"))
  [IO.File]::Move("$path.new", $path)
  $stream = New-Object IO.FileStream($path, [IO.FileMode]::Open, [IO.FileAccess]::Read, [IO.FileShare]::ReadWrite)
  try {
    $buffer = [byte[]]::new(16)
    $count = $stream.Read($buffer, 0, $buffer.Length)
    [void]$stream.Seek(0, [IO.SeekOrigin]::Begin)
    $text = $latin1.GetString($buffer, 0, $count)
  } finally { $stream.Dispose() }
  foreach ($file in [IO.Directory]::GetFiles($Directory)) { if ([IO.File]::Exists($file)) { [IO.File]::Delete($file) } }
  return $text.Trim().Split(' ')[-1] + [IO.File]::Exists($path) + [IO.Directory]::Exists($Directory)
}

function Get-Packed([string]$Text) {
  $packed = [IO.MemoryStream]::new()
  $zip = [IO.Compression.GZipStream]::new($packed, [IO.Compression.CompressionMode]::Compress)
  $bytes = $utf8.GetBytes($Text)
  $zip.Write($bytes, 0, $bytes.Length)
  $zip.Dispose()
  $plain = [IO.MemoryStream]::new()
  $again = [IO.MemoryStream]::new([Convert]::FromBase64String([Convert]::ToBase64String($packed.ToArray())))
  [IO.Compression.GZipStream]::new($again, [IO.Compression.CompressionMode]::Decompress).CopyTo($plain)
  $sha = [Security.Cryptography.SHA256CryptoServiceProvider]::new()
  return [BitConverter]::ToString($sha.ComputeHash($plain.ToArray())).Replace('-', '').ToLowerInvariant()
}

$request = Read-Request $Line
$text = New-Object Text.StringBuilder
Add-Value $text @{ verb = Get-Field $request 'job' ''; rows = $request.Rows; yes = $true; none = $null; number = 1.5 } 0
foreach ($phase in 'one', 'two') {
  try { Stop-WithProblem $phase 'words' } catch [InvalidOperationException] { $cause = $_.Exception.GetBaseException() } finally { $done = $phase }
  try { [void][IO.File]::ReadAllText("$Directory/none") } catch { $cause = $_ }
}
$lines = "$done $($cause.FullyQualifiedErrorId)", ('{0:X8}' -f 5), (Get-Switched 'start'), (Test-Files "$Directory/files"), (Get-Packed 'text')
$many = @($lines | Where-Object { $_ -ne '' } | ForEach-Object { [string]$_ })
$block = [ScriptBlock]::Create('param($A, $B) return $A + $B + "`n"')
[void](& $block 'a' ($lines -join "`n"))
$root = [Microsoft.Win32.RegistryKey]::OpenBaseKey('LocalMachine', 'Registry64')
$key = $root.OpenSubKey('SOFTWARE\Microsoft\Windows NT\CurrentVersion')
if ($null -ne $key) { [void]$key.GetValue('UBR') }
$service = New-Object -ComObject Schedule.Service
$service.Connect()
try { [void]$service.GetFolder('\').GetTask('none') } catch { $null = $_ }
$user = [Security.Principal.WindowsIdentity]::GetCurrent()
[void](New-Object Security.Principal.WindowsPrincipal($user)).IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
[void][Math]::Floor([Diagnostics.Stopwatch]::GetTimestamp() / [Diagnostics.Stopwatch]::Frequency)
[void]([DateTime]::UtcNow - [DateTime]::new(1970, 1, 1)).TotalSeconds
