/**
 * What to do about a code: `retry` it in the same round, `reboot` and retry once, `fix` something first, `skip` it as
 * no failure, `network` = infrastructure, to be tried a few times, `wait` for the host itself.
 */
type HResultClass = 'retry' | 'reboot' | 'fix' | 'skip' | 'network' | 'wait';

export interface HResultEntry {
  /** Name in wuerror.h or winerror.h; empty where neither has one. */
  readonly name: string;
  readonly class: HResultClass;
  readonly meaning: string;
  readonly remedy: string;
}

export interface KnownHResult extends HResultEntry {
  /** `0x80240017` */
  readonly code: string;
}

const wait = 'fettle waits for it; if it persists, find the other installer on the host';
const network = 'check the network, the proxy (netsh winhttp show proxy) and the update source of the host';
const wsus = 'the update server is overloaded or broken: check its application pool, lower the concurrency';
const store = 'repair the component store: DISM /Online /Cleanup-Image /RestoreHealth, then try again';
const datastore = 'stop wuauserv, rename the folder SoftwareDistribution, then scan again';
const again = 'fettle tries again; if it persists, check the log with Get-WindowsUpdateLog on the host';
const restart = 'restart the host, then run it again';

type Line = readonly [code: number, name: string, of: HResultClass, meaning: string, remedy: string];

