# The Windows Update Agent: one search, its record. Runs as SYSTEM: a network logon may not do the half of it.

$classifications = @{
  '0fa1201d-4330-4fa8-8ae9-b877473b6441' = 'security'
  'e6cf1350-c01b-414d-a61f-263d14d133b4' = 'critical'
  'e0789628-ce08-4437-be74-2495b842f43b' = 'definition'
  '28bc880e-0592-4cbf-8f95-c79b17911d5f' = 'rollup'
  'cd5ffd1e-e932-4e3a-bf74-18bf0b1bbd83' = 'update'
  '3689bdc8-b205-4af4-8d4a-a63924c5e9d5' = 'upgrade'
  'b54e7d24-7add-428f-8b75-90a396fa584f' = 'feature-pack'
  '68c5b0a3-d1a6-4553-ae49-01d3a7827828' = 'service-pack'
  'b4832bd8-e735-4761-8daf-37f882276dab' = 'tool'
  'ebfc1fc5-71a4-4f7b-9aca-3b9a503104a0' = 'driver'
  '77835c8d-62a7-41f5-82ad-f28d1af1e3b1' = 'driver'
}
$microsoftUpdate = '7971f918-a847-4430-9279-4a52d1efe18d'

# Servers that are busy, or a session that has to be made anew: worth another search.
$passingCodes = @(
  '0x80244010', '0x80244007', '0x8024401C', '0x80244022', '0x8024401F', '0x80244021', '0x80244023', '0x80240438',
  '0x8024001F', '0x80072EE2', '0x80072EFD', '0x80072EFE', '0x8024402C', '0x80248007', '0x8024001B', '0x80240009'
)

function Read-TextProperty($Object, [string]$Name, $Errors) {
  $value = Read-Property $Object $Name $Errors
  if ($null -eq $value) { return '' }
  return [string]$value
}

function Read-NumberProperty($Object, [string]$Name, $Errors) {
  $value = Read-Property $Object $Name $Errors
  if ($null -eq $value) { return $null }
  try { return [long]$value } catch { return $null }
}

function Read-FlagProperty($Object, [string]$Name, $Errors) {
  $value = Read-Property $Object $Name $Errors
  if ($null -eq $value) { return $null }
  return [bool]$value
}

# COM dates are UTC, without a mark.
function Read-MomentProperty($Object, [string]$Name, $Errors) {
  $value = Read-Property $Object $Name $Errors
  if ($value -isnot [DateTime]) { return $null }
  return Format-Moment ([DateTime]::SpecifyKind($value, [DateTimeKind]::Utc))
}

# A COM collection as a list; an item that cannot be read is an error, not the end.
function Read-Items($Object, [string]$Name, $Errors) {
  $items = New-Object Collections.ArrayList
  $collection = Read-Property $Object $Name $Errors
  if ($null -eq $collection) { return , $items }
  $count = Read-NumberProperty $collection 'Count' $Errors
  for ($index = 0; $index -lt $count; $index++) {
    try { [void]$items.Add($collection.Item($index)) } catch {
      if ($null -ne $Errors) { [void]$Errors.Add($Name + ' ' + (Get-ErrorCode $_)) }
    }
  }
  return , $items
}

function Read-Words($Object, [string]$Name, $Errors) {
  $words = New-Object Collections.ArrayList
  foreach ($item in (Read-Items $Object $Name $Errors)) { if ($null -ne $item) { [void]$words.Add([string]$item) } }
  return , $words
}

function Read-Categories($Update, $Errors) {
  $categories = New-Object Collections.ArrayList
  foreach ($item in (Read-Items $Update 'Categories' $Errors)) {
    [void]$categories.Add(@{
        id   = (Read-TextProperty $item 'CategoryID' $Errors).ToLowerInvariant()
        name = Read-TextProperty $item 'Name' $Errors
        type = Read-TextProperty $item 'Type' $Errors
      })
  }
  return , $categories
}

# By the identity of the category: names are in the language of the host.
function Get-Classification($Categories) {
  foreach ($category in $Categories) {
    if ($classifications.ContainsKey($category.id)) { return $classifications[$category.id] }
  }
  return 'unknown'
}

