import type { WindowsModel } from './model.ts';

/** The rows of `select a,b from Class`, as WMI gives them to WS-Management; undefined for a class we have not. */
export function answerWql(wql: string, model: WindowsModel): Record<string, string>[] | undefined {
  const parsed = /^\s*select\s+(.+?)\s+from\s+(\w+)\s*$/i.exec(wql);
  if (parsed?.[2]?.toLowerCase() !== 'win32_operatingsystem') return undefined;
  const row = operatingSystem(model);
  const names = (parsed[1] ?? '*').split(',').map((name) => name.trim().toLowerCase());
  const wanted = Object.entries(row).filter(([name]) => names.includes('*') || names.includes(name.toLowerCase()));
  return [Object.fromEntries(wanted)];
}

function operatingSystem({ os, boot, memory }: WindowsModel): Record<string, string> {
  return {
    Caption: os.caption,
    Version: os.version,
    BuildNumber: String(os.build),
    CSName: os.computerName,
    LastBootUpTime: cimDate(boot.time),
    ProductType: String(os.productType),
    OSArchitecture: '64-bit',
    TotalVisibleMemorySize: String(Math.floor(memory.totalBytes / 1024)),
    FreePhysicalMemory: String(Math.floor(memory.freeBytes / 1024)),
  };
}

/** DMTF DSP0004: yyyymmddHHMMSS.ffffff+minutes. */
function cimDate(milliseconds: number): string {
  const digits = new Date(milliseconds).toISOString().replaceAll(/\D/g, '');
  return `${digits.slice(0, 14)}.${digits.slice(14, 17)}000+000`;
}
