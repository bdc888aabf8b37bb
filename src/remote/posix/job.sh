# shellcheck shell=sh
# The detached job: claimed once, started once, followed by byte offset, collected after its result was recorded.
# Files of a job: request, script, claimed, started/state, note, log, result. Nothing here ever signals a running job.

log_cap=8388608
tombstone_days=30
abandoned_days=7
claim_patience_sec=600

job=$(field job)
case $job in
  '' | -* | *[!a-z0-9-]*) bad_request 'the request names no job' ;;
esac
dir=$jobs_dir/$job
tombstones=$base/collected

# The tree must be ours alone: a directory somebody else can write to could feed us his script.
own_tree() {
  for path in "$base" "$jobs_dir" "$tombstones"; do
    [ -d "$path" ] || mkdir -p "$path" 2>/dev/null
    if [ -L "$path" ] || [ ! -d "$path" ] || [ ! -O "$path" ]; then
      refuse disk "$path is not a directory of ours, or it cannot be made"
    fi
    case $(ls -ld "$path") in
      d????-??-*) ;;
      *) refuse disk "$path can be written to by others" ;;
    esac
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

job_status() {
  phase=$(state_of "$dir")
  if [ "$phase" = absent ] && [ -e "$tombstones/$job" ]; then phase=collected; fi
  read -r _ _ ran_under _ 2>/dev/null <"$dir/started/state" || ran_under=
  read -r _ noted 2>/dev/null <"$dir/note" || noted=
  section status
  printf 'phase %s\n' "$phase"
  printf 'log %s\n' "$(log_size)"
  printf 'boot %s\n' "$ran_under"
  printf 'note %s\n' "$noted"
}

log_size() { if [ -e "$dir/log" ]; then wc -c <"$dir/log" | tr -d ' '; else echo 0; fi; }

# One run has a host at a time: the record names run, job, controller and fencing number. A hard link is made by one
# caller only; a record whose job is over, unknown or of an earlier boot is nobody's.
claim_host() {
  run=$(field run)
  fence=$(number fence 0)
  mine=$base/.claim.$$
  printf '%s %s %s %s\n' "$run" "$job" "$(field controller unknown)" "$fence" 2>/dev/null >"$mine" ||
    refuse disk "there is no room for $mine"
  tries=0
  until ln "$mine" "$base/active" 2>/dev/null; do
    tries=$((tries + 1))
    seen=$(cat "$base/active" 2>/dev/null)
    judge_claim "$seen"
    if mv "$base/active" "$base/.stale.$$" 2>/dev/null; then
      # Somebody may have replaced it since it was judged: his is put back.
      [ "$(cat "$base/.stale.$$")" = "$seen" ] || ln "$base/.stale.$$" "$base/active" 2>/dev/null
      rm -f "$base/.stale.$$"
    fi
    if [ "$tries" -gt 5 ]; then
      rm -f "$mine"
      refuse disk "$base/active cannot be replaced"
    fi
  done
  rm -f "$mine"
}

# judge_claim RECORD: refuses where another run's job may still do something, or a newer lease of this run was here.
judge_claim() {
  # shellcheck disable=SC2086 # the record is words
  set -- $1
  other_run=${1-} other_job=${2-} other_controller=${3-} other_fence=${4-0}
  case $other_job in '' | *[!a-z0-9-]*) return ;; esac
  case $other_fence in '' | *[!0-9]*) other_fence=0 ;; esac
  other_phase=$(state_of "$jobs_dir/$other_job")
  if [ "$other_phase" = claimed ] && is_claim_old "$jobs_dir/$other_job"; then other_phase=abandoned; fi
  case $other_phase in
    running) if [ "$other_run" != "$run" ] || ! is_own_or_hook "$other_job"; then keep_out; fi ;;
    claimed) [ "$other_run" = "$run" ] || keep_out ;;
  esac
  if [ "$other_run" = "$run" ] && [ "$other_fence" -gt "$fence" ]; then keep_out; fi
}

# A hook that took too long is left to end beside what follows; no other job has company, not even of its own run.
is_own_or_hook() {
  [ "$1" = "$job" ] || grep -q '^v1 [^ ]* run .* kind=hook ' "$jobs_dir/$1/request" 2>/dev/null
}

keep_out() {
  rm -f "$mine"
  [ -z "$prepared" ] || rm -rf "$dir"
  refuse lock-held "$other_run $other_job $other_controller"
}

