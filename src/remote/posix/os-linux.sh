# shellcheck shell=sh
# What only Linux has, behind functions that every operating system can have: the boot, the clock since it, processes
# and locks.

boot_id() { cat /proc/sys/kernel/random/boot_id 2>/dev/null; }

# Seconds since boot: wall clocks jump. The first of the two starts no process.
read_uptime() {
  read -r uptime_now _ 2>/dev/null </proc/uptime || uptime_now=0
  uptime_now=${uptime_now%%.*}
}

uptime_sec() {
  read_uptime
  printf '%s' "$uptime_now"
}

# start_time PID: in clock ticks since boot, proc(5) stat field 22; empty when the process is gone, or dead and not
# reaped. The name in parentheses may hold blanks, so fields are counted behind the last one.
start_time() {
  sed -n 's/.*) [A-WYa-wy] \([^ ]* \)\{18\}\([0-9]*\) .*/\2/p' "/proc/$1/stat" 2>/dev/null
}

# lock_holders FILE...: PID and FILE for each that a process holds, proc_locks(5). Inodes of other file systems may be
# equal, so the process must have that very file open, where its descriptors can be listed.
lock_holders() {
  # shellcheck disable=SC2012 # the names are ours
  ls -i "$@" 2>/dev/null | awk -v files="$*" '
    NR == FNR { inode[$2] = $1; next }
    $2 != "->" && $5 > 0 { split($6, place, ":"); holders[place[3]] = holders[place[3]] " " $5 }
    END {
      count = split(files, file, " ")
      for (at = 1; at <= count; at++) {
        pids = split(holders[inode[file[at]]], pid, " ")
        for (i = 1; i <= pids; i++) if (!known[pid[i], at]++) print pid[i], file[at]
      }
    }' - /proc/locks 2>/dev/null | while read -r pid lock; do
    if has_open "$pid" "$lock"; then printf '%s %s\n' "$pid" "$lock"; fi
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
# below ours, proc_pid_status(5) NSpid; before, root may compare namespaces. Where neither shows, it belongs to this host.
is_elsewhere() {
  if grep -Eq '^NSpid:[[:space:]]+[0-9]+[[:space:]]+[0-9]' "/proc/$1/status" 2>/dev/null; then return 0; fi
  other_space=$(readlink "/proc/$1/ns/pid" 2>/dev/null)
  [ -n "$other_space" ] && [ "$other_space" != "$(readlink /proc/self/ns/pid 2>/dev/null)" ]
}

# processes: PID and name of each. A name is anybody's to choose, and is not cleaned here.
processes() {
  set +f
  for directory in /proc/[0-9]*; do
    read -r name 2>/dev/null <"$directory/comm" && printf '%s %s\n' "${directory##*/}" "$name"
  done
  set -f
}

# command_line PID: its words, separated by blanks.
command_line() { tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null; }

# session_of PID: proc(5) stat field 6.
session_of() {
  sed -n 's/.*) [A-Za-z] [^ ]* [^ ]* \([0-9]*\) .*/\1/p' "/proc/$1/stat" 2>/dev/null
}

# is_session_alive SESSION: whether a process of the job in it still runs; tee only waits for the others. The number of a
# session that is over may be anybody's next.
is_session_alive() {
  set +f
  members=$(cat /proc/[0-9]*/stat 2>/dev/null | awk -v session="$1" '
    { pid = $1; name = $0; sub(/^[^(]*\(/, "", name); sub(/\) [A-Za-z] .*$/, "", name); sub(/^.*\) /, "") }
    $4 == session && $1 != "Z" && name != "tee" { print pid }')
  set -f
  for member in $members; do
    if [ "$(real_uid "$member")" = "$own_uid" ]; then return 0; fi
  done
  return 1
}
