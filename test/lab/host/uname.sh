#!/bin/sh
# uname(1) as the host would answer if it ran a kernel of its own: the release is the one it was booted with.
read -r release </proc/sys/kernel/osrelease
case $* in
  -r | --kernel-release) printf '%s\n' "$release" ;;
  *)
    real=$(/usr/bin/uname.real -r)
    /usr/bin/uname.real "$@" | sed "s|$real|$release|"
    ;;
esac