const lines: readonly Line[] = [
  [0x80070005, 'E_ACCESSDENIED', 'fix', 'access denied', 'the call needs SYSTEM, or the store has wrong permissions'],
  [0x80240001, 'WU_E_NO_SERVICE', 'fix', 'the update service cannot be reached', 'start wuauserv and BITS'],
  [0x80240003, 'WU_E_UNKNOWN_ID', 'fix', 'unknown id', 'scan again; the source has changed'],
  [0x80240007, 'WU_E_INVALIDINDEX', 'skip', 'the history is empty or damaged', 'nothing needs to be done'],
  [0x80240009, 'WU_E_OPERATIONINPROGRESS', 'retry', 'another operation is in progress', wait],
  [0x8024000b, 'WU_E_CALL_CANCELLED', 'retry', 'the operation was cancelled', again],
  [0x80240016, 'WU_E_INSTALL_NOT_ALLOWED', 'reboot', 'an installation or a restart is pending', restart],
  [0x80240017, 'WU_E_NOT_APPLICABLE', 'skip', 'not applicable to this host', 'nothing needs to be done'],
  [0x80240019, 'WU_E_EXCLUSIVE_INSTALL_CONFLICT', 'retry', 'it has to be installed alone', again],
  [0x8024001b, 'WU_E_SELFUPDATE_IN_PROGRESS', 'retry', 'the update agent updates itself', wait],
  [0x8024001e, 'WU_E_SERVICE_STOP', 'reboot', 'the service or the system is stopping', restart],
  [0x8024001f, 'WU_E_NO_CONNECTION', 'network', 'there is no connection to the source', network],
  [0x80240020, 'WU_E_NO_INTERACTIVE_USER', 'skip', 'it needs a logged-on user', 'install it by hand'],
  [0x80240022, 'WU_E_ALL_UPDATES_FAILED', 'reboot', 'every update failed', 'check whether a virus scanner locks files'],
  [0x80240024, 'WU_E_NO_UPDATE', 'skip', 'there are no updates', 'nothing needs to be done'],
  [0x80240025, 'WU_E_USER_ACCESS_DISABLED', 'fix', 'policy denies access to accounts', 'check the group policy'],
  [0x8024002e, 'WU_E_WU_DISABLED', 'fix', 'access is disabled by policy', 'use the managed source (WSUS)'],
  [0x80240032, 'WU_E_INVALID_CRITERIA', 'fix', 'the search criteria are invalid', 'report this as a bug in fettle'],
  [0x80240040, 'WU_E_NO_SERVER_CORE_SUPPORT', 'skip', 'not on Server Core', 'nothing needs to be done'],
  [0x80240043, 'WU_E_NO_UI_SUPPORT', 'skip', 'there is no user interface', 'nothing needs to be done'],
  [0x8024004c, 'WU_E_LOW_BATTERY', 'fix', 'the battery is low', 'connect the host to its power supply'],
  [0x80240438, 'WU_E_PT_ENDPOINT_UNREACHABLE', 'network', 'the source cannot be reached', network],
  [0x80242014, 'WU_E_UH_POSTREBOOTSTILLPENDING', 'reboot', 'work after a restart is pending', restart],
  [0x80242017, 'WU_E_UH_NEW_SERVICING_STACK_REQUIRED', 'fix', 'needs a newer servicing stack', 'install that first'],
  [0x8024201d, 'WU_E_UH_HANDLER_DISABLEDUNTILREBOOT', 'reboot', 'disabled until a restart', restart],
  [0x8024200b, 'WU_E_UH_INSTALLERFAILURE', 'reboot', 'the installer of the update failed', 'check CBS.log'],
  [0x8024200d, 'WU_E_UH_NEEDANOTHERDOWNLOAD', 'retry', 'it has to be downloaded again', again],
  [0x80244007, 'WU_E_PT_SOAPCLIENT_SOAPFAULT', 'retry', 'the source answered with a fault', again],
  [0x80244010, 'WU_E_PT_EXCEEDED_MAX_SERVER_TRIPS', 'retry', 'too many trips to the server', 'scan again, twice'],
  [0x80244016, 'WU_E_PT_HTTP_STATUS_BAD_REQUEST', 'network', 'the server refuses the request (400)', wsus],
  [0x80244017, 'WU_E_PT_HTTP_STATUS_DENIED', 'fix', 'the server requires authentication (401)', wsus],
  [0x80244018, 'WU_E_PT_HTTP_STATUS_FORBIDDEN', 'fix', 'the server or a proxy forbids it (403)', wsus],
  [0x80244019, 'WU_E_PT_HTTP_STATUS_NOT_FOUND', 'fix', 'the server does not have it (404)', wsus],
  [0x8024401b, 'WU_E_PT_HTTP_STATUS_PROXY_AUTH_REQ', 'fix', 'the proxy requires authentication (407)', network],
  [0x8024401c, 'WU_E_PT_HTTP_STATUS_REQUEST_TIMEOUT', 'network', 'the server is too slow (408)', wsus],
  [0x8024401f, 'WU_E_PT_HTTP_STATUS_SERVER_ERROR', 'network', 'the server failed (500)', wsus],
  [0x80244020, 'WU_E_PT_HTTP_STATUS_NOT_SUPPORTED', 'network', 'the server does not support it (501)', wsus],
  [0x80244021, 'WU_E_PT_HTTP_STATUS_BAD_GATEWAY', 'network', 'a gateway failed (502)', wsus],
  [0x80244022, 'WU_E_PT_HTTP_STATUS_SERVICE_UNAVAIL', 'network', 'the server is overloaded (503)', wsus],
  [0x80244023, 'WU_E_PT_HTTP_STATUS_GATEWAY_TIMEOUT', 'network', 'a gateway is too slow (504)', wsus],
  [0x8024402c, 'WU_E_PT_WINHTTP_NAME_NOT_RESOLVED', 'network', 'a host name cannot be resolved', network],
  [0x8024402f, 'WU_E_PT_ECP_SUCCEEDED_WITH_ERRORS', 'network', 'a downloaded list was damaged', network],
  [0x8024500c, 'WU_E_REDIRECTOR_CONNECT_POLICY', 'fix', 'policy forbids this source', 'use the managed source (WSUS)'],
  [0x80246002, 'WU_E_DM_INCORRECTFILEHASH', 'retry', 'the download is damaged', again],
  [0x80246007, 'WU_E_DM_NOTDOWNLOADED', 'retry', 'it is not downloaded', again],
  [0x80246008, 'WU_E_DM_FAILTOCONNECTTOBITS', 'retry', 'BITS cannot be reached', 'start the service BITS'],
  [0x80247001, 'WU_E_OL_INVALID_SCANFILE', 'fix', 'the offline catalogue is damaged', 'copy wsusscn2.cab again'],
  [0x80247002, 'WU_E_OL_NEWCLIENT_REQUIRED', 'fix', 'the agent is too old for the catalogue', 'update the agent'],
  [0x80248007, 'WU_E_DS_NODATA', 'retry', 'data is missing in the data store', datastore],
  [0x80248008, 'WU_E_DS_MISSINGDATA', 'retry', 'data is missing in the data store', datastore],
  [0x80248014, 'WU_E_DS_UNKNOWNSERVICE', 'fix', 'the update service is not registered', 'register Microsoft Update'],
  [0x8024801c, 'WU_E_DS_RESETREQUIRED', 'retry', 'the session has to be created again', datastore],
  [0x8024a007, 'WU_E_REBOOT_IN_PROGRESS', 'wait', 'a restart is in progress', 'fettle waits for it'],
  [0x00240005, 'WU_S_REBOOT_REQUIRED', 'skip', 'done, a restart is due', restart],
  [0x00240006, 'WU_S_ALREADY_INSTALLED', 'skip', 'installed already', 'nothing needs to be done'],
  [0x00240008, 'WU_S_ALREADY_DOWNLOADED', 'skip', 'downloaded already', 'nothing needs to be done'],
  [0x00242015, 'WU_S_UH_INSTALLSTILLPENDING', 'wait', 'the installation is still running', 'fettle waits for it'],
  [0x00041303, 'SCHED_S_TASK_HAS_NOT_RUN', 'wait', 'the task has not run yet', 'fettle waits for it'],
  [0x00041325, 'SCHED_S_TASK_QUEUED', 'wait', 'the task is queued', 'fettle waits for it'],
  [0x8007000d, '', 'retry', 'the data is invalid', again],
  [0x8007000e, 'E_OUTOFMEMORY', 'fix', 'out of memory', 'give the host more memory, or scan it alone'],
  [0x80070020, '', 'reboot', 'a file is in use, often by a virus scanner', restart],
  [0x80070070, '', 'fix', 'the disk is full', 'free space on the system drive'],
  [0x8007007b, '', 'fix', 'a path is wrong; a catalogue on a share', 'copy the file to a disk of the host'],
  [0x80070422, '', 'fix', 'a service is disabled', 'allow wuauserv and BITS to be started'],
  [0x8007045b, '', 'wait', 'the host is shutting down', 'fettle waits for it'],
  [0x80070569, '', 'fix', 'the account may not log on as a batch job', 'run the task as SYSTEM'],
  [0x80070570, '', 'fix', 'a file is damaged', store],
  [0x800705b4, '', 'reboot', 'it timed out', restart],
  [
    0x80070643,
    '',
    'reboot',
    'the installer failed (1603)',
    'check the log of Windows Installer; the recovery partition (WinRE) may be full',
  ],
  [0x800706ba, '', 'retry', 'a service cannot be reached', again],
  [0x800706be, '', 'retry', 'a service ended', again],
  [0x80070bc2, '', 'skip', 'done, a restart is due', restart],
  [
    0x80070bc9,
    '',
    'fix',
    'a failed update has to be rolled back',
    'set the start type of TrustedInstaller back, then restart',
  ],
  [0x80072ee2, '', 'network', 'the source is too slow', network],
  [0x80072ee7, '', 'network', 'a host name cannot be resolved', network],
  [0x80072efd, '', 'network', 'the source cannot be reached', network],
  [0x80072efe, '', 'network', 'the connection was aborted', network],
  [0x80072f8f, '', 'fix', 'the secure connection failed', 'check the clock of the host, and that TLS 1.2 is enabled'],
  [0x80073701, '', 'fix', 'a part of the component store is missing', store],
  [0x80073712, '', 'fix', 'the component store is damaged', store],
  [0x8007371b, '', 'fix', 'the component store is damaged', store],
  [0x800f081e, '', 'skip', 'not applicable to this host', 'nothing needs to be done'],
  [0x800f081f, '', 'fix', 'a source of the component store is missing', store],
  [0x800f0821, '', 'retry', 'servicing took too long', 'give the host more processors or memory'],
  [0x800f0823, '', 'fix', 'needs a newer servicing stack', 'install that first'],
  [0x800f0831, '', 'fix', 'an earlier update is missing in the component store', store],
  [0x800f0920, '', 'retry', 'servicing took too long', 'give the host more processors or memory'],
  [0x800f0922, '', 'reboot', 'the installers of the update failed', 'check the free space of the reserved partition'],
  [0x80200053, '', 'retry', 'the download is damaged', again],
  [0x80d02002, '', 'network', 'the download took too long', network],
];

