# The runner of an operator's own text, in a powershell.exe of its own: the text comes in base64 on standard input and is
# read to its end before it runs, so that what it runs finds an empty input. Ends with the text's own exit code, with that
# of a native program it ended with, or with 1 where it failed.
function Invoke-OwnText {
  try { [Console]::OutputEncoding = New-Object Text.UTF8Encoding($false) } catch { $null = $_ }
  $ProgressPreference = 'SilentlyContinue'
  $global:FettleText = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String([Console]::In.ReadToEnd()))
  $global:LASTEXITCODE = 0
  $global:FettleIsOk = $true
  # Only behind its last statement is known how it ended. A text of named blocks takes nothing behind them.
  try {
    $global:FettleBlock = [ScriptBlock]::Create($global:FettleText + "`n" + '$global:FettleIsOk = $?')
  } catch {
    try { $global:FettleBlock = [ScriptBlock]::Create($global:FettleText) } catch {
      [Console]::Error.WriteLine($_.Exception.GetBaseException().Message)
      exit 1
    }
  }
  & $global:FettleBlock | Out-Default
  if ($global:FettleIsOk) { exit 0 }
  if ($global:LASTEXITCODE) { exit $global:LASTEXITCODE }
  exit 1
}
