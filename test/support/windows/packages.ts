import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WindowsHost } from './host.ts';

/** A package that a manager of software has installed, and what it could upgrade it to. */
export interface InstalledSoftware {
  name: string;
  version: string;
  available?: string;
  isPinned?: boolean;
  /** What `upgrade` ends with: 0, 3010 for a restart that is due, anything else for a failure that changes nothing. */
  exitCode?: number;
}

/** What Chocolatey's installer makes of its directory: everybody may read it and run what is in it, no more. */
const guarded = 'O:BAG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)';

/** Chocolatey 2 as its `--limit-output` reads: `choco list`, `outdated` and `upgrade` in the host's ProgramData. */
export async function installChocolatey(host: WindowsHost, packages: readonly InstalledSoftware[]): Promise<void> {
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

export interface WingetUpgrade {
  /** What an upgrade of one package ends with; 0 by default. */
  readonly upgradeExit?: number;
  /** What `list` prints after it. */
  readonly upgraded?: string;
}

function wingetDirectory(hostDirectory: string): string {
  const name = 'Microsoft.DesktopAppInstaller_1.21.10120.0_x64__8wekyb3d8bbwe';
  return join(hostDirectory, 'c', 'Program Files', 'WindowsApps', name);
}

/** winget in the package of SYSTEM's machine: its tables as they are printed, for `list` and for `upgrade` without an id. */
export function installWinget(
  hostDirectory: string,
  list: string,
  upgrade: string,
  { upgradeExit = 0, upgraded = list }: WingetUpgrade = {},
): void {
  const directory = wingetDirectory(hostDirectory);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'list'), list);
  writeFileSync(join(directory, 'upgrade'), upgrade);
  writeFileSync(join(directory, 'upgraded'), upgraded);
  writeFileSync(join(directory, 'exit'), String(upgradeExit >>> 0));
  writeFileSync(join(directory, 'winget.exe'), winget);
  chmodSync(join(directory, 'winget.exe'), 0o755);
}

/** Arguments of each upgrade that winget was asked for. */
export function wingetCalls(hostDirectory: string): readonly string[] {
  const path = join(wingetDirectory(hostDirectory), 'calls');
  return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
}

const winget = String.raw`#!/bin/sh
cd "$(dirname "$0")" || exit 1
case "$1 $2" in
  "upgrade --id")
    echo "$*" >>calls
    cp upgraded list
    : >upgrade
    mkdir -p "$FETTLE_WINDOWS_MODEL/exits"
    cp exit "$FETTLE_WINDOWS_MODEL/exits/$$"
    [ "$(cat exit)" = 0 ] || exit 1
    ;;
  list* | upgrade*) cat "$1" ;;
esac
`;

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
    case $code in 0 | 1641 | 3010) ;; *) version=$(grep "^$name|" packages | cut -d '|' -f 2) ;; esac
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