# is_claim_old DIRECTORY: prepared in an earlier boot or long ago, and never started.
is_claim_old() {
  read -r claimed_boot claimed_at 2>/dev/null <"$1/claimed" || return 0
  [ "$claimed_boot" != "$(boot_id)" ] || [ "$(uptime_sec)" -gt "$((claimed_at + claim_patience_sec))" ]
}

# Prepared aside and renamed into place: a job directory is whole or not there.
claim_job() {
  aside=$jobs_dir/.$job.$$
  rm -rf "$aside"
  {
    mkdir "$aside" &&
      printf '%s\n' "v1 $mark run job=$job$run_fields -- $rows" >"$aside/request" &&
      printf '%s\n' "$FETTLE_SCRIPT" >"$aside/script" &&
      printf '%s %s\n' "$(boot_id)" "$(uptime_sec)" >"$aside/claimed" &&
      touch "$aside/log" &&
      keep_proxies
  } 2>/dev/null || {
    rm -rf "$aside"
    refuse disk "the job cannot be written to $jobs_dir"
  }
  if mv -T "$aside" "$dir" 2>/dev/null; then prepared=yes; else rm -rf "$aside"; fi
  [ -d "$dir" ] || refuse disk "$dir cannot be made"
}

# A unit of its own does not inherit the account's proxies.
keep_proxies() {
  for name in http_proxy https_proxy ftp_proxy no_proxy; do
    eval "value=\${$name-}"
    # shellcheck disable=SC2154 # set by eval
    [ -z "$value" ] || printf '%s\n' "$value" >"$aside/env-$name" || return 1
  done
}

# Under systemd a unit of its own survives the session and restarts of sshd; elsewhere a new session and a second fork.
# Properties: systemd.kill(5), systemd.service(5). The unit's main process is a shell that outlives SIGTERM, so that a
# shutdown waits for it; the inhibitor, where there is one, runs below it.
launch() {
  # shellcheck disable=SC2016 # the runner's own shell expands these
  runner='IFS= read -r FETTLE_REQUEST <"$1/request"; FETTLE_SCRIPT=$(cat "$1/script"); eval "$FETTLE_SCRIPT"'
  if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ] && have systemd-run; then
    # shellcheck disable=SC2016
    guard='trap : HUP INT TERM
      systemd-inhibit --what=shutdown:sleep --who=fettle --why="a job of fettle is at work" --mode=block \
        sh -c "$2" sh "$1"
      [ -d "$1/started" ] || [ ! -d "$1" ] || sh -c "$2" sh "$1"'
    # shellcheck disable=SC2016
    if [ "$(field kind)" = reboot ] || ! have systemd-inhibit; then guard='trap : HUP INT TERM; sh -c "$2" sh "$1"'; fi
    systemd-run --quiet --collect --unit="fettle-$job" --description="fettle job $job" \
      --property=KillMode=process --property=SendSIGKILL=no --property=TimeoutStopSec=infinity \
      --property=OOMPolicy=continue --property=StandardInput=null --property=StandardOutput=null \
      --property=StandardError=null /bin/sh -c "$guard" sh "$dir" "$runner" >/dev/null 2>&1 && return
    systemctl is-active --quiet "fettle-$job.service" && return
  fi
  if have setsid; then
    (setsid sh -c "$runner" sh "$dir" </dev/null >/dev/null 2>&1 &)
  else
    (nohup sh -c "$runner" sh "$dir" </dev/null >/dev/null 2>&1 &)
  fi
}

# What is asked is checked before anything is claimed.
check_job() {
  case $(field kind) in
    install) if [ -z "$rows" ] || ! are_packages; then refuse bad-request 'a row is no package'; fi ;;
    hook) is_octal "$(field script)" || refuse bad-request 'the script does not read' ;;
    refresh | repair | restart | reboot) ;;
    *) refuse bad-request "there is no job of kind $(field kind)" ;;
  esac
  case $(field run) in '' | *[!A-Za-z0-9-]*) refuse bad-request 'the request names no run' ;; esac
}

