/** Where the remote's repository is on a host. */
const home = '/srv/flatpak';

/**
 * Shell text that makes a remote `lab` with one runtime and four apps, and installs them: two are ordinary, the publisher
 * of the third has replaced it by another app, and the fourth moves to a runtime that is not there.
 */
const flatpakSetup = `set -e
umask 022
arch=$(flatpak --default-arch)
mkdir -p ${home}/tree
cd ${home}
write_app() {
  rm -rf tree/app
  mkdir -p tree/app/files/bin tree/app/export
  printf '[Application]\\nname=%s\\nruntime=org.lab.Platform/%s/%s\\nsdk=org.lab.Platform/%s/%s\\ncommand=run\\n' "$1" "$arch" "$3" "$arch" "$3" >tree/app/metadata
  echo "$2" >tree/app/files/bin/run
  shift 3
  flatpak build-export --disable-sandbox --no-update-summary "$@" repo tree/app stable >/dev/null
}
write_runtime() {
  rm -rf tree/runtime
  mkdir -p tree/runtime/usr tree/runtime/files
  printf '[Runtime]\\nname=org.lab.Platform\\nruntime=org.lab.Platform/%s/%s\\nsdk=org.lab.Platform/%s/%s\\n' "$arch" "$2" "$arch" "$2" >tree/runtime/metadata
  echo "$1" >tree/runtime/usr/content
  flatpak build-export --runtime --no-update-summary repo tree/runtime "$2" >/dev/null
}
write_all() {
  write_runtime "$1" 1
  for name in org.lab.Editor org.lab.Viewer; do write_app "$name" "$1" 1; done
}
`;

export const flatpakFirst = `${flatpakSetup}
write_all 1
for name in org.lab.Retired org.lab.Modern; do write_app "$name" 1 1; done
flatpak build-update-repo repo >/dev/null
flatpak remote-add --system --no-gpg-verify lab file://${home}/repo
flatpak install --system -y --noninteractive lab org.lab.Editor org.lab.Viewer org.lab.Retired org.lab.Modern >/dev/null
`;

/** The remote goes on: TEXT is in what it offers now. */
export const flatpakNext = (text: string): string => `${flatpakSetup}
write_all '${text}'
write_runtime '${text}' 2
write_app org.lab.Retired '${text}' 1 --end-of-life-rebase=org.lab.Successor
write_app org.lab.Modern '${text}' 2
flatpak build-update-repo repo >/dev/null
`;
