import type { InstalledPackage } from './update.ts';

/**
 * dpkg's status abbreviation (dpkg-query(1) db:Status-Abbrev) as a neutral state. A package that only awaits triggers is
 * installed (dpkg(1)): apt runs them along the way.
 */
export function stateOfDpkg(status: string): Pick<InstalledPackage, 'state' | 'stateDetail' | 'isHeld'> {
  const held = status.startsWith('h') ? { isHeld: true as const } : {};
  return /^[ihup][itW]$/.test(status)
    ? { state: 'installed', ...held }
    : { state: 'broken', stateDetail: status, ...held };
}
