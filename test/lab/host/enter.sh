#!/bin/sh
# enter.sh DIRECTORY REPOSITORY: in the new namespaces of a host, puts its root together and becomes its init.
# DIRECTORY holds: name, flavour, lower (overlay layers), boot-id, disk/upper, disk/work, root (mount point).
set -eu
directory=$1
repository=$2
root=$directory/root
here=$(dirname "$0")
# shellcheck source=test/lab/host/devices.sh
. "$here/devices.sh"

mount --make-rprivate /
mount -t overlay overlay -o \
  "lowerdir=$(cat "$directory/lower"),upperdir=$directory/disk/upper,workdir=$directory/disk/work" "$root"
cat "$directory/name" >/proc/sys/kernel/hostname

# The machine's kernel settings can be read, not changed; the boot id and the kernel release are the host's own.
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount --bind "$directory/boot-id" "$root/proc/sys/kernel/random/boot_id"
kernel=
for file in "$root"/boot/vmlinuz-*; do
  [ ! -e "$file" ] || printf '%s\n' "${file##*/vmlinuz-}"
done | sort -V | tail -n 1 >"$directory/osrelease"
kernel=$(cat "$directory/osrelease")
if [ -n "$kernel" ]; then
  mount --bind "$directory/osrelease" "$root/proc/sys/kernel/osrelease"
fi

mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs "$root/run"
make_devices "$root/dev"
mount --bind "$repository" "$root/srv/repo"
mount -o remount,bind,ro "$root/srv/repo"
flavour=$(cat "$directory/flavour")
if [ "$flavour" = systemd ]; then
  mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$root/sys/fs/cgroup"
fi

cd "$root"
pivot_root . mnt
umount -l /mnt
cd /
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# The clock, the modules and the memory of the machine are nobody's business in here.
set -- setpriv --bounding-set=-sys_time,-sys_module,-sys_rawio
if [ "$flavour" = systemd ]; then
  exec env -i PATH="$PATH" container=lab "$@" /lib/systemd/systemd
fi
exec env -i PATH="$PATH" "$@" /usr/local/lib/fettle-lab/init
