# shellcheck shell=sh
# Who works on packages, and whose processes are whose. A name is anybody's to choose, so it counts only with an owner.

# shellcheck disable=SC2034 # read by what follows in the assembled text
apt_locks='/var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock'

# lock_holders FILE...: PID and FILE for each that a process holds, proc_locks(5). Inodes of other file systems may be
# equal, so the process must have that very file open, where its descriptors can be seen.
lock_holders() {
  for lock in "$@"; do
    inode=$(ls -i "$lock" 2>/dev/null) || continue
    inode=${inode%% *}
    [ -n "$inode" ] || inode=none
    awk -v inode="$inode" '$2 != "->" { split($6, place, ":"); if (place[3] == inode && $5 > 0) print $5 }' /proc/locks \
      2>/dev/null | sort -un | while read -r pid; do
      if has_open "$pid" "$lock"; then printf '%s %s\n' "$pid" "$lock"; fi
    done
  done
}

# has_open PID FILE: also where nobody but root may see.
has_open() {
  set +f
  is_seen=
  for opened in "/proc/$1/fd"/*; do
    [ -e "$opened" ] || continue
    is_seen=yes
    # shellcheck disable=SC3013 # dash and busybox ash have it
    if [ "$opened" -ef "$2" ]; then
      set -f
      return 0
    fi
  done
  set -f
  [ -z "$is_seen" ] && [ "$own_uid" != 0 ]
}

# real_uid PID: who started it; a program with the set-user-id bit, started under any name, does not change it.
real_uid() { sed -n 's/^Uid:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status" 2>/dev/null; }

# is_elsewhere PID: in a container of its own. Since Linux 4.1 anybody may read that it has a number in a PID namespace
# below ours, proc_pid_status(5) NSpid; before, root may compare namespaces. Where neither shows, it is one of ours.
is_elsewhere() {
  if grep -Eq '^NSpid:[[:space:]]+[0-9]+[[:space:]]+[0-9]' "/proc/$1/status" 2>/dev/null; then return 0; fi
  other_space=$(readlink "/proc/$1/ns/pid" 2>/dev/null)
  [ -n "$other_space" ] && [ "$other_space" != "$(readlink /proc/self/ns/pid 2>/dev/null)" ]
}

# managers_at_work: PID, name and locks held, tab-separated: who holds a lock of the package manager, and root's own
# programs by name. Left out: who only waits for a shutdown, who only simulates, and what goes on in containers.
managers_at_work() {
  # shellcheck disable=SC2086 # file names are words
  holders=$(lock_holders $apt_locks)
  set +f
  for directory in /proc/[0-9]*; do
    pid=${directory##*/}
    read -r name 2>/dev/null <"$directory/comm" || continue
    case "
$holders" in
      *"
$pid "*) ;;
      *)
        case $name in
          apt | apt-get | aptitude | dpkg | unattended-upgr | dnf | dnf5 | yum | rpm | zypper | apk | pacman) ;;
          *) continue ;;
        esac
        [ "$(real_uid "$pid")" = 0 ] || continue
        case $(tr '\0' ' ' <"$directory/cmdline" 2>/dev/null) in
          '' | *unattended-upgrade-shutdown* | *Debug::NoLocking*) continue ;;
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
