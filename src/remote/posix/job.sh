# shellcheck shell=sh
# The detached job: claimed once, started once, followed by byte offset, collected after its result was recorded.
# Files of a job: request, script, started/, state, note, log, result. Nothing here ever signals a running job.

log_cap=8388608
tombstone_days=30

job=$(field job)
case $job in
  '' | *[!a-z0-9-]*)
    echo 'fettle: the request names no job' >&2
    exit 64
    ;;
esac
dir=$jobs_dir/$job
tombstones=$base/collected

# The tree must be ours: a directory somebody else made could feed us his script.
own_tree() {
  for path in "$base" "$jobs_dir" "$tombstones"; do
    [ -d "$path" ] || mkdir -p "$path" 2>/dev/null
    if [ -L "$path" ] || [ ! -d "$path" ] || [ ! -O "$path" ]; then
      refuse disk "$path is not a directory of ours, or it cannot be made"
    fi
  done
  chmod 700 "$jobs_dir" "$tombstones"
}

# refuse CODE WORDS: the answer to a request that is not carried out.
refuse() {
  section refused
  printf '%s\n' "$@"
  end
  exit 0
}

# state_of DIRECTORY: absent, claimed, running, done, crashed or interrupted.
state_of() {
  if [ ! -d "$1" ]; then
    echo absent
  elif [ -e "$1/result" ]; then
    echo 'done'
  elif [ ! -d "$1/started" ]; then
    echo claimed
  elif [ ! -e "$1/state" ]; then
    # Between the gate and the first word of the runner; a reboot or a crash there leaves no state behind.
    [ "$(cat "$1/claimed-boot" 2>/dev/null)" = "$(boot_id)" ] && echo running || echo interrupted
  else
    read -r pid ticks boot <"$1/state"
    if [ "$boot" != "$(boot_id)" ]; then
      echo interrupted
    elif [ "$(start_time "$pid")" = "$ticks" ]; then
      echo running
    elif [ -e "$1/result" ]; then
      echo 'done'
    else
      echo crashed
    fi
  fi
}

job_status() {
  phase=$(state_of "$dir")
  if [ "$phase" = absent ] && [ -e "$tombstones/$job" ]; then phase=collected; fi
  section status
  printf 'phase %s\n' "$phase"
  printf 'log %s\n' "$(wc -c <"$dir/log" 2>/dev/null || echo 0)"
  printf 'boot %s\n' "$(cut -d ' ' -f 3 "$dir/state" 2>/dev/null)"
  printf 'note %s\n' "$(tail -n 1 "$dir/note" 2>/dev/null)"
}

# One run has a host at a time: the record names run, job, controller, fencing number and boot. A hard link is made
# by one caller only; a record whose job is over, unknown or of an earlier boot is nobody's.
claim_host() {
  run=$(field run)
  mine=$base/.claim.$$
  printf '%s %s %s %s\n' "$run" "$job" "$(field controller unknown)" "$(number fence 0)" >"$mine" ||
    refuse disk "no space for $mine"
  tries=0
  until ln "$mine" "$base/active" 2>/dev/null; do
    tries=$((tries + 1))
    read -r other_run other_job other_controller other_fence <"$base/active" 2>/dev/null || other_run=
    case $(state_of "$jobs_dir/${other_job:-none}") in
      running | claimed)
        if [ "$other_run" != "$run" ]; then
          rm -f "$mine"
          refuse lock-held "$other_run $other_job $other_controller"
        fi
        ;;
    esac
    if [ "$other_run" = "$run" ] && [ "${other_fence:-0}" -gt "$(number fence 0)" ] 2>/dev/null; then
      rm -f "$mine"
      refuse lock-held "$other_run $other_job $other_controller"
    fi
    mv "$base/active" "$base/.stale.$$" 2>/dev/null && rm -f "$base/.stale.$$"
    [ "$tries" -lt 5 ] || refuse disk "$base/active cannot be replaced"
  done
  rm -f "$mine"
}

