# Reads "v1 MARK SHA256" and a gzipped payload in base64 from stdin, checks it, runs it, prints one frame between sentinels.
$ProgressPreference = 'SilentlyContinue'
$ErrorActionPreference = 'Stop'
$mode = [string]$ExecutionContext.SessionState.LanguageMode
if ($mode -ne 'FullLanguage') { "<<FETTLE-CANNOT:language:$mode>>"; exit 1 }
$version = $PSVersionTable.PSVersion
if ($version -lt [version]'5.1') { "<<FETTLE-CANNOT:version:$version>>"; exit 1 }
$utf8 = [Text.UTF8Encoding]::new($false)
# The managed SHA256 is refused under a FIPS policy.
$sha = [Security.Cryptography.SHA256CryptoServiceProvider]::new()
function Get-Digest($Bytes) { [BitConverter]::ToString($sha.ComputeHash($Bytes)).Replace('-', '').ToLowerInvariant() }
$mark = '0'
$phase = 'read'
$code = 0
try {
  $reader = [IO.StreamReader]::new([Console]::OpenStandardInput(), [Text.Encoding]::ASCII)
  $head = $reader.ReadLine() -split ' '
  if ($head[1] -cmatch '^[a-z0-9]{1,32}\z') { $mark = $head[1] }
  $packed = [IO.MemoryStream]::new([Convert]::FromBase64String($reader.ReadToEnd()))
  $plain = [IO.MemoryStream]::new()
  [IO.Compression.GZipStream]::new($packed, [IO.Compression.CompressionMode]::Decompress).CopyTo($plain)
  $payload = $plain.ToArray()
  if ($head[0] -cne 'v1' -or (Get-Digest $payload) -cne $head[2]) { throw 'the script did not arrive whole' }
  $text = $utf8.GetString($payload)
  $cut = $text.IndexOf("`n")
  $line = $text.Substring(0, $cut)
  $text = $text.Substring($cut + 1)
  $phase = 'script'
  $block = [ScriptBlock]::Create($text)
  $phase = 'run'
  # One character a byte.
  $answer = [Text.Encoding]::GetEncoding(28591).GetBytes([string]@(& $block $line $text)[-1])
} catch {
  $problem = $_
  $error1 = $problem.Exception.GetBaseException()
  if ($error1.Data['fettle']) { $phase = $error1.Data['fettle'] }
  $facts = @(
    "phase $phase", "type $($error1.GetType().FullName)", ('hresult 0x{0:X8}' -f $error1.HResult)
    "id $($problem.FullyQualifiedErrorId)", "position $($problem.ScriptStackTrace)", "message $($error1.Message)"
  ) -replace '\s+', ' ' -join "`n"
  $rs = [char]0x1e
  $answer = $utf8.GetBytes("${rs}FETTLE $mark begin`n`n$rs$mark problem`n$facts`n$rs$mark end`n")
  $code = 1
}
$out = [Console]::Out
$out.Write("<<FETTLE:${mark}:$($answer.Length):$(Get-Digest $answer):")
$data = [Convert]::ToBase64String($answer)
for ($at = 0; $at -lt $data.Length; $at += 8000) {
  $out.Write($data.Substring($at, [Math]::Min(8000, $data.Length - $at)) + "`n")
}
$out.Write(">>`n")
exit $code