# What is known of one update; undefined without an identity.
function Read-Update($Update) {
  $errors = New-Object Collections.ArrayList
  $identity = Read-Property $Update 'Identity' $errors
  if ($null -eq $identity) { return $null }
  $id = (Read-TextProperty $identity 'UpdateID' $errors).ToLowerInvariant()
  if ($id -eq '') { return $null }
  $categories = Read-Categories $Update $errors
  $behavior = Read-Property $Update 'InstallationBehavior' $errors
  $record = @{
    id               = $id
    revision         = Read-NumberProperty $identity 'RevisionNumber' $errors
    title            = Read-TextProperty $Update 'Title' $errors
    kb               = Read-Words $Update 'KBArticleIDs' $errors
    categories       = $categories
    classification   = Get-Classification $categories
    severity         = Read-TextProperty $Update 'MsrcSeverity' $errors
    cves             = Read-Words $Update 'CveIDs' $errors
    bulletins        = Read-Words $Update 'SecurityBulletinIDs' $errors
    supersedes       = Read-Words $Update 'SupersededUpdateIDs' $errors
    type             = Read-NumberProperty $Update 'Type' $errors
    sizeMax          = Read-NumberProperty $Update 'MaxDownloadSize' $errors
    sizeMin          = Read-NumberProperty $Update 'MinDownloadSize' $errors
    published        = Read-MomentProperty $Update 'LastDeploymentChangeTime' $errors
    deadline         = Read-MomentProperty $Update 'Deadline' $errors
    supportUrl       = Read-TextProperty $Update 'SupportUrl' $errors
    deploymentAction = Read-NumberProperty $Update 'DeploymentAction' $errors
    handler          = Read-TextProperty $Update 'HandlerID' $errors
    bundled          = (Read-Items $Update 'BundledUpdates' $errors).Count
  }
  foreach ($name in 'IsDownloaded', 'IsInstalled', 'IsHidden', 'IsMandatory', 'IsPresent', 'IsBeta', 'IsUninstallable',
    'BrowseOnly', 'AutoSelectOnWebSites', 'PerUser', 'EulaAccepted', 'RebootRequired') {
    $record[$name.Substring(0, 1).ToLowerInvariant() + $name.Substring(1)] = Read-FlagProperty $Update $name $errors
  }
  if ($null -ne $behavior) {
    $record['impact'] = Read-NumberProperty $behavior 'Impact' $errors
    $record['rebootBehavior'] = Read-NumberProperty $behavior 'RebootBehavior' $errors
    $record['canRequestUserInput'] = Read-FlagProperty $behavior 'CanRequestUserInput' $errors
    $record['requiresNetwork'] = Read-FlagProperty $behavior 'RequiresNetworkConnectivity' $errors
  }
  $record['readErrors'] = $errors
  return $record
}

# A session of its own for each round: an old one may need a reset (0x8024801C).
function New-UpdateSession {
  $session = New-Object -ComObject Microsoft.Update.Session
  try { $session.ClientApplicationID = 'fettle' } catch { [void]$_ }
  # English titles where the language is there; a host without it keeps its own.
  try { $session.UserLocale = 1033 } catch { [void]$_ }
  return $session
}

# source: default, wsus, windows-update, microsoft-update; cab: an offline catalogue in a local file.
function New-UpdateSearcher($Session, $Choice) {
  $searcher = $Session.CreateUpdateSearcher()
  if ($Choice.Cab -ne '') {
    $manager = New-Object -ComObject Microsoft.Update.ServiceManager
    $Choice.Service = $manager.AddScanPackageService('fettle offline scan', $Choice.Cab, 0)
    $searcher.ServerSelection = 3
    $searcher.ServiceID = [string]$Choice.Service.ServiceID
    return $searcher
  }
  switch ($Choice.Source) {
    'wsus' { $searcher.ServerSelection = 1 }
    'windows-update' { $searcher.ServerSelection = 2 }
    'microsoft-update' {
      Add-MicrosoftUpdate
      $searcher.ServerSelection = 3
      $searcher.ServiceID = $microsoftUpdate
    }
  }
  return $searcher
}

# Registered once and kept; asked for by name only.
function Add-MicrosoftUpdate {
  $manager = New-Object -ComObject Microsoft.Update.ServiceManager
  foreach ($service in (Read-Items $manager 'Services' (New-Object Collections.ArrayList))) {
    if ((Read-TextProperty $service 'ServiceID' $null) -eq $microsoftUpdate) { return }
  }
  [void]$manager.AddService2($microsoftUpdate, 7, '')
}

function Read-SourceChoice($Request) {
  $source = (Get-Field $Request 'source' '')
  if ($source -eq '') { $source = 'default' }
  $cab = (Get-Field $Request 'cab' '')
  if ($cab -ne '') {
    # A share is refused with 0x8007007B; the message explains it.
    if ($cab.StartsWith('//')) { throw 'the catalogue for an offline scan must lie on a disk of the host itself' }
    $cab = [IO.Path]::GetFullPath($cab)
    if (-not [IO.File]::Exists($cab)) { throw ('there is no catalogue ' + $cab) }
  }
  return @{ Source = $source; Cab = $cab; Service = $null }
}

# The scan package is a service of the agent until it is removed.
function Remove-ScanPackage($Choice) {
  if ($null -eq $Choice.Service) { return }
  try {
    [void](New-Object -ComObject Microsoft.Update.ServiceManager).RemoveService([string]$Choice.Service.ServiceID)
  } catch { [void]$_ }
  $Choice.Service = $null
}

# Up to four searches where the source is busy, whether the agent throws that or hands back a search that failed; each
# other error ends it.
function Invoke-Search($Searcher, [string]$Criteria, [int]$PauseMs) {
  for ($round = 1; ; $round++) {
    try {
      $result = $Searcher.Search($Criteria)
      if ($round -ge 4 -or -not (Test-SearchPassed $result)) { return , $result }
    } catch {
      $code = Get-ErrorCode $_
      if ($round -ge 4 -or $passingCodes -notcontains $code) { throw }
    }
    [Threading.Thread]::Sleep($PauseMs * $round)
  }
}

# A search that failed (4) over something that passes.
function Test-SearchPassed($Result) {
  if ((Read-NumberProperty $Result 'ResultCode' $null) -ne 4) { return $false }
  foreach ($warning in (Read-Items $Result 'Warnings' $null)) {
    if ($passingCodes -contains (Format-ErrorCode (Read-NumberProperty $warning 'HResult' $null))) { return $true }
  }
  return $false
}
