# shellcheck shell=sh
# The package managers of the host, and the processes that use them. Each detect.sh adds itself to these lists.

found_managers='' package_locks='' package_pid_files='' package_places=''
package_programs=' dnf dnf5 yum rpm zypper apk pacman '

# with_managers FUNCTION: calls NAME_FUNCTION of each package manager that was found and whose script is here.
with_managers() {
  for manager in $found_managers; do
    if have "${manager}_$1"; then "${manager}_$1"; fi
  done
}

# lock_words FILE...: the first lock that is held, and by whom; nothing where none is.
lock_words() { lock_holders "$@" | holder_words; }

# The first of PID and FILE on standard input.
holder_words() {
  while read -r pid lock; do
    printf '%s is held by process %s (%s)' "$lock" "$pid" "$(printable "$(cat "/proc/$pid/comm" 2>/dev/null)")"
    break
  done
}

# host_fingerprint: a digest of what a simulation depends on: the boot, and of each package manager its database, lists and
# settings. None where one of them has none.
host_fingerprint() {
  prints=$(boot_id)
  for each in $found_managers; do
    have "${each}_fingerprint" || return 0
    print=$("${each}_fingerprint")
    [ -n "$print" ] || return 0
    prints="$prints
$print"
  done
  printf '%s\n' "$prints" | digest
}

# pid_file_holders FILE...: PID and FILE for each that has the number of a process.
pid_file_holders() {
  for each in "$@"; do
    pid=$(head -n 1 "$each" 2>/dev/null | sed -n 's/^\([0-9][0-9]*\).*/\1/p')
    if [ -n "$pid" ] && [ -n "$(start_time "$pid")" ]; then printf '%s %s\n' "$pid" "$each"; fi
  done
}

# managers_at_work: PID, name and locks held, tab-separated: each process that holds a lock of a package manager, and
# root's own programs by name. Left out: those that only wait for a shutdown, that only simulate, and that run in
# containers.
managers_at_work() {
  # shellcheck disable=SC2086 # file names are words
  holders=$(lock_holders $package_locks && pid_file_holders $package_pid_files)
  processes | while read -r pid name; do
    case "
$holders" in
      *"
$pid "*) ;;
      *)
        case $package_programs in *" $name "*) ;; *) continue ;; esac
        [ "$(real_uid "$pid")" = 0 ] || continue
        case $(command_line "$pid") in
          '' | *unattended-upgrade-shutdown* | *Debug::NoLocking*) continue ;;
        esac
        ;;
    esac
    is_elsewhere "$pid" && continue
    printf '%s\t%s\t%s\n' "$pid" "$(printable "$name")" \
      "$(printf '%s\n' "$holders" | sed -n "s/^$pid //p" | tr '\n' ' ')"
  done 2>/dev/null
}