start_job() {
  check_job
  own_tree
  phase=$(state_of "$dir")
  if [ "$phase" = absent ] && [ -e "$tombstones/$job" ]; then
    job_status
    return
  fi
  # Where flock(1) is, callers queue. The job is there before the record names it.
  if have flock && touch "$base/.lock" 2>/dev/null; then
    exec 9>>"$base/.lock"
    flock -w 20 9 2>/dev/null
    phase=$(state_of "$dir")
  fi
  prepared=
  if [ "$phase" = absent ]; then
    run_fields=
    for word in $fields; do
      case $word in job=* | only=*) ;; *) run_fields="$run_fields $word" ;; esac
    done
    claim_job
    phase=claimed
  fi
  [ "$phase" != claimed ] || claim_host
  exec 9>&-
  if [ "$phase" = claimed ] && [ "$(field only)" != claim ]; then
    launch
    # The gate tells that the runner is there; without it the next start tries again.
    waited=0
    while [ ! -e "$dir/started/state" ] && [ "$waited" -lt 50 ]; do
      nap
      waited=$((waited + 1))
    done
  fi
  job_status
}

# A short sleep where sleep takes fractions, a second elsewhere.
if sleep 0.01 2>/dev/null; then
  nap() { sleep 0.1; }
  doze() { sleep 0.4; }
else
  nap() { sleep 1; }
  doze() { sleep 1; }
fi

# Waits for news, at most `wait` seconds: more log than `offset`, another note, or the end. Whether the process still
# lives is looked at now and then only.
follow_job() {
  offset=$(number offset 0)
  limit=$(number wait 0)
  [ "$limit" -le 60 ] || limit=60
  # A note of this moment may be news to who asks.
  now=$(uptime_sec)
  read -r noted_at _ 2>/dev/null <"$dir/note" || noted_at=0
  if [ "$((noted_at + 3))" -ge "$now" ] && [ "$limit" -gt 2 ]; then limit=2; fi
  until_uptime=$((now + limit))
  read -r note_before 2>/dev/null <"$dir/note" || note_before=
  looks=0
  while [ "$(uptime_sec)" -lt "$until_uptime" ]; do
    [ ! -e "$dir/result" ] || break
    if [ $((looks % 10)) -eq 0 ] && [ "$(state_of "$dir")" != running ]; then break; fi
    [ "$(log_size)" -le "$offset" ] || break
    read -r noted 2>/dev/null <"$dir/note" || noted=
    [ "$noted" = "$note_before" ] || break
    looks=$((looks + 1))
    doze
  done
  job_status
  section log
  if [ -e "$dir/log" ]; then tail -c "+$((offset + 1))" "$dir/log" | head -c "$(number max 65536)"; fi
  if [ -e "$dir/result" ]; then
    section result
    cat "$dir/result"
  fi
}

# Gone with all its files but an empty directory of its name, which keeps an older copy of a ledger from starting it
# again. The rename needs no room on a full disk.
bury() {
  grave=$tombstones/${1##*/}
  mv -T "$1" "$grave" 2>/dev/null || return
  find "$grave" -mindepth 1 -maxdepth 1 -exec rm -rf {} + 2>/dev/null
  touch "$grave" 2>/dev/null
}

collect_job() {
  own_tree
  case $(state_of "$dir") in
    running) refuse running "$job is still at work" ;;
    absent) ;;
    *) bury "$dir" || refuse disk "$dir cannot be removed" ;;
  esac
  read -r _ active_job _ 2>/dev/null <"$base/active" || active_job=
  if [ "$active_job" = "$job" ]; then rm -f "$base/active"; fi
  find "$tombstones" -mindepth 1 -maxdepth 1 -mtime "+$tombstone_days" -exec rm -rf {} + 2>/dev/null
  job_status
}

# Jobs of other runs that are over, or were never begun, and that nobody came back for; with `over` all of the run that
# are over, however young.
sweep_jobs() {
  own_tree
  section swept
  own=$(field own none)
  set +f
  for path in "$jobs_dir"/*; do
    other=${path##*/}
    [ -d "$path" ] || continue
    case $other in
      "$own"-*) [ "$(field over no)" = yes ] || continue ;;
      *) [ -n "$(find "$path" -prune -mtime "+$abandoned_days" 2>/dev/null)" ] || continue ;;
    esac
    [ "$(state_of "$path")" != running ] || continue
    bury "$path" && printf '%s\n' "$other"
  done
  for path in "$jobs_dir"/.[a-z0-9]* "$base"/.claim.* "$base"/.stale.*; do
    if is_half_made "$path" || [ -n "$(find "$path" -prune -mtime +1 2>/dev/null)" ]; then rm -rf "$path"; fi
  done
  set -f
}

# What the run was about to put in place when the host lost power. It is over with the host and makes nothing any more.
is_half_made() {
  [ "$(field over no)" = yes ] || return 1
  case ${1##*/} in
    ."$own"-*) return 0 ;;
    *) [ -f "$1" ] && grep -qi "^$own " "$1" ;;
  esac
}
