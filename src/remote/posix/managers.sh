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

# answer_section SECTION SECONDS COMMAND...: what the command prints as section SECTION; its exit status, and behind it
# what it printed to standard error, as section SECTION-status. Sets answer_code.
answer_section() {
  answer_name=$1 answer_limit=$2
  shift 2
  section "$answer_name"
  {
    answer_words=$(bounded "$answer_limit" "$@" 2>&1 >&3 3>&- </dev/null)
    answer_code=$?
  } 3>&1
  section "$answer_name-status"
  printf '%s\n%s\n' "$answer_code" "$answer_words"
}

# What a program complains of, which it may wrap for a terminal, in one line.
one_line() { tr -s '[:space:]' ' ' | sed 's/^ *error: //; s/ *$//' | head -c 2000; }

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
