import { existsSync, readFileSync } from 'node:fs';

/** Where Debian's mingw-w64-common puts the headers of Windows. */
const headers = '/usr/share/mingw-w64/include';

/** For `{ skip: … }` of node:test: false, or the reason. */
export const skipWithoutHeaders: string | false = existsSync(`${headers}/wuapi.h`)
  ? false
  : 'needs the headers of mingw-w64-common';

/** Members every object has through IUnknown and IDispatch. */
const ofDispatch = [
  'QueryInterface',
  'AddRef',
  'Release',
  'GetTypeInfoCount',
  'GetTypeInfo',
  'GetIDsOfNames',
  'Invoke',
];

/** `get_X`, `put_X` and methods of each interface, from the tables of functions in a header. */
export function interfacesOf(header: string): Map<string, Set<string>> {
  const text = readFileSync(`${headers}/${header}`, 'utf8');
  const found = new Map<string, Set<string>>();
  for (const [, name = '', table = ''] of text.matchAll(/typedef struct (I\w+)Vtbl \{([\s\S]*?)\} \1Vtbl;/g)) {
    const members = [...table.matchAll(/STDMETHODCALLTYPE \*(\w+)\)/g)].map(([, member = '']) => member);
    found.set(name, new Set(members.filter((member) => !ofDispatch.includes(member))));
  }
  return found;
}

/**
 * Interfaces that are not in the headers, which stop at the first generation: from the pages of the same names in the
 * reference of the Windows Update Agent (`windows/win32/api/wuapi/nn-wuapi-NAME`, in lower case).
 */
export const documented: Readonly<Record<string, readonly string[]>> = {
  IUpdateSession2: ['get_UserLocale', 'put_UserLocale'],
  IUpdateSession3: ['CreateUpdateServiceManager', 'QueryHistory'],
  IUpdate2: ['get_RebootRequired', 'get_IsPresent', 'get_CveIDs', 'CopyToCache'],
  IUpdate3: ['get_BrowseOnly'],
  IUpdate4: ['get_PerUser'],
  IUpdate5: ['get_AutoSelection', 'get_AutoDownload'],
  IUpdateSearcher2: ['get_IgnoreDownloadPriority', 'put_IgnoreDownloadPriority'],
  IUpdateSearcher3: ['get_SearchScope', 'put_SearchScope'],
  IUpdateInstaller2: ['get_ForceQuiet', 'put_ForceQuiet'],
  IUpdateInstaller3: ['get_AttemptCloseAppsIfNecessary', 'put_AttemptCloseAppsIfNecessary'],
  IUpdateInstaller4: ['Commit'],
  IUpdateHistoryEntry2: ['get_Categories'],
  IAutomaticUpdates2: ['get_Results'],
  IAutomaticUpdatesResults: ['get_LastSearchSuccessDate', 'get_LastInstallationSuccessDate'],
  IUpdateServiceManager: ['get_Services', 'AddScanPackageService', 'RemoveService', 'SetOption'],
  IUpdateServiceManager2: ['get_ClientApplicationID', 'put_ClientApplicationID', 'AddService2'],
  IUpdateService: [
    ...['get_Name', 'get_ServiceID', 'get_IsManaged', 'get_IsRegisteredWithAU', 'get_IsScanPackageService'],
    ...['get_OffersWindowsUpdates', 'get_ServiceUrl'],
  ],
  IUpdateService2: ['get_IsDefaultAUService'],
};

/** Values of the constants in wuerror.h, as numbers. */
export function agentErrors(): ReadonlyMap<number, string> {
  const text = readFileSync(`${headers}/wuerror.h`, 'utf8');
  const rows = text.matchAll(/#define (WU_\w+) _HRESULT_TYPEDEF_\((0x[0-9A-Fa-f]+)\)/g);
  return new Map([...rows].map(([, name = '', value = '']) => [Number(value), name]));
}
