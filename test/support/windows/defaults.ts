import { createHash } from 'node:crypto';
import type { RegistryKeyModel, ServiceModel, WindowsCategory, WindowsModel, WindowsUpdate } from './model.ts';

/** Update classifications by the identities Microsoft publishes for them. */
export const classification = {
  security: category('0fa1201d-4330-4fa8-8ae9-b877473b6441', 'Security Updates'),
  critical: category('e6cf1350-c01b-414d-a61f-263d14d133b4', 'Critical Updates'),
  definition: category('e0789628-ce08-4437-be74-2495b842f43b', 'Definition Updates'),
  rollup: category('28bc880e-0592-4cbf-8f95-c79b17911d5f', 'Update Rollups'),
  update: category('cd5ffd1e-e932-4e3a-bf74-18bf0b1bbd83', 'Updates'),
  upgrade: category('3689bdc8-b205-4af4-8d4a-a63924c5e9d5', 'Upgrades'),
  driver: category('ebfc1fc5-71a4-4f7b-9aca-3b9a503104a0', 'Drivers'),
} satisfies Record<string, WindowsCategory>;

function category(id: string, name: string): WindowsCategory {
  return { id, name, type: 'UpdateClassification' };
}

/** An ordinary security update that may need a reboot; its id is made from its title. */
export function windowsUpdate(wanted: Partial<WindowsUpdate> & { title: string }): WindowsUpdate {
  const digits = /\(KB(\d+)\)/.exec(wanted.title)?.[1];
  return {
    id: idOf(wanted.title),
    revision: 200,
    kb: digits === undefined ? [] : [digits],
    categories: [classification.security],
    severity: '',
    type: 'software',
    size: 1_000_000,
    isInstalled: false,
    isDownloaded: false,
    isHidden: false,
    isMandatory: false,
    browseOnly: false,
    impact: 0,
    rebootBehavior: 0,
    canRequestUserInput: false,
    eulaAccepted: true,
    deploymentAction: 1,
    perUser: false,
    downloadSeconds: 0,
    installSeconds: 0,
    downloadResult: { resultCode: 2 },
    installResult: { resultCode: 2 },
    rollsBackAtReboot: false,
    needsCommit: false,
    isEndless: false,
    failingProperties: {},
    published: '2026-09-08T17:00:00Z',
    cves: [],
    supersedes: [],
    requires: [],
    isWaitingForReboot: false,
    ...wanted,
  };
}

