# shellcheck shell=sh
# Kernels in /boot and what belongs to them.

# A kernel's flavour: amd64, cloud-amd64, generic; +rt and +debug of Red Hat's, whose usual kernel has none.
flavour_of() { printf '%s\n' "$1" | sed 's/^[^-]*\(-[0-9][^-+]*\)*//'; }

# kernels_of_flavour: versions in /boot, those of the running kernel's flavour, newest last.
kernels_of_flavour() {
  flavour=$(flavour_of "$(uname -r)")
  set +f
  for file in /boot/vmlinuz-*"$flavour"; do
    [ -e "$file" ] || continue
    version=${file##*/vmlinuz-}
    if [ "$(flavour_of "$version")" = "$flavour" ]; then printf '%s\n' "$version"; fi
  done | sort -V 2>/dev/null
  set -f
}

newest_kernel() { kernels_of_flavour | tail -n 1; }

# missing_initrd KERNEL: the newest kernel, where it has no initrd and others have one: Debian's initrd.img-VERSION, Red
# Hat's initramfs-VERSION.img, SUSE's initrd-VERSION.
missing_initrd() {
  if [ -z "$1" ] || [ -e "/boot/initrd.img-$1" ] || [ -e "/boot/initramfs-$1.img" ] || [ -e "/boot/initrd-$1" ]; then
    return
  fi
  set +f
  for file in /boot/initrd.img-* /boot/initramfs-*.img /boot/initrd-*; do
    case $file in *-rescue-* | *kdump*) continue ;; esac
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
  du -ck /boot/*-"$1" /boot/*-"$1".img 2>/dev/null | awk 'END { print $1 }'
  set -f
}
