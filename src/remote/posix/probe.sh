# shellcheck shell=sh
# What is: one round trip, nothing written but a private directory that goes away, nothing left running.

# A directory of our own for a moment, where there is room: apt ignores preferences on a pipe.
private_directory() {
  for place in "${TMPDIR:-/tmp}" /tmp /run /dev/shm; do
    work=$(mktemp -d "$place/fettle.XXXXXXXX" 2>/dev/null) || continue
    trap 'leave_private' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 141' PIPE
    trap 'exit 143' TERM
    if head -c 262144 /dev/zero 2>/dev/null >"$work/room" && [ "$(wc -c <"$work/room")" -eq 262144 ]; then
      rm -f "$work/room"
      return
    fi
    rm -rf "$work"
  done
  section problem
  echo 'disk there is no room for temporary files'
  return 1
}

# Nothing outlives a scan: a simulation that still runs is waited for, it is over in a moment.
leave_private() {
  wait
  rm -rf "$work"
}

probe_identity() {
  # POSIX uname(1): in this order, whatever the order of the options.
  read -r system node release machine <<NAMES
$(uname -snrm)
NAMES
  section family
  printf '%s\n' "$system" | tr '[:upper:]' '[:lower:]'
  section user
  printf '%s\t%s\n' "$(id -u)" "$(id -un 2>/dev/null)"
  section os-release
  cat /etc/os-release 2>/dev/null || cat /usr/lib/os-release 2>/dev/null
  section uname
  printf '%s\n' "$system" "$release" "$machine" "$node"
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
  else
    tr '\0' '\n' </proc/1/environ 2>/dev/null | sed -n 's/^container=\([a-z0-9-]*\)$/container \1/p'
  fi 2>/dev/null
  section disks
  bounded 20 df -Pk / /var /var/cache /boot /tmp 2>/dev/null | tail -n +2 | sort -u
  section inodes
  bounded 20 df -Pi / /var /var/cache /boot /tmp 2>/dev/null | tail -n +2 | sort -u
  section read-only
  # Root may write everywhere but where the file system itself is mounted read-only.
  for place in / /var $package_places /boot; do
    if [ "$own_uid" = 0 ] && [ -d "$place" ] && [ ! -w "$place" ]; then printf '%s\n' "$place"; fi
  done
  section init-start
  start_time 1
}

probe_reboot() {
  section reboot-required
  [ ! -e /run/reboot-required ] || {
    echo required
    sort -u /run/reboot-required.pkgs 2>/dev/null
  }
  section kernels
  kernels=$(kernels_of_flavour)
  printf '%s\n' "$kernels"
  newest=${kernels##*
}
  section missing-initrd
  missing_initrd "$newest"
  section kernel-kib
  kernel_kib "$newest"
}

probe_health() {
  if [ -d /run/systemd/system ]; then
    section failed-units
    bounded 10 systemctl list-units --state=failed --no-legend --plain --no-pager 2>/dev/null | cut -d ' ' -f 1
    section active-services
    bounded 10 systemctl list-units --type=service --state=running --no-legend --plain --no-pager 2>/dev/null |
      cut -d ' ' -f 1
  fi
  section service-users
  service_users
  section ephemeral
  cat /proc/sys/net/ipv4/ip_local_port_range 2>/dev/null
  section listeners
  if have ss; then
    bounded 10 ss -H -lntupe 2>/dev/null
  else
    for protocol in tcp tcp6 udp udp6; do
      case $protocol in tcp*) state=0A ;; *) state=07 ;; esac
      awk -v protocol="$protocol" -v state="$state" '$4 == state { print "hex", protocol, $2, "uid:" $8 }' \
        "/proc/net/$protocol" 2>/dev/null
    done
  fi
  section stale
  probe_stale
}

# Processes that run code which was replaced since: an executable mapping of a deleted file of the system.
probe_stale() {
  set +f
  grep -sE '^[^ ]+ r-xp [^ ]+ [^ ]+ [0-9]+ +(/usr)?/(lib|lib64|bin|sbin)[^ ]*/[^ ]* \(deleted\)$' /proc/[0-9]*/maps 2>/dev/null |
    sed 's|^/proc/\([0-9]*\)/.*|\1|' | sort -un |
    while read -r pid; do
      is_elsewhere "$pid" && continue
      read -r name <"/proc/$pid/comm" || continue
      printf '%s\t%s\t%s\t%s\n' "$pid" "$(printable "$name")" "$(unit_of "$pid")" "$(real_uid "$pid")"
    done 2>/dev/null
  set -f
}

# Where the accounts of people begin (login.defs(5)), and the accounts that the system's own services run under.
service_users() {
  printf 'people %s\n' "$(sed -n 's/^UID_MIN[^0-9]*\([0-9]*\).*/\1/p' /etc/login.defs 2>/dev/null | tail -n 1)"
  [ -d /run/systemd/system ] || return 0
  bounded 10 systemctl show --type=service --state=running --property=Id --property=User '*' 2>/dev/null |
    awk -F = '
      $1 == "Id" { id = $2 }
      $1 == "User" { user = $2 }
      /^$/ { if (user != "" && id !~ /^user@/) print user; id = user = "" }
      END { if (user != "" && id !~ /^user@/) print user }' | sort -u |
    while read -r user; do printf 'service %s\n' "$(id -u "$user" 2>/dev/null)"; done
}

# unit_of PID: the system's own unit of a process; of what runs below user@.service that one.
unit_of() {
  while IFS= read -r line; do
    case $line in
      0::*.service* | *:name=systemd:*.service*) ;;
      *) continue ;;
    esac
    (
      IFS=/
      for part in ${line#*:*:}; do
        case $part in
          *.service)
            printf '%s' "$part"
            break
            ;;
        esac
      done
    )
    break
  done <"/proc/$1/cgroup" 2>/dev/null
}

# A summary; what else runs and is installed for `state`; for `probe` what is pending too. With `only` nothing but the package managers whose scripts are
# here: those of an answer before.
describe_host() {
  if [ "$(field only no)" = no ]; then
    section running
    managers_at_work
    section claim
    active_claim
    section managers
    # shellcheck disable=SC2086 # names are words
    printf '%s\n' $found_managers
    probe_identity
    if [ "$verb" != summary ]; then
      probe_reboot
      probe_health
    fi
  fi
  section scanned
  for manager in $found_managers; do
    if have "${manager}_scan"; then printf '%s\n' "$manager"; fi
  done
  if [ "$verb" = probe ]; then with_managers scan; else with_managers list; fi
  if [ "$verb" = state ]; then with_managers leftovers; fi
  # Last, so that it is compared with the moment the answer comes.
  section clock
  date +%s
  uptime_sec
}

simulate() {
  manager=$(field managers)
  case $manager in '' | *[!a-z0-9_]*) bad_request 'the request names no package manager' ;; esac
  have "${manager}_simulate" || bad_request "there is no package manager $manager"
  "${manager}_check_rows" || bad_request 'a row is no package'
  section fingerprint
  host_fingerprint
  "${manager}_simulate"
}