function idOf(title: string): string {
  const hex = createHash('sha256').update(title).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The month's updates of a Server 2022: a cumulative one with a reboot, .NET, a definition and the malware tool. */
export function monthOfUpdates(): WindowsUpdate[] {
  return [
    windowsUpdate({
      title:
        '2026-09 Cumulative Update for Microsoft server operating system version 21H2 for x64-based Systems (KB5065432)',
      severity: 'Critical',
      size: 400_000_000,
      rebootBehavior: 2,
      ubr: 4171,
      cves: ['CVE-2026-21001', 'CVE-2026-21002'],
    }),
    windowsUpdate({
      title: '2026-09 Cumulative Update for .NET Framework 3.5, 4.8 and 4.8.1 for x64 (KB5065111)',
      severity: 'Important',
      size: 70_000_000,
    }),
    windowsUpdate({
      title: 'Security Intelligence Update for Microsoft Defender Antivirus - KB2267602 (Version 1.437.12.0)',
      kb: ['2267602'],
      categories: [classification.definition],
      size: 12_000_000,
      isEndless: true,
    }),
    windowsUpdate({
      title: 'Windows Malicious Software Removal Tool x64 - v5.130 (KB890830)',
      kb: ['890830'],
      categories: [classification.rollup],
      size: 30_000_000,
    }),
  ];
}

const services: Record<string, ServiceModel> = {
  wuauserv: { displayName: 'Windows Update', status: 'Stopped', startType: 'Manual', isTriggered: true },
  BITS: { displayName: 'Background Intelligent Transfer Service', status: 'Stopped', startType: 'Manual' },
  CryptSvc: { displayName: 'Cryptographic Services', status: 'Running', startType: 'Automatic' },
  TrustedInstaller: { displayName: 'Windows Modules Installer', status: 'Stopped', startType: 'Manual' },
  msiserver: { displayName: 'Windows Installer', status: 'Stopped', startType: 'Manual' },
  Schedule: { displayName: 'Task Scheduler', status: 'Running', startType: 'Automatic' },
  RpcSs: { displayName: 'Remote Procedure Call (RPC)', status: 'Running', startType: 'Automatic' },
  EventLog: { displayName: 'Windows Event Log', status: 'Running', startType: 'Automatic' },
  Winmgmt: { displayName: 'Windows Management Instrumentation', status: 'Running', startType: 'Automatic' },
  LanmanServer: { displayName: 'Server', status: 'Running', startType: 'Automatic' },
  Dnscache: { displayName: 'DNS Client', status: 'Running', startType: 'Automatic' },
  WinRM: { displayName: 'Windows Remote Management (WS-Management)', status: 'Running', startType: 'Automatic' },
  UsoSvc: { displayName: 'Update Orchestrator Service', status: 'Running', startType: 'Automatic', isDelayed: true },
  Spooler: { displayName: 'Print Spooler', status: 'Running', startType: 'Automatic' },
  W32Time: { displayName: 'Windows Time', status: 'Running', startType: 'Automatic', isTriggered: true },
};

const currentVersion = String.raw`HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion`;
const sessionManager = String.raw`HKLM\SYSTEM\CurrentControlSet\Control\Session Manager`;

function registry(computerName: string): Record<string, RegistryKeyModel> {
  const name = { values: { ComputerName: { kind: 'String' as const, data: computerName } } };
  const control = String.raw`HKLM\SYSTEM\CurrentControlSet\Control`;
  return {
    [String.raw`${currentVersion}\Component Based Servicing`]: { values: {} },
    [String.raw`${currentVersion}\WindowsUpdate\Auto Update`]: { values: {} },
    [String.raw`${currentVersion}\Uninstall\7-Zip`]: {
      values: {
        DisplayName: { kind: 'String', data: '7-Zip 24.08 (x64)' },
        DisplayVersion: { kind: 'String', data: '24.08' },
        Publisher: { kind: 'String', data: 'Igor Pavlov' },
        EstimatedSize: { kind: 'DWord', data: 5693 },
      },
    },
    [sessionManager]: { values: {} },
    [String.raw`${control}\ComputerName\ComputerName`]: structuredClone(name),
    [String.raw`${control}\ComputerName\ActiveComputerName`]: structuredClone(name),
    [String.raw`HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters`]: {
      values: {
        Hostname: { kind: 'String', data: computerName },
        'NV Hostname': { kind: 'String', data: computerName },
      },
    },
    [String.raw`HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon\AutoLogonChecked`]: {
      isVolatile: true,
      values: {},
    },
    [String.raw`HKLM\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full`]: {
      values: { Release: { kind: 'DWord', data: 528449 } },
    },
    [String.raw`HKLM\SOFTWARE\Microsoft\Cryptography`]: {
      values: { MachineGuid: { kind: 'String', data: idOf(`machine ${computerName}`) } },
    },
    [String.raw`HKU\S-1-5-18`]: { values: {} },
  };
}

/** A patched-last-month Server 2022, reached by an administrator, that updates from Windows Update. */
export function windowsModel(now: number, wanted: Partial<WindowsModel> = {}): WindowsModel {
  const os: WindowsModel['os'] = {
    caption: 'Microsoft Windows Server 2022 Standard',
    version: '10.0.20348',
    build: 20348,
    ubr: 4052,
    edition: 'ServerStandard',
    displayVersion: '21H2',
    installationType: 'Server',
    productType: 3,
    computerName: 'WIN-LAB',
    domain: 'WORKGROUP',
    isDomainJoined: false,
    ...wanted.os,
  };
  return {
    boot: { number: 41, time: now - 6 * 86_400_000 },
    reboot: { delayShare: 1, shutdownMs: 0, offMs: 200, bootingMs: 200, logonUiMs: 0, servicingMs: 0 },
    updates: [],
    history: [],
    agent: agent(),
    services: structuredClone(services),
    registry: registry(os.computerName),
    tasks: {},
    taskStartMs: 0,
    taskFault: '',
    account: {
      name: `${os.computerName}\\Administrator`,
      sid: 'S-1-5-21-1004336348-1177238915-682003330-500',
      isAdministrator: true,
    },
    sessions: [],
    languageMode: 'FullLanguage',
    powershellVersion: '5.1.20348.2227',
    codePage: 437,
    firstUseProgress: true,
    disks: [{ letter: 'C:', size: 136_365_211_648, free: 88_000_000_000, label: '' }],
    memory: { totalBytes: 8_589_934_592, freeBytes: 5_000_000_000 },
    acls: {},
    cim: hardware(os.computerName),
    mutexes: [],
    ...wanted,
    os,
  };
}

/** Rows of CIM, with identities made from the name. */
function hardware(computerName: string): WindowsModel['cim'] {
  const id = idOf(computerName);
  const tail = id.slice(-6).toUpperCase();
  return {
    Win32_ComputerSystemProduct: [{ UUID: id.toUpperCase(), IdentifyingNumber: `VM-${tail}`, Name: 'Standard PC' }],
    Win32_BIOS: [{ SMBIOSBIOSVersion: '1.16.2', SerialNumber: `VM-${tail}`, Manufacturer: 'SeaBIOS' }],
    Win32_Processor: [{ Name: 'Intel(R) Xeon(R) Gold 6254', NumberOfCores: 4, NumberOfLogicalProcessors: 8 }],
    Win32_NetworkAdapterConfiguration: [
      {
        Description: 'Red Hat VirtIO Ethernet Adapter',
        IPEnabled: true,
        MACAddress: `52:54:00:${tail.match(/../g)?.join(':') ?? ''}`,
        IPAddress: ['192.0.2.17', 'fe80::1'],
      },
    ],
    Win32_QuickFixEngineering: [{ HotFixID: 'KB5064081', Description: 'Security Update' }],
  };
}

function agent(): WindowsModel['agent'] {
  return {
    version: '10.0.20348.4052',
    isBusy: false,
    rebootRequiredBeforeInstallation: false,
    source: 'windows-update',
    searchFault: '',
    searchFaultTimes: -1,
    searchSeconds: 0,
    returnsEmptyUpdates: false,
    remoteTokenRefusesWua: true,
    wrapsComErrors: false,
    scanPackages: [],
    searchWarnings: [],
    services: [{ id: '9482f4b4-e343-43b6-b170-9a65bc822c77', name: 'Windows Update', isManaged: false }],
  };
}
