# shellcheck shell=sh
# The detached job: claimed once, started once, followed by byte offset, collected after its result was recorded.
# Nothing here ever signals a running job.

log_cap=8388608
tombstone_days=30
abandoned_days=7

job=$(field job)
case $job in
  '' | -* | *[!a-z0-9-]*) bad_request 'the request names no job' ;;
esac
dir=$jobs_dir/$job
tombstones=$base/collected

# Its result is in some ledger. A claim that turns up afterwards is nobody's.
is_collected() { [ -e "$tombstones/$job" ] || [ -e "$former/collected/$job" ]; }

job_status() {
  phase=$(state_of "$dir")
  case $phase in absent | claimed) if is_collected; then phase=collected; fi ;; esac
  read -r _ _ ran_under _ 2>/dev/null <"$dir/started/state" || ran_under=
  read -r _ noted 2>/dev/null <"$dir/note" || noted=
  section status
  printf 'phase %s\n' "$phase"
  printf 'log %s\n' "$(log_size)"
  printf 'boot %s\n' "$ran_under"
  printf 'note %s\n' "$noted"
}

log_size() {
  logged_bytes=$(wc -c 2>/dev/null <"$dir/log") || logged_bytes=0
  echo $((logged_bytes))
}

# A short sleep where sleep takes fractions, a second elsewhere.
if sleep 0.01 2>/dev/null; then
  nap() { sleep 0.1; }
  doze() { sleep 0.4; }
else
  nap() { sleep 1; }
  doze() { sleep 1; }
fi

# Waits for the end, at most `wait` seconds. Other news, more log than `offset` or another note, is kept for a moment: the
# end may come with it. Whether the process still lives is checked now and then only.
follow_job() {
  offset=$(number offset 0)
  limit=$(number wait 0)
  [ "$limit" -le 60 ] || limit=60
  read_uptime
  # A note of this moment may be news to the caller.
  read -r noted_at note_before 2>/dev/null <"$dir/note" || noted_at=0 note_before=
  if [ "$((noted_at + 3))" -ge "$uptime_now" ] && [ "$limit" -gt 2 ]; then limit=2; fi
  answer_at=$((uptime_now + limit))
  is_news=
  looks=0
  while [ "$uptime_now" -lt "$answer_at" ]; do
    [ ! -e "$dir/result" ] || break
    if [ $((looks % 10)) -eq 0 ] && [ "$(state_of "$dir")" != running ]; then break; fi
    if [ -z "$is_news" ] && has_news; then
      is_news=yes
      [ "$answer_at" -le "$((uptime_now + 2))" ] || answer_at=$((uptime_now + 2))
    fi
    looks=$((looks + 1))
    wait_a_moment
    read_uptime
  done
  job_status
  section log
  if [ -e "$dir/log" ]; then tail -c "+$((offset + 1))" "$dir/log" | head -c "$(number max 65536)"; fi
  if has_result "$dir"; then
    section result
    cat "$dir/result"
  fi
}

# Until the runner ends, two seconds at most. GNU tail checks without starting a process each time; where there is another
# tail, or the runner has ended and left others behind, this is a short sleep.
wait_a_moment() {
  [ -n "${state_pid-}" ] || read -r state_pid _ 2>/dev/null <"$dir/started/state"
  left=$((answer_at - uptime_now))
  [ "$left" -le 2 ] || left=2
  timeout "$left" tail -f -s 0.1 --pid="${state_pid:-0}" /dev/null >/dev/null 2>&1
  # timeout(1): the time was over.
  [ $? = 124 ] || [ -e "$dir/result" ] || doze
}

has_news() {
  read -r _ noted 2>/dev/null <"$dir/note" || noted=
  [ "$noted" != "$note_before" ] || [ "$(log_size)" -gt "$offset" ]
}

# Gone with all its files but an empty directory of its name, which keeps an older copy of a ledger from starting it
# again. The rename needs no room on a full disk, and is on it before anything goes.
bury() {
  grave=$tombstones/${1##*/}
  mv -T "$1" "$grave" 2>/dev/null || return
  synced "$tombstones" "$jobs_dir"
  find "$grave" -mindepth 1 -maxdepth 1 -exec rm -rf {} + 2>/dev/null
  touch "$grave" 2>/dev/null
}

# is_over DIRECTORY: nothing works there, and nothing will.
is_over() {
  case $(state_of "$1") in
    running) return 1 ;;
    claimed) close_gate "$1" ;;
  esac
}

collect_job() {
  own_tree
  take_lock
  if [ -d "$dir" ]; then
    is_over "$dir" || refuse running "$job is still running"
    bury "$dir" || refuse disk "$dir cannot be removed"
  fi
  for graves in "$tombstones" "$former/collected"; do
    is_private "$graves" || continue
    find "$graves" -mindepth 1 -maxdepth 1 -mtime "+$tombstone_days" -exec rm -rf {} + 2>/dev/null
  done
  job_status
}

# Jobs of other runs that are over, or were never begun, and that nobody came back for; with `over` all of the run that
# are over, however young. What was being put in place when its starter died is nobody's while the lock is held.
sweep_jobs() {
  own_tree
  take_lock
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
    is_over "$path" || continue
    bury "$path" && printf '%s\n' "$other"
  done
  rm -rf "$jobs_dir"/.[a-z0-9]*
  set -f
  leave_former
}

# The tree of releases up to 0.1 goes when nothing is left in it; what else is there is the controller's.
leave_former() {
  if [ "$base" = "$former" ] || ! is_private "$former/jobs"; then return; fi
  rmdir "$former/jobs" 2>/dev/null && rm -f "$former/active" "$former/.lock"
  rmdir "$former/collected" 2>/dev/null
}