/** What is known of HRESULTs, by their unsigned value. */
export const hresults: ReadonlyMap<number, HResultEntry> = new Map(
  lines.map(([code, name, of, meaning, remedy]) => [code, { name, class: of, meaning, remedy }]),
);

/** `0x80240017` or a decimal, signed as PowerShell and logs print it, as an unsigned number; undefined for other text. */
export function parseHResult(text: string): number | undefined {
  const word = text.trim();
  if (!/^(0x[0-9a-f]{8}|-?\d{1,10})$/i.test(word)) return undefined;
  const value = Number(word);
  return value >= -0x8000_0000 && value <= 0xffff_ffff ? value >>> 0 : undefined;
}

export function formatHResult(code: number): string {
  return `0x${(code >>> 0).toString(16).toUpperCase().padStart(8, '0')}`;
}

/** The code with what is known of it; undefined where it is neither in the table nor of a family. */
export function describeHResult(text: string): KnownHResult | undefined {
  const code = parseHResult(text);
  if (code === undefined || code === 0) return undefined;
  const entry = hresults.get(code) ?? family(code);
  return entry === undefined ? undefined : { code: formatHResult(code), ...entry };
}

/** By prefix: errors of WinHTTP and the protocol talkers are about the network, those of servicing are not. */
function family(code: number): HResultEntry | undefined {
  const prefix = code >>> 8;
  if (prefix === 0x80072e || prefix === 0x80072f) {
    return { name: '', class: 'network', meaning: 'a connection failed', remedy: network };
  }
  if (code >>> 12 === 0x80244) {
    return { name: '', class: 'network', meaning: 'the update source failed', remedy: network };
  }
  const isServicing = code >>> 16 === 0x800f || code >>> 12 === 0x80073;
  return isServicing ? { name: '', class: 'fix', meaning: 'servicing failed', remedy: store } : undefined;
}
