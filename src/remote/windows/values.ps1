# Errors of Windows as a code and words, and properties that may throw.

# The code that Windows gave lies at the end of a chain of wrappers.
function Get-ErrorCode($Problem) {
  $exception = $Problem
  if ($Problem -is [Management.Automation.ErrorRecord]) { $exception = $Problem.Exception }
  $code = $exception.HResult
  while ($null -ne $exception) {
    if ($exception -is [Runtime.InteropServices.COMException]) { return Format-ErrorCode $exception.ErrorCode }
    if ($exception -is [UnauthorizedAccessException]) { return '0x80070005' }
    $code = $exception.HResult
    $exception = $exception.InnerException
  }
  return Format-ErrorCode $code
}

function Format-ErrorCode($Code) {
  if ($null -eq $Code) { return '0x00000000' }
  return [string]::Format([Globalization.CultureInfo]::InvariantCulture, '0x{0:X8}', ([long]$Code -band 4294967295))
}

function Get-ErrorWords($Problem) {
  $exception = $Problem
  if ($Problem -is [Management.Automation.ErrorRecord]) { $exception = $Problem.Exception }
  while ($null -ne $exception.InnerException) { $exception = $exception.InnerException }
  return [string]$exception.Message
}

# One property, which may throw, or may be missing on an old agent. The comma keeps a collection whole.
function Read-Property($Object, [string]$Name, $Errors) {
  try {
    return , $Object.$Name
  } catch {
    $isMissing = $_.Exception -is [Management.Automation.PropertyNotFoundException]
    if (-not $isMissing -and $null -ne $Errors) { [void]$Errors.Add($Name + ' ' + (Get-ErrorCode $_)) }
    return $null
  }
}

function Format-Moment([DateTime]$Moment) {
  return $Moment.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ', [Globalization.CultureInfo]::InvariantCulture)
}
