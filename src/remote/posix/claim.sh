# shellcheck shell=sh
# How a job comes to be started: under the lock of the host's tree it is judged whether it may, prepared, renamed into
# place and only then launched. What counts is on the disk before it counts.

claim_patience_sec=600
lock_patience_sec=20

# The tree must belong to this account alone: whoever else can write to it could replace a script.
own_tree() {
  for path in "$base" "$jobs_dir" "$tombstones"; do
    [ -d "$path" ] || mkdir -p "$path" 2>/dev/null
    is_private "$path" && continue
    refuse_unwritable "$path"
    if [ -e "$path" ] || [ -L "$path" ]; then
      refuse disk "$path is not a directory of this account, or can be written to by others"
    fi
    refuse disk "$path cannot be created"
  done
  chmod 700 "$jobs_dir" "$tombstones" 2>/dev/null
  refuse_unwritable "$jobs_dir"
}

# refuse_unwritable PATH: a file system that is mounted read-only has room, and keeps root out all the same.
refuse_unwritable() {
  place=$1
  while [ ! -d "$place" ]; do place=$(dirname "$place"); done
  [ -w "$place" ] || [ "$own_uid" != 0 ] || refuse read-only "$place is on a file system that is mounted read-only"
}

# refuse CODE WORDS: the answer to a request that is not carried out.
refuse() {
  section refused
  printf '%s\n' "$@"
  end
  exit 0
}

# synced PATH...: on the disk, with the names in directories. fsync(2) of each where sync(1) takes names, else of all.
synced() { sync "$@" 2>/dev/null || sync; }

