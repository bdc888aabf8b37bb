# shellcheck shell=sh
# snapd, changing: refresh to exactly the revisions of the rows, each as a change of its own. snapd works on a change
# whether its client lives or not, so that every end is read from snapd itself.

# How long snapd may be gone, as it is while it refreshes itself, seconds.
snap_patience_sec=600

# snap_table FILE ARGUMENTS...: the table that the client prints, in FILE, what it complains of in FILE-words. Sets code.
snap_table() {
  table=$1
  shift
  # shellcheck disable=SC2086 # options are words
  bounded 150 snap "$@" $snap_plain </dev/null >"$table" 2>"$table-words"
  code=$?
}

# snap_revision FILE NAME: the revision of a snap in such a table.
snap_revision() { awk -v name="$2" 'NR > 1 && $1 == name { print $3; exit }' "$1"; }

# The changes of the rows' snaps that snapd works on. Others are no concern: snapd works on them beside ours, and a host
# that cannot reach its store may have "Initialize device" in progress for ever. One in status Wait is left to wait: a
# reboot of the host ends it.
snap_at_work() {
  for row in $rows; do
    bounded 30 snap changes --abs-time "${row%%,*}" 2>/dev/null </dev/null | awk '
      $1 ~ /^[0-9]+$/ && $2 ~ /^(Do|Doing|Undo|Undoing|Abort)$/ {
        id = $1; status = $2; $1 = $2 = $3 = $4 = ""; sub(/^ +/, "")
        printf "change %s of snapd is in progress (%s): %s\n", id, status, $0
      }'
  done
}

# Waits until snapd works on none of the rows' snaps, until `limit`. Sets held to what it works on where the wait was in
# vain.
snap_idle() {
  while :; do
    held=$(snap_at_work | head -n 1)
    [ -n "$held" ] || return 0
    [ "$(uptime_sec)" -lt "$limit" ] || return 1
    say "waiting for snapd: $held"
    sleep 2
  done
}

# snap_status CHANGE: its status; empty where snapd does not answer.
snap_status() {
  bounded 30 snap changes --abs-time 2>/dev/null </dev/null | awk -v id="$1" '$1 == id { print $2; exit }'
}

# What the read-back parses: what is installed now, and of each snap that was begun its revision, how its change ended,
# and snapd's own words where it did not end well.
snap_result() {
  snap_list
  section snap-results
  cat "$dir/results" 2>/dev/null
}

snap_install() {
  limit=$(($(uptime_sec) + $(number lock_wait 600)))
  if ! { : >"$dir/results"; } 2>/dev/null; then
    finish disk 0 'the request cannot be written to the job directory' snap_result
    return
  fi
  if ! snap_idle; then
    finish locked 10 "$held" snap_result
    return
  fi
  snap_table "$dir/before" list
  if [ "$code" != 0 ]; then
    finish failed "$code" "snapd does not answer: $(one_line <"$dir/before-words")" snap_result
    return
  fi
  wanted=
  for row in $rows; do
    [ "$(snap_revision "$dir/before" "${row%%,*}")" = "${row##*,}" ] || wanted="$wanted $row"
  done
  if [ -z "$wanted" ]; then
    finish ok 0 'everything was at its planned revision' snap_result
    return
  fi
  snap_is_on_offer || return
  begun='' failed='' failures=''
  for row in $wanted; do
    snap_refresh "${row%%,*}" "${row##*,}" || break
  done
  say 'reading the result'
  snap_end
}

# snapd would go to any revision that its store still has: only what it would go to by itself was planned.
snap_is_on_offer() {
  say 'querying available updates'
  snap_table "$dir/offered" refresh --list
  if [ "$code" != 0 ]; then
    finish failed "$code" "snapd cannot query its store: $(one_line <"$dir/offered-words")" snap_result
    return 1
  fi
  drift=$(for row in $wanted; do
    name=${row%%,*}
    installed=$(snap_revision "$dir/before" "$name") offered=$(snap_revision "$dir/offered" "$name")
    [ -z "$installed" ] || [ "$offered" != "${row##*,}" ] || continue
    printf '%s: revision %s is not on offer (installed: %s, on offer: %s);' "$name" "${row##*,}" "${installed:-none}" \
      "${offered:-none}"
  done | head -c 2000)
  [ -n "$drift" ] || return 0
  finish drift 0 "${drift%;}" snap_result
  return 1
}

