# shellcheck shell=sh
# Kernels in /boot and what belongs to them.

# kernels_of_flavour: versions in /boot, those of the running kernel's flavour (amd64, cloud-amd64, generic), newest last.
kernels_of_flavour() {
  flavour=$(uname -r | sed 's/^[^-]*\(-[0-9][^-]*\)*//')
  set +f
  for file in /boot/vmlinuz-*"$flavour"; do
    [ -e "$file" ] || continue
    version=${file##*/vmlinuz-}
    case $(printf '%s' "$version" | sed 's/^[^-]*\(-[0-9][^-]*\)*//') in
      "$flavour") printf '%s\n' "$version" ;;
    esac
  done | sort -V 2>/dev/null
  set -f
}

newest_kernel() { kernels_of_flavour | tail -n 1; }

# missing_initrd KERNEL: the newest kernel, where it has no initrd and others have one.
missing_initrd() {
  if [ -z "$1" ] || [ -e "/boot/initrd.img-$1" ]; then return; fi
  set +f
  for file in /boot/initrd.img-*; do
    if [ -e "$file" ]; then
      printf '%s\n' "$1"
      break
    fi
  done
  set -f
}

# kernel_kib KERNEL: what it takes on /boot with its initrd and what belongs to it.
kernel_kib() {
  [ -n "$1" ] || return 0
  set +f
  du -ck /boot/*-"$1" 2>/dev/null | awk 'END { print $1 }'
  set -f
}