# Prepared aside and renamed into place: a job directory is whole or not there.
claim_job() {
  aside=$jobs_dir/.$job.$$
  rm -rf "$aside"
  {
    mkdir "$aside" &&
      printf '%s\n' "v1 runner run job=$job$run_fields -- $rows" >"$aside/request" &&
      printf '%s\n' "$FETTLE_SCRIPT" >"$aside/script" &&
      boot_id >"$aside/claimed-boot" &&
      : >"$aside/log"
  } 2>/dev/null || {
    rm -rf "$aside"
    refuse disk "the job cannot be written to $jobs_dir"
  }
  mv -T "$aside" "$dir" 2>/dev/null || rm -rf "$aside"
  [ -d "$dir" ] || refuse disk "$dir cannot be made"
}

# Under systemd a unit of its own survives the session and restarts of sshd; elsewhere a new session and a second fork.
# Properties: systemd.kill(5), systemd.service(5). The log is the runner's own; the unit has no output.
launch() {
  # shellcheck disable=SC2016 # the runner's own shell expands these
  runner='IFS= read -r FETTLE_REQUEST <"$1/request"; FETTLE_SCRIPT=$(cat "$1/script"); eval "$FETTLE_SCRIPT"'
  if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ] && have systemd-run; then
    inhibit=
    if have systemd-inhibit && [ "$(field kind)" != reboot ]; then
      inhibit='systemd-inhibit --what=shutdown:sleep --who=fettle --why=patching --mode=block'
    fi
    # shellcheck disable=SC2086 # the inhibitor is words
    systemd-run --quiet --collect --unit="fettle-$job" --description="fettle job $job" \
      --property=KillMode=process --property=SendSIGKILL=no --property=TimeoutStopSec=infinity \
      --property=OOMPolicy=continue --property=StandardInput=null --property=StandardOutput=null \
      --property=StandardError=null $inhibit /bin/sh -c "$runner" sh "$dir" >/dev/null 2>&1 && return
  fi
  if have setsid; then
    (setsid sh -c "$runner" sh "$dir" </dev/null >/dev/null 2>&1 &)
  else
    (nohup sh -c "$runner" sh "$dir" </dev/null >/dev/null 2>&1 &)
  fi
}

start_job() {
  own_tree
  phase=$(state_of "$dir")
  if [ "$phase" = absent ] && [ ! -e "$tombstones/$job" ]; then
    claim_host
    run_fields=
    for word in $fields; do
      case $word in job=* | only=*) ;; *) run_fields="$run_fields $word" ;; esac
    done
    claim_job
    phase=claimed
  fi
  if [ "$phase" = claimed ] && [ "$(field only)" != claim ]; then
    launch
    # The gate tells that the runner is there; without it the next start tries again.
    waited=0
    while [ ! -d "$dir/started" ] && [ "$waited" -lt 50 ]; do
      nap
      waited=$((waited + 1))
    done
  fi
  job_status
}

# A short sleep where sleep takes fractions, a second elsewhere.
if sleep 0.01 2>/dev/null; then
  nap() { sleep 0.1; }
else
  nap() { sleep 1; }
fi

# Waits for news, at most `wait` seconds: more log than `offset`, another note, or the end.
follow_job() {
  offset=$(number offset 0)
  limit=$(number wait 0)
  until_uptime=$(($(uptime_sec) + limit))
  note_before=$(tail -n 1 "$dir/note" 2>/dev/null)
  while :; do
    [ "$(state_of "$dir")" = running ] || break
    [ "$(wc -c <"$dir/log" 2>/dev/null || echo 0)" -le "$offset" ] || break
    [ "$(tail -n 1 "$dir/note" 2>/dev/null)" = "$note_before" ] || break
    [ "$(uptime_sec)" -lt "$until_uptime" ] || break
    nap
    nap
  done
  job_status
  section log
  tail -c "+$((offset + 1))" "$dir/log" 2>/dev/null | head -c "$(number max 65536)"
  if [ -e "$dir/result" ]; then
    section result
    cat "$dir/result"
  fi
}

