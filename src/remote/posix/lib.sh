# shellcheck shell=sh
# What every script begins with: a quiet, fixed environment, the request, and the framing of the answer.
set -u
set -f
LC_ALL=C LANGUAGE=C LANG=C
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin
export LC_ALL LANGUAGE LANG PATH
unset CDPATH ENV BASH_ENV
umask 077
tab=$(printf '\t')

bad_request() {
  printf 'fettle: %s\n' "$1" >&2
  exit 64
}

# The request is one line: v1 MARK VERB key=value ... -- a,b,c d,e,f ...
case $FETTLE_REQUEST in
  *[!A-Za-z0-9.+~:_@/,=\ -]*) bad_request 'the request has characters that no request has' ;;
esac
# shellcheck disable=SC2086 # words are wanted; globbing is off
set -- $FETTLE_REQUEST
case ${1-} in v1) ;; *) bad_request 'the request does not read' ;; esac
mark=${2-}
case $mark in '' | *[!a-z0-9]*) bad_request 'the request does not read' ;; esac
verb=${3-}
case $verb in '' | *[!a-z-]*) bad_request 'the request does not read' ;; esac
shift 3
fields=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  case $1 in [a-z_]*=*) ;; *) bad_request 'a field of the request does not read' ;; esac
  fields="$fields $1"
  shift
done
[ $# -eq 0 ] || shift
rows=$*

# field NAME [DEFAULT]: the value of a field of the request.
field() {
  for word in $fields; do
    case $word in
      "$1="*)
        printf '%s' "${word#*=}"
        return
        ;;
    esac
  done
  printf '%s' "${2-}"
}

# number NAME DEFAULT: the same, digits only, few enough to count with.
number() {
  case $(field "$1" "$2") in
    '' | *[!0-9]* | ???????????*) printf '%s' "$2" ;;
    *) field "$1" "$2" ;;
  esac
}

# Text of any bytes comes as three octal digits a byte.
octal() {
  printf '%b' "$(printf '%s' "$1" | sed 's/[0-7][0-7][0-7]/\\0&/g')"
}

is_octal() { printf '%s\n' "$1" | grep -Eq '^([0-3][0-7][0-7])*$'; }

# are_packages: each row is name,architecture,version in the alphabets of deb-version(7) and deb-control(5).
are_packages() {
  for row in $rows; do
    case $row in
      *,*,*,*) return 1 ;;
      [A-Za-z0-9]*,[a-z0-9]*,[A-Za-z0-9]*) ;;
      *) return 1 ;;
    esac
    rest=${row#*,}
    case ${row%%,*} in *[!A-Za-z0-9+.-]*) return 1 ;; esac
    case ${rest%%,*} in *[!a-z0-9-]*) return 1 ;; esac
    case ${row##*,} in *[!A-Za-z0-9.+~:-]*) return 1 ;; esac
  done
}

begin() { printf '\036FETTLE %s begin\n' "$mark"; }
section() { printf '\n\036%s %s\n' "$mark" "$1"; }
end() { printf '\n\036%s end\n' "$mark"; }

have() { command -v "$1" >/dev/null 2>&1; }

# bounded SECONDS COMMAND...: with a limit where the host has one. Only for what looks, never for what changes.
if have timeout && timeout 1 true 2>/dev/null; then
  bounded() { timeout "$@"; }
else
  bounded() {
    shift
    "$@"
  }
fi

boot_id() { cat /proc/sys/kernel/random/boot_id 2>/dev/null; }

# Seconds since boot: wall clocks jump.
uptime_sec() {
  read -r uptime_now _ 2>/dev/null </proc/uptime || uptime_now=0
  printf '%s' "${uptime_now%%.*}"
}

# start_time PID: in clock ticks since boot, proc(5) stat field 22; empty when the process is gone, or dead and not
# reaped. The name in parentheses may hold blanks, so fields are counted behind the last one.
start_time() {
  sed -n 's/.*) [A-WYa-wy] \([^ ]* \)\{18\}\([0-9]*\) .*/\2/p' "/proc/$1/stat" 2>/dev/null
}

# session_of PID: proc(5) stat field 6.
session_of() {
  sed -n 's/.*) [A-Za-z] [^ ]* [^ ]* \([0-9]*\) .*/\1/p' "/proc/$1/stat" 2>/dev/null
}

# is_session_alive SESSION: whether anything of it still works; tee only waits for the others.
is_session_alive() {
  set +f
  cat /proc/[0-9]*/stat 2>/dev/null | awk -v session="$1" '
    { name = $0; sub(/^[^(]*\(/, "", name); sub(/\) [A-Za-z] .*$/, "", name); sub(/^.*\) /, "") }
    $4 == session && $1 != "Z" && name != "tee" { found = 1 }
    END { exit !found }'
  alive=$?
  set -f
  return "$alive"
}

