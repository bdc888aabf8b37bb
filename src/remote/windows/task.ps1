# Work as SYSTEM in a scheduled task: it outlives the session, and Windows Update lets it do what a network logon may not.
# Settings are all set, since their defaults stop a task on battery, after three days, or leave it at low priority.

function Open-TaskFolder {
  $service = New-Object -ComObject Schedule.Service
  [void]$service.Connect()
  return @{ Service = $service; Folder = $service.GetFolder('\') }
}

# The registered task, or nothing.
function Find-Task([string]$Name) {
  $tasks = Open-TaskFolder
  try { return $tasks.Folder.GetTask('fettle-' + $Name) } catch { return $null }
}

# TASK_STATE of taskschd.h: 2 queued, 4 running.
function Test-SystemTask([string]$Name) {
  try {
    $task = Find-Task $Name
    return $null -ne $task -and (2, 4) -contains [int]$task.State
  } catch {
    # It went between the two questions.
    return $false
  }
}

function Remove-Task([string]$Name) {
  $tasks = Open-TaskFolder
  try { [void]$tasks.Folder.DeleteTask('fettle-' + $Name, 0) } catch { $null = $_ }
}

# Names of our tasks without the prefix.
function Get-TaskNames {
  $tasks = Open-TaskFolder
  $all = $tasks.Folder.GetTasks(1)
  $names = New-Object Collections.ArrayList
  for ($at = 1; $at -le $all.Count; $at++) {
    try { $name = [string]$all.Item($at).Name } catch { continue }
    if ($name.StartsWith('fettle-', [StringComparison]::OrdinalIgnoreCase)) { [void]$names.Add($name.Substring(7)) }
  }
  return , $names.ToArray()
}

# Runs this script once more as SYSTEM, with a request of its own; its files are in a directory of the task's name.
function Start-SystemTask([string]$Name, [string]$Line, [int]$LimitMinutes) {
  $directory = [IO.Path]::Combine((Get-BaseDirectory), $Name)
  [void][IO.Directory]::CreateDirectory($directory)
  Write-Atomic ([IO.Path]::Combine($directory, 'request')) $Line
  Write-Atomic ([IO.Path]::Combine($directory, 'script')) $ScriptText
  Register-SystemTask $Name $directory ('PT' + $LimitMinutes + 'M')
}

# Registers and runs it, with nothing left of an earlier failure; PT0S is no limit (ITaskSettings::ExecutionTimeLimit).
function Register-SystemTask([string]$Name, [string]$Directory, [string]$Limit) {
  [IO.File]::Delete([IO.Path]::Combine($Directory, 'failed'))
  $tasks = Open-TaskFolder
  $definition = $tasks.Service.NewTask(0)
  $definition.RegistrationInfo.Author = 'fettle'
  $definition.RegistrationInfo.Description = 'fettle job ' + $Name
  $definition.Principal.UserId = 'S-1-5-18'
  $definition.Principal.LogonType = 5
  $definition.Principal.RunLevel = 1
  Set-TaskSettings $definition.Settings $Limit
  # It never fires: it is over already. Its end is what lets the task service remove a forgotten task.
  $trigger = $definition.Triggers.Create(1)
  $trigger.StartBoundary = Format-Boundary -1
  $trigger.EndBoundary = Format-Boundary 30
  $trigger.Enabled = $true
  $action = $definition.Actions.Create(0)
  $action.Path = Get-PowerShellPath
  $action.Arguments = '-NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand ' + (Get-RunnerCommand $Directory)
  $action.WorkingDirectory = [Environment]::SystemDirectory
  $task = $tasks.Folder.RegisterTaskDefinition('fettle-' + $Name, $definition, 6, $null, $null, 5)
  # 2: TASK_RUN_IGNORE_CONSTRAINTS
  [void]$task.RunEx($null, 2, 0, '')
}

function Set-TaskSettings($Settings, [string]$Limit) {
  $Settings.Enabled = $true
  $Settings.Hidden = $false
  $Settings.AllowDemandStart = $true
  $Settings.AllowHardTerminate = $true
  $Settings.Compatibility = 2
  $Settings.DisallowStartIfOnBatteries = $false
  $Settings.StopIfGoingOnBatteries = $false
  $Settings.ExecutionTimeLimit = $Limit
  $Settings.MultipleInstances = 2
  $Settings.Priority = 5
  $Settings.RestartCount = 0
  $Settings.RunOnlyIfIdle = $false
  $Settings.RunOnlyIfNetworkAvailable = $false
  $Settings.StartWhenAvailable = $false
  $Settings.WakeToRun = $false
  $Settings.DeleteExpiredTaskAfter = 'PT0S'
  $Settings.IdleSettings.StopOnIdleEnd = $false
  $Settings.IdleSettings.RestartOnIdle = $false
}

function Format-Boundary([int]$Days) {
  return [DateTime]::UtcNow.AddDays($Days).ToString('yyyy-MM-ddTHH:mm:ssZ', [Globalization.CultureInfo]::InvariantCulture)
}

function Get-SystemFile([string[]]$Names) {
  $path = [IO.Path]::Combine($env:SystemRoot, 'System32')
  foreach ($name in $Names) { $path = [IO.Path]::Combine($path, $name) }
  return $path
}

function Get-PowerShellPath { return Get-SystemFile 'WindowsPowerShell', 'v1.0', 'powershell.exe' }

# Script and request are files: no execution policy keeps text from running, as it may keep a file from it. Their hashes
# are in the command of the task, which only administrators can change: what was put in their place since does not run.
# Whatever keeps them from running (a policy, a virus scanner, a hash) is written beside them. The managed SHA256 is
# refused under a FIPS policy.
function Get-RunnerCommand([string]$Directory) {
  $runner = '$d = ''' + $Directory.Replace("'", "''") + '''
try {
  $h = [Security.Cryptography.SHA256CryptoServiceProvider]::new()
  $t = foreach ($n in @(''request'', ''' + (Get-FileDigest $Directory 'request') + '''), @(''script'', ''' + (Get-FileDigest $Directory 'script') + ''')) {
    $b = [IO.File]::ReadAllBytes([IO.Path]::Combine($d, $n[0]))
    if ([BitConverter]::ToString($h.ComputeHash($b)) -cne $n[1]) { throw ($n[0] + '' was changed after the task was made'') }
    [Text.UTF8Encoding]::new($false).GetString($b)
  }
  [void](& ([ScriptBlock]::Create($t[1])) $t[0] $t[1])
} catch {
  $e = $_.Exception.GetBaseException()
  [IO.File]::WriteAllText([IO.Path]::Combine($d, ''failed''), (''0x{0:X8} {1} ({2})'' -f $e.HResult, $e.Message, $_.FullyQualifiedErrorId))
  exit 1
}'
  return [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($runner))
}

function Get-FileDigest([string]$Directory, [string]$Name) {
  $hash = New-Object Security.Cryptography.SHA256CryptoServiceProvider
  try { return [BitConverter]::ToString($hash.ComputeHash([IO.File]::ReadAllBytes([IO.Path]::Combine($Directory, $Name)))) } finally { $hash.Dispose() }
}

# What the runner wrote where it could not run; one line, or nothing.
function Read-RunnerFailure([string]$Directory) {
  $words = Read-Text ([IO.Path]::Combine($Directory, 'failed'))
  if ($null -eq $words) { return '' }
  $line = ($words -replace '\s+', ' ' -replace '[^\x20-\x7e]', '?').Trim()
  return $line.Substring(0, [Math]::Min(400, $line.Length))
}
