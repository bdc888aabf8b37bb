# shellcheck shell=sh
# The runner of a job, detached from the session that started it.

# say WORDS: what the job is at, and since when. Replaced as a whole, so that nobody reads half of it.
say() {
  printf '%s %s\n' "$(uptime_sec)" "$*" | tr -c '[:print:]\n' '?' >"$dir/note.new" 2>/dev/null
  mv "$dir/note.new" "$dir/note" 2>/dev/null
}

log_line() { printf '%s\n' "$*" >>"$dir/log"; }

# Keeps the first megabytes and swallows the rest, so that a flood neither fills the disk nor breaks a pipe: past the
# limit on the size of a file, tee goes on with its other output. setrlimit(2), in units of 512 bytes.
sink() {
  trap '' XFSZ
  ulimit -f $((log_cap / 512))
  tee -a "$dir/log" >/dev/null 2>&1
  : >"$dir/drained"
}

# logged COMMAND...: runs it into the log and sets code. Waits until the log is whole, but not for a daemon that the
# command left behind with the log still open.
logged() {
  rm -f "$dir/pipe" "$dir/drained"
  log_before=$(log_size)
  mkfifo "$dir/pipe" || {
    code=1
    return
  }
  # Held open for both by us, it opens for either at once: a signal that comes while an open waits would make it fail, and
  # the command would not run.
  exec 9<>"$dir/pipe"
  { exec 9>&- && sink; } <"$dir/pipe" &
  "$@" </dev/null >"$dir/pipe" 2>&1 9>&-
  code=$?
  exec 9>&-
  still=0
  size=-1
  while [ ! -e "$dir/drained" ] && [ "$still" -lt 10 ]; do
    nap
    size_now=$(log_size)
    if [ "$size_now" = "$size" ]; then still=$((still + 1)); else still=0; fi
    size=$size_now
  done
}

# What the last command said, as far as the log has it.
said() { tail -c "+$((log_before + 1))" "$dir/log" | tr '\r' '\n'; }

is_log_full() { [ "$(log_size)" -ge "$log_cap" ]; }

# finish VERDICT EXIT-CODE MESSAGE [FUNCTION]: the result, written once, by rename.
finish() {
  if is_log_full; then log_line "
[fettle: the log ends here, at $log_cap bytes; the job went on]"; fi
  {
    begin
    section verdict
    printf '%s %s\n%s\n' "$1" "$2" "$(printf '%s' "$3" | tr -c '[:print:]' ' ')"
    section times
    printf '%s %s\n' "$started_at" "$(date +%s)"
    [ $# -lt 4 ] || "$4"
    end
  } >"$dir/result.new" 2>/dev/null && synced "$dir/result.new"
  # A result that found no room is none: the controller reads the truth from the package database.
  case $(tail -n 1 "$dir/result.new" 2>/dev/null) in
    *"$mark end") mv "$dir/result.new" "$dir/result" && synced "$dir" ;;
    *) rm -f "$dir/result.new" ;;
  esac
}

# The gate: a directory that already has this process in it is renamed into place, which only one caller can do. It is
# on the disk before the work begins, so that a host that loses power knows afterwards that it had.
enter_gate() {
  gate=$dir/.gate.$$
  mkdir "$gate" 2>/dev/null &&
    printf '%s %s %s %s\n' "$$" "$(start_time $$)" "$(boot_id)" "$(session_of $$)" 2>/dev/null >"$gate/state" &&
    synced "$gate/state" "$gate" && mv -T "$gate" "$dir/started" 2>/dev/null && synced "$dir" && return
  rm -rf "$gate"
  return 1
}

# The same for every job, however it was started: what is of the session stays behind.
own_environment() {
  umask 022
  unset TMPDIR SSH_AUTH_SOCK SSH_CONNECTION SSH_CLIENT SSH_TTY DISPLAY MAIL SUDO_USER SUDO_UID SUDO_GID SUDO_COMMAND
  export HOME="${HOME:-/}"
  for name in http_proxy https_proxy ftp_proxy no_proxy; do
    if [ -e "$dir/env-$name" ]; then
      eval "$name=\$(cat \"\$dir/env-$name\")"
      # shellcheck disable=SC2163 # the name is in the variable
      export "$name"
    fi
  done
}

run_job() {
  enter_gate || exit 0
  # A handler, not ignored: what is ignored here would stay ignored in every daemon that a package starts.
  trap : HUP INT TERM PIPE
  exec </dev/null >/dev/null 2>&1
  cd / || exit 0
  started_at=$(date +%s)
  own_environment
  case $(field kind) in
    install | refresh | repair) "$(field manager)_$(field kind)" ;;
    restart) restart_units ;;
    hook) run_hook ;;
    reboot) reboot_host ;;
  esac
}
