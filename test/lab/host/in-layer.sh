#!/bin/sh
# in-layer.sh LOWER UPPER WORK ROOT REPOSITORY SCRIPT: runs SCRIPT in a root whose changes land in UPPER. REPOSITORY may
# be empty. The caller gives it mount and pid namespaces of its own, so nothing of it stays mounted or running.
set -eu
here=$(dirname "$0")
# shellcheck source=test/lab/host/devices.sh
. "$here/devices.sh"
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$3" "$4"
mount -t proc proc "$4/proc"
mount -t tmpfs -o mode=755 tmpfs "$4/run"
make_devices "$4/dev"
if [ -n "$5" ]; then
  mount --bind "$5" "$4/srv/repo"
fi
exec chroot "$4" /bin/sh -euc "$6" </dev/null