# The lock is an entry whose name identifies the process that made it, created before others are searched for: of two that come
# at once at least one sees the other. An entry of a process that is gone is nobody's, and its name is never used again.
take_lock() {
  own_lock=.lock.$$.$(start_time $$).$(boot_id)
  trap drop_lock EXIT
  lock_until=$(($(uptime_sec) + lock_patience_sec))
  while :; do
    { : >"$base/$own_lock"; } 2>/dev/null || refuse disk "there is no room for $base/$own_lock"
    others=$(other_locks)
    [ -n "$others" ] || return 0
    if [ "$(uptime_sec)" -ge "$lock_until" ]; then
      # shellcheck disable=SC2086 # names are words
      set -- $others
      holder=${1#.lock.}
      refuse queue "process ${holder%%.*} decides about jobs there and does not end"
    fi
    # Of several that wait the first by name keeps its place, so that one of them gets through.
    [ "$(printf '%s\n' "$own_lock" "$others" | sort | head -n 1)" = "$own_lock" ] || rm -f "$base/$own_lock"
    nap
  done
}

# Names of the entries of other processes that are alive.
other_locks() {
  set +f
  for entry in "$base"/.lock.*; do
    name=${entry##*/}
    if [ ! -e "$entry" ] || [ "$name" = "$own_lock" ]; then continue; fi
    rest=${name#.lock.}
    ticks=${rest#*.}
    if [ "${ticks#*.}" = "$(boot_id)" ] && [ "$(start_time "${rest%%.*}")" = "${ticks%%.*}" ]; then
      printf '%s\n' "$name"
    else
      rm -f "$entry"
    fi
  done
  set -f
}

drop_lock() { rm -f "$base/$own_lock"; }

# judge_host: refuses where another job may still do something, or a newer lease of this run was here. Asked under the
# lock. A claim that was never started keeps others out for a while only.
judge_host() {
  run=$(field run)
  fence=$(number fence 0)
  set +f
  for path in "$jobs_dir"/*; do
    other=${path##*/}
    other_phase=$(state_of "$path")
    [ "$other_phase" != absent ] || continue
    owner_of "$path"
    if [ "$owner_run" = "$run" ] && [ "$owner_fence" -gt "$fence" ]; then keep_out; fi
    [ "$other" != "$job" ] || continue
    case $other_phase in
      # A hook that took too long is left to end beside what follows in its run; no other job has company.
      running) [ "$owner_run:$owner_kind" = "$run:hook" ] || keep_out ;;
      claimed)
        if [ "$owner_run" = "$run" ]; then continue; fi
        if ! is_claim_old "$path" || ! withdraw "$path"; then keep_out; fi
        ;;
    esac
  done
  set -f
}

keep_out() { refuse lock-held "$owner_run $other $owner_controller"; }

# is_claim_old DIRECTORY: prepared in an earlier boot or long ago, and never started.
is_claim_old() {
  read -r claimed_boot claimed_at _ 2>/dev/null <"$1/claimed" || return 0
  [ "$claimed_boot" != "$(boot_id)" ] || [ "$(uptime_sec)" -gt "$((claimed_at + claim_patience_sec))" ]
}

# close_gate DIRECTORY: whoever was about to start it comes too late. Fails where it has started.
close_gate() {
  gate=$1/.gate.$$
  if mkdir "$gate" 2>/dev/null && { echo withdrawn >"$gate/state"; } 2>/dev/null && mv -T "$gate" "$1/started" 2>/dev/null; then
    return 0
  fi
  rm -rf "$gate"
  return 1
}

# withdraw DIRECTORY: a claim that can then be made anew.
withdraw() { close_gate "$1" && discard "$1"; }

# discard DIRECTORY: gone without a name left behind, so that it can be claimed again.
discard() {
  gone=$jobs_dir/.gone.${1##*/}.$$
  rm -rf "$gone"
  mv -T "$1" "$gone" 2>/dev/null && synced "$jobs_dir" && rm -rf "$gone"
}

# Prepared aside and renamed into place: a job directory is whole or not there. Its result gets a mark of its own, since
# the answer to the start may hold it.
claim_job() {
  [ ! -d "$dir" ] || discard "$dir" || refuse disk "$dir cannot be removed"
  aside=$jobs_dir/.$job.$$
  rm -rf "$aside"
  {
    mkdir "$aside" &&
      printf '%s\n' "v1 ${mark}r run job=$job$run_fields -- $rows" >"$aside/request" &&
      printf '%s\n' "$FETTLE_SCRIPT" >"$aside/script" &&
      printf '%s %s %s\n' "$(boot_id)" "$(uptime_sec)" "$(digest_of "$aside")" >"$aside/claimed" &&
      touch "$aside/log" &&
      keep_proxies &&
      is_whole "$aside" &&
      sync_within "$aside"
  } 2>/dev/null || {
    rm -rf "$aside"
    refuse disk "the job cannot be written to $jobs_dir"
  }
  if ! mv -T "$aside" "$dir" 2>/dev/null || ! synced "$jobs_dir"; then
    rm -rf "$aside"
    refuse disk "$dir cannot be made"
  fi
}

sync_within() {
  set +f
  synced "$1"/* "$1"
  is_synced=$?
  set -f
  return "$is_synced"
}

# A unit of its own does not inherit the account's proxies.
keep_proxies() {
  for name in http_proxy https_proxy ftp_proxy no_proxy; do
    eval "value=\${$name-}"
    # shellcheck disable=SC2154 # set by eval
    [ -z "$value" ] || printf '%s\n' "$value" >"$aside/env-$name" || return 1
  done
}

# The runner carries the digest of what it shall run and runs nothing else, whatever lies there by then.
# shellcheck disable=SC2016 # the runner's own shell expands these
runner='request=$(cat "$1/request") && script=$(cat "$1/script") || exit 0
[ "$(printf "%s\n%s\n" "$request" "$script" | '"$digest_command"')" = "$2" ] || exit 0
FETTLE_REQUEST=$request FETTLE_SCRIPT=$script
eval "$FETTLE_SCRIPT"'

# launch DIGEST. Under systemd a unit of its own survives the session and restarts of sshd; elsewhere a new session and a
# second fork. Properties: systemd.kill(5), systemd.service(5). The unit's main process is a shell that outlives
# SIGTERM, so that a shutdown waits for it; the inhibitor, where there is one, runs below it.
launch() {
  if [ "$own_uid" = 0 ] && [ -d /run/systemd/system ] && have systemd-run; then
    # shellcheck disable=SC2016
    guard='trap : HUP INT TERM
      systemd-inhibit --what=shutdown:sleep --who=fettle --why="a job of fettle is running" --mode=block \
        sh -c "$3" sh "$1" "$2"
      [ -d "$1/started" ] || [ ! -d "$1" ] || sh -c "$3" sh "$1" "$2"'
    # shellcheck disable=SC2016
    if [ "$(field kind)" = reboot ] || ! have systemd-inhibit; then guard='trap : HUP INT TERM; sh -c "$3" sh "$1" "$2"'; fi
    systemd-run --quiet --collect --unit="fettle-$job" --description="fettle job $job" \
      --property=KillMode=process --property=SendSIGKILL=no --property=TimeoutStopSec=infinity \
      --property=OOMPolicy=continue --property=StandardInput=null --property=StandardOutput=null \
      --property=StandardError=null --setenv="PATH=$PATH" /bin/sh -c "$guard" sh "$dir" "$1" "$runner" >/dev/null 2>&1 &&
      return
    systemctl is-active --quiet "fettle-$job.service" && return
  fi
  if have setsid; then
    (setsid sh -c "$runner" sh "$dir" "$1" </dev/null >/dev/null 2>&1 &)
  else
    (nohup sh -c "$runner" sh "$dir" "$1" </dev/null >/dev/null 2>&1 &)
  fi
}

# What is asked is checked before anything is claimed.
check_job() {
  case $(field kind) in
    install | refresh | repair) check_package_job ;;
    hook) is_octal "$(field script)" || refuse bad-request 'the script is malformed' ;;
    restart | reboot) ;;
    *) refuse bad-request "there is no job of kind $(field kind)" ;;
  esac
  case $(field run) in '' | *[!A-Za-z0-9-]*) refuse bad-request 'the request names no run' ;; esac
}

# The package manager is one whose script is here, and its rows are in its own alphabet.
check_package_job() {
  manager=$(field manager)
  case $manager in '' | *[!a-z0-9_]*) refuse bad-request 'the request names no package manager' ;; esac
  have "${manager}_$(field kind)" || refuse bad-request "there is no $(field kind) by $manager"
  "${manager}_check_rows" || refuse bad-request 'a row is no package'
  if [ "$(field kind)" = install ] && [ -z "$rows" ]; then refuse bad-request 'the request names no package'; fi
}

# Whatever leads to a start is checked under the lock: a name of an earlier end, the job itself, and the host.
start_job() {
  check_job
  own_tree
  take_lock
  phase=$(state_of "$dir")
  case $phase in
    absent | claimed)
      if is_collected; then phase=collected; else judge_host; fi
      if [ "$phase" = absent ]; then
        run_fields=
        for word in $fields; do
          case $word in job=* | only=* | wait=* | max=*) ;; *) run_fields="$run_fields $word" ;; esac
        done
        claim_job
        phase=claimed
      fi
      ;;
  esac
  pinned=
  [ "$phase" != claimed ] || pinned=$(digest_of "$dir")
  drop_lock
  if [ "$phase" = claimed ] && [ "$(field only)" != claim ]; then
    launch "$pinned"
    # The gate shows that the runner exists; without it the next start tries again.
    waited=0
    while [ -d "$dir" ] && [ ! -e "$dir/started" ] && [ "$waited" -lt 50 ]; do
      nap
      waited=$((waited + 1))
    done
  fi
}