# snap_refresh NAME REVISION: fails where snapd works on something else and does not finish.
snap_refresh() {
  log_line "refreshing $1 to revision $2"
  while :; do
    say "refreshing $1 to revision $2"
    logged snap refresh "$1" "--revision=$2" --no-wait
    # Exit status 10: another change has the snap, which snapd began by itself since.
    [ "$code" = 10 ] || break
    refused=$(said | one_line)
    snap_idle
    if [ "$(uptime_sec)" -ge "$limit" ]; then
      held=$refused
      snap_note "$1" "$2" locked "$refused"
      return 1
    fi
    sleep 1
  done
  if [ "$code" != 0 ]; then
    snap_note "$1" "$2" refused "$(said | one_line)"
    return 0
  fi
  begun=yes
  change=$(said | grep -E '^[0-9]+$' | tail -n 1)
  # Without a change there was nothing to do, in which case the client has printed so.
  if [ -z "$change" ]; then snap_note "$1" "$2" Done ''; else snap_follow "$1" "$2"; fi
}

# snap_note NAME REVISION STATUS WORDS: what became of one snap.
snap_note() {
  printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$(printf '%s' "$4" | tr -c '[:print:]' ' ')" >>"$dir/results"
  [ "$3" = Done ] || failed="$failed $1" failures="$failures$4; "
}

# snap_follow NAME REVISION: waits for the end of `change`, however often the client loses snapd on the way.
snap_follow() {
  gone_at=
  while :; do
    logged snap watch "$change"
    status=$(snap_status "$change")
    case $status in
      Done)
        snap_note "$1" "$2" Done ''
        return
        ;;
      Wait)
        snap_note "$1" "$2" Wait "change $change of snapd waits for a reboot of the host"
        return
        ;;
      Error | Undone | Hold)
        # Queried again where the client had lost snapd: of a change that is over snapd has the reason.
        case $(said) in *'cannot perform'*) ;; *) logged snap watch "$change" ;; esac
        snap_note "$1" "$2" "$status" "$(said | one_line)"
        return
        ;;
      '')
        gone_at=${gone_at:-$(uptime_sec)}
        if [ "$(uptime_sec)" -ge "$((gone_at + snap_patience_sec))" ]; then
          snap_note "$1" "$2" unknown "snapd does not answer any more; its change $change may go on"
          return
        fi
        ;;
      *) gone_at= ;;
    esac
    say "waiting for change $change of snapd ($1)"
    sleep 2
  done
}

# The words about each snap are in the results.
snap_end() {
  if [ -z "$failed" ]; then
    finish ok 0 '' snap_result
  elif [ -z "$begun" ] && [ -n "$held" ]; then
    finish locked 10 "$held" snap_result
  else
    case $failures in
      *'low disk space'* | *[Nn]'o space left on device'*) finish disk 1 "no disk space for:$failed" snap_result ;;
      *) finish failed 1 "not refreshed:$failed" snap_result ;;
    esac
  fi
}

# snapd ends or undoes by itself whatever it has begun: there is nothing to do but to wait for it.
snap_repair() {
  limit=$(($(uptime_sec) + $(number lock_wait 600)))
  if ! snap_idle; then
    finish locked 10 "$held" snap_result
    return
  fi
  snap_table "$dir/before" list
  if [ "$code" != 0 ]; then
    finish failed "$code" "snapd does not answer: $(one_line <"$dir/before-words")" snap_result
    return
  fi
  broken=$(for row in $rows; do
    awk -v name="${row%%,*}" '$1 == name && ("," $NF ",") ~ /,broken,/ { print name }' "$dir/before"
  done | tr '\n' ' ')
  if [ -z "$broken" ]; then
    finish ok 0 '' snap_result
  else
    finish failed 1 "still broken: $broken" snap_result
  fi
}
