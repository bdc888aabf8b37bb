import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WindowsHost } from './windows-host.ts';

/** A package that a third-party manager has installed, and what it could upgrade it to. */
export interface ThirdPartyPackage {
  name: string;
  version: string;
  available?: string;
  isPinned?: boolean;
  /** What `upgrade` ends with: 0, or 3010 for a restart that is due. */
  exitCode?: number;
}

/** What Chocolatey's installer makes of its directory: everybody may read it and run what is in it, no more. */
const guarded = 'O:BAG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)';

/** Chocolatey 2 as its `--limit-output` reads: `choco list`, `outdated` and `upgrade` in the host's ProgramData. */
export async function installChocolatey(host: WindowsHost, packages: readonly ThirdPartyPackage[]): Promise<void> {
  const root = join(host.directory, 'c', 'ProgramData', 'chocolatey');
  const bin = join(root, 'bin');
  mkdirSync(bin, { recursive: true });
  await host.change((model) => {
    for (const path of [root, bin, join(bin, 'choco.exe')]) model.acls[path] = guarded;
  });
  const rows = packages.map(({ name, version, available = version, isPinned = false, exitCode = 0 }) =>
    [name, version, available, String(isPinned), String(exitCode)].join('|'),
  );
  writeFileSync(join(bin, 'packages'), rows.map((row) => `${row}\n`).join(''));
  writeFileSync(join(bin, 'choco.exe'), chocolatey);
  chmodSync(join(bin, 'choco.exe'), 0o755);
}

/** Versions that Chocolatey now has, by name. */
export function chocolateyVersions(hostDirectory: string): Record<string, string> {
  const path = join(hostDirectory, 'c', 'ProgramData', 'chocolatey', 'bin', 'packages');
  const rows = readFileSync(path, 'utf8').trimEnd().split('\n');
  return Object.fromEntries(
    rows.map((row) => {
      const [name = '', version = ''] = row.split('|');
      return [name, version];
    }),
  );
}

/** winget in the package of SYSTEM's machine: its tables as they are printed, for `list` and for `upgrade`. */
export function installWinget(hostDirectory: string, list: string, upgrade: string): void {
  const name = 'Microsoft.DesktopAppInstaller_1.21.10120.0_x64__8wekyb3d8bbwe';
  const directory = join(hostDirectory, 'c', 'Program Files', 'WindowsApps', name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'list'), list);
  writeFileSync(join(directory, 'upgrade'), upgrade);
  const lines = ['#!/bin/sh', 'cd "$(dirname "$0")" || exit 1', 'case $1 in list | upgrade) cat "$1" ;; esac', ''];
  writeFileSync(join(directory, 'winget.exe'), lines.join('\n'));
  chmodSync(join(directory, 'winget.exe'), 0o755);
}

const chocolatey = String.raw`#!/bin/sh
cd "$(dirname "$0")" || exit 1
verb=$1
case $verb in
  --version) echo 2.4.1 ;;
  list) cut -d '|' -f 1,2 packages ;;
  outdated) awk -F '|' '$2 != $3 { print $1 "|" $2 "|" $3 "|" $4 }' packages ;;
  upgrade)
    name=$2
    version=
    while [ $# -gt 0 ]; do
      [ "$1" != --version ] || version=$2
      shift
    done
    if ! grep -q "^$name|" packages; then
      echo "$name not installed. The package was not found with the source(s) listed."
      exit 1
    fi
    code=$(grep "^$name|" packages | cut -d '|' -f 5)
    awk -F '|' -v OFS='|' -v name="$name" -v version="$version" '$1 == name { $2 = version } { print }' packages >packages.new
    mv packages.new packages
    echo "Chocolatey upgraded 1/1 packages."
    mkdir -p "$FETTLE_WINDOWS_MODEL/exits"
    echo "$code" >"$FETTLE_WINDOWS_MODEL/exits/$$"
    [ "$code" = 0 ] || exit 1
    ;;
  *) exit 1 ;;
esac
`;