# Uptime: wall clocks jump.
uptime_sec() { cut -d . -f 1 /proc/uptime; }

# Gone with all its files but a name, which keeps an older copy of a ledger from starting it again.
collect_job() {
  own_tree
  case $(state_of "$dir") in
    running) refuse lock-held "$(field run) $job running" ;;
    absent) ;;
    *)
      : >"$tombstones/$job" 2>/dev/null
      rm -rf "$dir"
      ;;
  esac
  read -r _ active_job _ <"$base/active" 2>/dev/null || active_job=
  if [ "$active_job" = "$job" ] && [ "$(field keep no)" != yes ]; then rm -f "$base/active"; fi
  find "$tombstones" -type f -mtime "+$tombstone_days" -exec rm -f {} + 2>/dev/null
  job_status
}

# Jobs of other runs that are over and that nobody came back for.
sweep_jobs() {
  own_tree
  section swept
  set +f
  for path in "$jobs_dir"/*; do
    set -f
    [ -d "$path" ] || continue
    other=${path##*/}
    case $other in "$(field keep none)"*) continue ;; esac
    case $(state_of "$path") in
      'done' | crashed | interrupted)
        [ -z "$(find "$path" -prune -mtime +7 2>/dev/null)" ] && continue
        : >"$tombstones/$other"
        rm -rf "$path"
        printf '%s\n' "$other"
        ;;
    esac
  done
  set -f
}

# --- the runner, detached from the session ---

say() { printf '%s\n' "$*" >>"$dir/note"; }

# finish VERDICT EXIT-CODE MESSAGE [FUNCTION]: the result, written once, by rename.
finish() {
  {
    begin
    section verdict
    printf '%s %s\n%s\n' "$1" "$2" "$3"
    section times
    printf '%s %s\n' "$started_at" "$(date +%s)"
    [ $# -lt 4 ] || "$4"
    end
  } >"$dir/result.new" 2>/dev/null && sync "$dir/result.new" 2>/dev/null
  mv "$dir/result.new" "$dir/result"
}

# Keeps the first megabytes and swallows the rest, so that a flood neither fills the disk nor breaks a pipe. cat writes
# as it reads; the limit on the file's size, in blocks of 512 bytes, ends it.
sink() {
  (
    trap '' XFSZ
    ulimit -f "$((log_cap / 512))"
    exec cat
  ) >>"$dir/log" 2>/dev/null
  if [ "$(wc -c <"$dir/log")" -ge "$log_cap" ]; then
    printf '\n[fettle: the log ends here, at %s bytes; the job went on]\n' "$log_cap" >>"$dir/log"
  fi
  cat >/dev/null
}

run_job() {
  mkdir "$dir/started" 2>/dev/null || exit 0
  # A handler, not ignored: what is ignored here would stay ignored in every daemon that a package starts.
  trap : HUP INT TERM PIPE
  exec </dev/null >/dev/null 2>&1
  cd / || exit 0
  started_at=$(date +%s)
  printf '%s %s %s\n' "$$" "$(start_time $$)" "$(boot_id)" >"$dir/state.new"
  mv "$dir/state.new" "$dir/state"
  case $(field kind) in
    install) { apt_install; } 2>&1 | sink ;;
    refresh) { apt_refresh; } 2>&1 | sink ;;
    repair) { apt_repair; } 2>&1 | sink ;;
    remove-kernels) { apt_remove_kernels; } 2>&1 | sink ;;
    restart) { restart_units; } 2>&1 | sink ;;
    hook) { run_hook; } 2>&1 | sink ;;
    reboot) { reboot_host; } 2>&1 | sink ;;
    *) finish bad-request 64 'no such kind of job' ;;
  esac
  [ -e "$dir/result" ] || finish failed 1 'the job ended without a result'
  if [ -e "$dir/reboot-now" ]; then reboot_now; fi
}