# Where jobs live: /var/lib/fettle for root, the state directory of others (XDG Base Directory Specification).
if [ "$(id -u)" = 0 ]; then
  base=/var/lib/fettle
else
  base=${XDG_STATE_HOME:-${HOME:-/nonexistent}/.local/state}/fettle
fi
jobs_dir=$base/jobs

# state_of DIRECTORY: absent, claimed, running, done, crashed or interrupted.
state_of() {
  if [ ! -d "$1" ]; then
    echo absent
  elif [ -e "$1/result" ]; then
    echo 'done'
  elif [ ! -e "$1/started/state" ]; then
    echo claimed
  else
    read -r state_pid state_ticks state_boot state_session <"$1/started/state"
    if [ "$state_boot" != "$(boot_id)" ]; then
      echo interrupted
    elif [ "$(start_time "$state_pid")" = "$state_ticks" ] || is_session_alive "$state_session"; then
      echo running
    elif [ -e "$1/result" ]; then
      echo 'done'
    elif [ -d "$1" ]; then
      echo crashed
    else
      echo absent
    fi
  fi
}

# active_claim: the record of who has the host, as long as that job works. One that was never started is judged by the
# next start, which knows how old it is.
active_claim() {
  read -r claim_run claim_job claim_rest 2>/dev/null <"$base/active" || return 0
  case $claim_job in '' | *[!a-z0-9-]*) return 0 ;; esac
  case $(state_of "$jobs_dir/$claim_job") in
    running) printf '%s %s %s\n' "$claim_run" "$claim_job" "$claim_rest" ;;
  esac
}

# shellcheck disable=SC2034 # read by what follows in the assembled text
apt_locks='/var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock'

# lock_holders FILE...: PID and FILE for each that a process holds, proc_locks(5). Inodes of other file systems may be
# equal, so the process must have the file open where that can be seen.
lock_holders() {
  for lock in "$@"; do
    inode=$(ls -i "$lock" 2>/dev/null) || continue
    inode=${inode%% *}
    [ -n "$inode" ] || inode=none
    awk -v inode="$inode" '$2 != "->" { split($6, place, ":"); if (place[3] == inode && $5 > 0) print $5 }' /proc/locks \
      2>/dev/null | sort -un | while read -r pid; do
      opened=$(ls -l "/proc/$pid/fd" 2>/dev/null)
      case $opened in '' | *" -> $lock"*) printf '%s %s\n' "$pid" "$lock" ;; esac
    done
  done
}

# is_elsewhere PID: in a container of its own. Where that cannot be seen it is one of ours.
is_elsewhere() {
  other_space=$(readlink "/proc/$1/ns/pid" 2>/dev/null)
  [ -n "$other_space" ] && [ "$other_space" != "$(readlink /proc/self/ns/pid 2>/dev/null)" ]
}

# managers_at_work: PID, name and locks held, tab-separated. Left out: who only waits for a shutdown, who only
# simulates, and what goes on in containers.
managers_at_work() {
  # shellcheck disable=SC2086 # file names are words
  holders=$(lock_holders $apt_locks)
  set +f
  for directory in /proc/[0-9]*; do
    read -r name 2>/dev/null <"$directory/comm" || continue
    pid=${directory##*/}
    case $name in
      apt | apt-get | aptitude | dpkg | unattended-upgr | dnf | dnf5 | yum | rpm | zypper | apk | pacman)
        case $(tr '\0' ' ' <"$directory/cmdline" 2>/dev/null) in
          '' | *unattended-upgrade-shutdown* | *Debug::NoLocking*) continue ;;
        esac
        ;;
      *)
        case "
$holders" in
          *"
$pid "*) ;;
          *) continue ;;
        esac
        ;;
    esac
    is_elsewhere "$pid" && continue
    printf '%s\t%s\t%s\n' "$pid" "$(printable "$name")" \
      "$(printf '%s\n' "$holders" | sed -n "s/^$pid //p" | tr '\n' ' ')"
  done 2>/dev/null
  set -f
}

# Names of processes are anybody's to choose.
printable() { printf '%s' "$1" | tr -c '[:print:]' '?'; }

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

# missing_initrd: the newest kernel, where it has no initrd and others have one.
missing_initrd() {
  newest=$(kernels_of_flavour | tail -n 1)
  if [ -z "$newest" ] || [ -e "/boot/initrd.img-$newest" ]; then return; fi
  set +f
  for file in /boot/initrd.img-*; do
    if [ -e "$file" ]; then
      printf '%s\n' "$newest"
      break
    fi
  done
  set -f
}
