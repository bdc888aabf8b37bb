# shellcheck shell=sh
# The tree of jobs on a host, and what a job there is at. Files of a job: request, script, claimed, started/state, note,
# log, result.

# is_private DIRECTORY: ours, no link, and nobody else can write to it.
is_private() {
  if [ -L "$1" ] || [ ! -d "$1" ] || [ ! -O "$1" ]; then return 1; fi
  case $(ls -ld "$1") in
    d????-??-*) ;;
    *) return 1 ;;
  esac
}

# Root's tree is a directory of its own: /var/lib/fettle is a controller's, where operators may write. Others have theirs
# in their state directory (XDG Base Directory Specification).
if [ "$own_uid" = 0 ]; then
  base=/var/lib/fettle-jobs
else
  base=${XDG_STATE_HOME:-${HOME:-/nonexistent}/.local/state}/fettle-jobs
fi
# Up to release 0.1 jobs were in the controller's directory: what was begun there is finished there.
former=${base%-jobs}
if [ ! -d "$base/jobs/$(field job none)" ] && is_private "$former" && is_private "$former/jobs" &&
  [ -n "$(ls "$former/jobs")" ]; then
  base=$former
fi
jobs_dir=$base/jobs

# The digest of standard input, by what the host has.
digest_command='{ if command -v sha256sum >/dev/null 2>&1; then sha256sum; elif command -v sha256 >/dev/null 2>&1; then sha256 -q
  else cksum; fi; } | cut -d " " -f 1'
digest() { eval "$digest_command"; }

# digest_of DIRECTORY: of what a job shall run.
digest_of() { cat "$1/request" "$1/script" 2>/dev/null | digest; }

# is_whole DIRECTORY: what was claimed is all there. After a power cut it may not be.
is_whole() {
  read -r _ _ claimed_digest _ 2>/dev/null <"$1/claimed" || return 1
  [ -n "$claimed_digest" ] && [ "$(digest_of "$1")" = "$claimed_digest" ]
}

# has_result DIRECTORY: with its last line; an emptied one is none.
has_result() {
  case $(tail -n 1 "$1/result" 2>/dev/null) in *' end') return 0 ;; esac
  return 1
}

# state_of DIRECTORY: absent, claimed, running, done, crashed or interrupted. A claim that is not whole, or that was
# withdrawn, is none.
state_of() {
  if [ ! -d "$1" ]; then
    echo absent
  elif has_result "$1"; then
    echo 'done'
  elif [ ! -e "$1/started" ]; then
    if is_whole "$1"; then echo claimed; else echo absent; fi
  else
    state_pid='' state_ticks='' state_boot='' state_session=''
    read -r state_pid state_ticks state_boot state_session 2>/dev/null <"$1/started/state"
    if [ "$state_pid" = withdrawn ]; then
      echo absent
    elif [ "$state_boot" != "$(boot_id)" ]; then
      echo interrupted
    elif [ "$(start_time "$state_pid")" = "$state_ticks" ] || is_session_alive "$state_session"; then
      echo running
    elif has_result "$1"; then
      echo 'done'
    elif [ -d "$1" ]; then
      echo crashed
    else
      echo absent
    fi
  fi
}

# owner_of DIRECTORY: who claimed it, from its request.
# shellcheck disable=SC2034 # read by what follows in the assembled text
owner_of() {
  owner_run='' owner_controller=unknown owner_fence=0 owner_kind=''
  read -r owner_request 2>/dev/null <"$1/request" || return 0
  for word in $owner_request; do
    case $word in
      run=*) owner_run=${word#*=} ;;
      controller=*) owner_controller=${word#*=} ;;
      kind=*) owner_kind=${word#*=} ;;
      fence=*) owner_fence=${word#*=} ;;
      --) break ;;
    esac
  done
  case $owner_fence in '' | *[!0-9]*) owner_fence=0 ;; esac
}

# active_claim: run, job, controller and lease of a job that works here.
active_claim() {
  set +f
  for path in "$jobs_dir"/*; do
    if [ "$(state_of "$path")" = running ]; then
      owner_of "$path"
      printf '%s %s %s %s\n' "$owner_run" "${path##*/}" "$owner_controller" "$owner_fence"
      break
    fi
  done
  set -f
}
