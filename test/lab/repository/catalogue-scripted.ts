import type { PackageSpec } from './package-spec.ts';

function pair(name: string, postinst: string): PackageSpec[] {
  return [
    { name, version: '1.0-1', suite: 'stable' },
    { name, version: '2.0-1', suite: 'updates', postinst },
  ];
}

/** Packages whose new version does something on configure. Their files in /etc/fettle-lab tune them. */
export const scripted: readonly PackageSpec[] = [
  ...pair(
    'fettle-fragile',
    `if [ -e /etc/fettle-lab/fragile-fails ]; then
  echo 'fettle-fragile: cannot migrate the data' >&2
  exit 1
fi`,
  ),
  ...pair(
    'fettle-slow',
    `step=1
[ ! -r /etc/fettle-lab/slow-step ] || read -r step </etc/fettle-lab/slow-step || :
for number in $(seq 1 20); do
  sleep "$step"
  echo "fettle-slow: step $number of 20"
done`,
  ),
  ...pair(
    'fettle-noisy',
    `mib=5
[ ! -r /etc/fettle-lab/noise-mib ] || read -r mib </etc/fettle-lab/noise-mib || :
yes 'fettle-noisy: one more line that nobody will ever want to read again' | head -c "$((mib * 1048576))"`,
  ),
  ...pair(
    'fettle-reader',
    `printf 'fettle-reader: continue? '
if read -r answer; then
  printf 'answer %s\\n' "$answer" >>/var/lib/fettle-lab/reader.log
else
  echo 'end of input' >>/var/lib/fettle-lab/reader.log
fi`,
  ),
  ...pair(
    'fettle-hang',
    `while [ -e /etc/fettle-lab/hang-holds ]; do
  sleep 0.5
done`,
  ),
  ...pair(
    'fettle-sshkill',
    `for directory in /proc/[0-9]*; do
  read -r name <"$directory/comm" || continue
  [ "$name" != sshd ] || kill -9 "\${directory#/proc/}" 2>/dev/null || :
done 2>/dev/null`,
  ),
];
