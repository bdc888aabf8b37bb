# JSON as we want it: ConvertTo-Json of 5.1 cuts off below a depth, unrolls lists and writes dates of its own.

function ConvertTo-PlainJson($Value) {
  $text = New-Object Text.StringBuilder
  Add-JsonValue $text $Value 0
  return $text.ToString()
}

function Add-JsonValue([Text.StringBuilder]$Text, $Value, [int]$Depth) {
  if ($null -eq $Value -or $Depth -gt 12) {
    [void]$Text.Append('null')
  } elseif ($Value -is [bool]) {
    [void]$Text.Append($(if ($Value) { 'true' } else { 'false' }))
  } elseif ($Value -is [string] -or $Value -is [char]) {
    Add-JsonString $Text ([string]$Value)
  } elseif ($Value -is [DateTime]) {
    $words = $Value.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ', [Globalization.CultureInfo]::InvariantCulture)
    Add-JsonString $Text $words
  } elseif ($Value -is [Collections.IDictionary]) {
    Add-JsonObject $Text $Value $Depth
  } elseif ($Value -is [Collections.IEnumerable]) {
    Add-JsonList $Text $Value $Depth
  } elseif ($Value -is [double] -or $Value -is [single] -or $Value -is [decimal]) {
    Add-JsonNumber $Text ([double]$Value)
  } elseif (-not $Value.GetType().IsPrimitive) {
    Add-JsonString $Text ([string]$Value)
  } else {
    [void]$Text.Append([Convert]::ToString($Value, [Globalization.CultureInfo]::InvariantCulture))
  }
}

function Add-JsonNumber([Text.StringBuilder]$Text, [double]$Value) {
  if ([double]::IsNaN($Value) -or [double]::IsInfinity($Value)) {
    [void]$Text.Append('null')
  } else {
    [void]$Text.Append($Value.ToString('R', [Globalization.CultureInfo]::InvariantCulture))
  }
}

function Add-JsonObject([Text.StringBuilder]$Text, $Value, [int]$Depth) {
  [void]$Text.Append('{')
  $isFirst = $true
  foreach ($key in @($Value.Keys)) {
    if (-not $isFirst) { [void]$Text.Append(',') }
    $isFirst = $false
    Add-JsonString $Text ([string]$key)
    [void]$Text.Append(':')
    Add-JsonValue $Text $Value[$key] ($Depth + 1)
  }
  [void]$Text.Append('}')
}

function Add-JsonList([Text.StringBuilder]$Text, $Value, [int]$Depth) {
  [void]$Text.Append('[')
  $isFirst = $true
  foreach ($item in $Value) {
    if (-not $isFirst) { [void]$Text.Append(',') }
    $isFirst = $false
    Add-JsonValue $Text $item ($Depth + 1)
  }
  [void]$Text.Append(']')
}

# ASCII only: what is not becomes an escape, so that no code page on the way can change it. Most text has nothing to
# escape and goes in whole: one call a character takes seconds for a long list.
$plainText = New-Object Text.RegularExpressions.Regex('^[ !#-\[\]-~]*\z')

function Add-JsonString([Text.StringBuilder]$Text, [string]$Value) {
  if ($plainText.IsMatch($Value)) {
    [void]$Text.Append('"').Append($Value).Append('"')
    return
  }
  [void]$Text.Append('"')
  foreach ($character in $Value.ToCharArray()) {
    $code = [int]$character
    if ($code -eq 34 -or $code -eq 92) {
      [void]$Text.Append('\').Append($character)
    } elseif ($code -lt 32 -or $code -gt 126) {
      [void]$Text.Append('\u').Append($code.ToString('x4', [Globalization.CultureInfo]::InvariantCulture))
    } else {
      [void]$Text.Append($character)
    }
  }
  [void]$Text.Append('"')
}
