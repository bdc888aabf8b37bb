# shellcheck shell=sh
# What is: one round trip, nothing written but a private directory that goes away, nothing left running.

probe_identity() {
  section user
  printf '%s\t%s\n' "$(id -u)" "$(id -un 2>/dev/null)"
  section os-release
  cat /etc/os-release 2>/dev/null || cat /usr/lib/os-release 2>/dev/null
  section uname
  uname -s
  uname -r
  uname -m
  uname -n
  section clock
  date +%s
  cut -d ' ' -f 1 /proc/uptime 2>/dev/null
  section boot-id
  boot_id
  section machine-id
  cat /etc/machine-id 2>/dev/null
  section dmi-uuid
  cat /sys/class/dmi/id/product_uuid 2>/dev/null
  section init
  cat /proc/1/comm 2>/dev/null
  section virtualization
  if have systemd-detect-virt; then
    printf 'vm %s\n' "$(bounded 5 systemd-detect-virt --vm 2>/dev/null)"
    printf 'container %s\n' "$(bounded 5 systemd-detect-virt --container 2>/dev/null)"
  elif [ -e /run/systemd/container ]; then
    printf 'container %s\n' "$(cat /run/systemd/container)"
  elif [ -e /.dockerenv ] || [ -e /run/.containerenv ]; then
    printf 'container oci\n'
  fi
  section disks
  df -Pk / /var /var/cache /boot /tmp 2>/dev/null | tail -n +2 | sort -u
  section inodes
  df -Pi / /var /var/cache /boot /tmp 2>/dev/null | tail -n +2 | sort -u
}

probe_reboot() {
  section reboot-required
  [ ! -e /run/reboot-required ] || {
    echo required
    sort -u /run/reboot-required.pkgs 2>/dev/null
  }
  section kernels
  set +f
  for file in /boot/vmlinuz-*; do
    [ ! -e "$file" ] || printf '%s\n' "${file##*/vmlinuz-}"
  done
  set -f
}

probe_health() {
  if [ -d /run/systemd/system ]; then
    section failed-units
    bounded 10 systemctl list-units --state=failed --no-legend --plain --no-pager 2>/dev/null | cut -d ' ' -f 1
    section active-services
    bounded 10 systemctl list-units --type=service --state=running --no-legend --plain --no-pager 2>/dev/null |
      cut -d ' ' -f 1
  fi
  section listeners
  if have ss; then
    bounded 10 ss -H -lntup 2>/dev/null
  else
    for protocol in tcp tcp6; do
      awk -v protocol="$protocol" '$4 == "0A" {print "hex", protocol, $2}' "/proc/net/$protocol" 2>/dev/null
    done
  fi
  section stale
  set +f
  grep -sE ' r-xp .* (/usr)?/(lib|lib64|bin|sbin)[^ ]*/[^ ]* \(deleted\)$' /proc/[0-9]*/maps 2>/dev/null |
    sed 's|^/proc/\([0-9]*\)/.*|\1|' | sort -un |
    while read -r pid; do
      printf '%s\t%s\t%s\n' "$pid" "$(cat "/proc/$pid/comm" 2>/dev/null)" \
        "$(sed -n 's|.*/\([^/]*\.service\).*|\1|p' "/proc/$pid/cgroup" 2>/dev/null | head -n 1)"
    done
  set -f
}

# Package managers at work, by the name of the process.
probe_running() {
  section running
  set +f
  for directory in /proc/[0-9]*; do
    read -r name <"$directory/comm" 2>/dev/null || continue
    case $name in
      apt | apt-get | aptitude | dpkg | unattended-upgr | apt.systemd.dai | packagekitd | dnf | dnf5 | yum | rpm | zypper | apk | pacman)
        printf '%s\t%s\n' "${directory##*/}" "$name"
        ;;
    esac
  done 2>/dev/null
  set -f
  section claim
  cat "$base/active" 2>/dev/null
  section initrd
  set +f
  for file in /boot/initrd.img-*; do
    [ ! -e "$file" ] || printf '%s\n' "${file##*/initrd.img-}"
  done
  set -f
}

probe() {
  probe_running
  section manager
  if have apt-get && have dpkg-query; then
    echo apt
    probe_identity
    probe_reboot
    probe_health
    apt_scan
  else
    echo none
    probe_identity
  fi
}

begin
case $verb in
  probe) probe ;;
  simulate) apt_ask ;;
  boot)
    section boot-id
    boot_id
    section system-state
    if [ -d /run/systemd/system ]; then bounded 10 systemctl is-system-running 2>/dev/null; else echo running; fi
    ;;
  *)
    echo "fettle: the probe has no verb $verb" >&2
    exit 64
    ;;
esac
end
