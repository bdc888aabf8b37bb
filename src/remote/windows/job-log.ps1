# The messages of a job while it works. Outside of a job all of it does nothing.

$logCap = 8388608

function Open-JobLog([string]$Directory) {
  $script:jobDirectory = $Directory
  $path = [IO.Path]::Combine($Directory, 'log')
  $script:jobLog = New-Object IO.FileStream($path, [IO.FileMode]::Append, [IO.FileAccess]::Write, ([IO.FileShare]'ReadWrite, Delete'))
}

# Keeps the first megabytes and swallows the rest: a flood neither fills the disk nor stops who makes it.
function Write-LogBytes([byte[]]$Bytes, [int]$Count) {
  if ($null -eq $script:jobLog) { return }
  $room = $logCap - $script:jobLog.Length
  if ($room -le 0) { return }
  try {
    $script:jobLog.Write($Bytes, 0, [int][Math]::Min($room, $Count))
    $script:jobLog.Flush()
  } catch {
    # A full disk: the job goes on.
    $null = $_
  }
}

function Write-JobLog([string]$Text) {
  $bytes = $utf8.GetBytes($Text + "`n")
  Write-LogBytes $bytes $bytes.Length
}

# What the job is at, and since when.
function Write-JobNote([string]$Text) {
  if ($null -eq $script:jobDirectory) { return }
  $line = [string](Get-UptimeSec) + ' ' + ($Text -replace '[^\x20-\x7e]', '?') + "`n"
  try { Write-Atomic ([IO.Path]::Combine($script:jobDirectory, 'note')) $line } catch { $null = $_ }
}

function Test-LogIsFull { return $null -ne $script:jobLog -and $script:jobLog.Length -ge $logCap }

function Close-JobLog {
  if ($null -eq $script:jobLog) { return }
  if (Test-LogIsFull) {
    $words = $utf8.GetBytes("`n[fettle: the log ends here, at $logCap bytes; the job went on]`n")
    try { $script:jobLog.Write($words, 0, $words.Length) } catch { $null = $_ }
  }
  $script:jobLog.Dispose()
  $script:jobLog = $null
}
