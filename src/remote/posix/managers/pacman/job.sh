# shellcheck shell=sh
# pacman, changing: install exactly the rows, which have to be the whole upgrade; refresh, repair. Every end is judged by
# what alpm's database says.

pacman_result() {
  pacman_list
  section pacman-failing
  cat "$dir/failing" 2>/dev/null
}

# Who holds the lock, in words. pacman closes it a moment before it removes it, so a lock that nobody holds is checked again.
pacman_lock_words() {
  for round in 1 2 3; do
    [ -e "$pacman_db/db.lck" ] || return 0
    holder=$(pacman_lock_holders | head -n 1)
    if [ -n "$holder" ]; then
      printf '%s is held by process %s (%s)' "$pacman_db/db.lck" "${holder%%"$tab"*}" "${holder#*"$tab"}"
      return
    fi
    [ "$round" = 3 ] || nap
  done
  printf '%s is there, but no process holds it: remove it on the host when no package manager works there' \
    "$pacman_db/db.lck"
}

# Waits until nobody has the lock, lock_wait seconds in all for the whole job. Sets held where that was in vain.
pacman_await() {
  lock_limit=${lock_limit:-$(($(uptime_sec) + $(number lock_wait 600)))}
  while :; do
    held=$(pacman_lock_words)
    [ -n "$held" ] || return 0
    case $held in *'no process holds it'*) return 1 ;; esac
    [ "$(uptime_sec)" -lt "$lock_limit" ] || return 1
    say "waiting for a lock: $held"
    sleep 2
  done
}

# pacman_run ARGUMENTS...: sets code, and held where somebody else had the lock for too long. What could not take the lock
# has touched nothing, and is tried again.
pacman_run() {
  code=1
  while pacman_await; do
    logged pacman --noconfirm --noprogressbar --color never "$@"
    if [ "$code" = 0 ] || ! said | grep -q 'unable to lock database'; then return; fi
    held="$pacman_db/db.lck was held by another process"
    [ "$(uptime_sec)" -lt "$lock_limit" ] || return
  done
}

# The lock that a pacman of ours left when it was killed: nobody holds it, and no pacman runs.
pacman_clear_lock() {
  if [ -z "$(pacman_stale_lock)" ] || processes | grep -Eq '^[0-9]+ (pacman|pamac.*|packagekitd)$'; then return; fi
  rm -f "$pacman_db/db.lck" && log_line "removed $pacman_db/db.lck, which no process held"
}

pacman_complaints() {
  [ -n "${log_before-}" ] || return 0
  said | sed -n 's/^error: //p; s/^:: \(unable to satisfy .*\)/\1/p; s/^:: \(.* are in conflict\)$/\1/p' |
    awk '!seen[$0]++ { printf "%s%s", (count++ ? "; " : ""), $0 }' | head -c 2000
}

# Names of packages that are not properly installed.
pacman_unwell() {
  {
    pacman_torn
    pacman_cut_off
  } | cut -f 1 | sort -u
}

# Name and version of every row that is not at its version yet.
pacman_wanted() {
  for row in $rows; do
    cell=$(unescaped "$row")
    printf '%s\t%s\n' "${cell%%,*}" "${cell##*,}"
  done | awk -F "$tab" 'NR == FNR { at[$1] = $3; next } at[$1] != $2 { print $1, $2 }' "$dir/before" - | sort
}

step_set() { awk -F "$tab" '$1 == "step" { print $2, $3 }' "$1" | sort; }

# The whole upgrade is exactly what is wanted, and it comes out the same where its packages are named, as they will be.
# Named ones replace nothing, which an upgrade does without asking anybody where nobody can be asked.
pacman_is_as_planned() {
  say 'simulating'
  pacman_steps "$dir/db" >"$dir/steps"
  step_set "$dir/steps" >"$dir/going"
  targets=$(awk -F "$tab" 'NR == FNR { at[$1] = 1; next } $1 == "step" && ($2 in at) { print $4 "/" $2 }' "$dir/before" "$dir/steps")
  if cmp -s "$dir/wanted" "$dir/going"; then
    # shellcheck disable=SC2086 # names are words
    pacman_ask "$dir/db" -Sp --needed --print-format "step$tab%n$tab%v$tab%r$tab%s" $targets >"$dir/named"
    step_set "$dir/named" >"$dir/going"
    if cmp -s "$dir/wanted" "$dir/going"; then return; fi
  fi
  finish drift 0 "$(pacman_drift_words | head -c 2000 | tr '\n' ';')" pacman_result
  return 1
}

pacman_drift_words() {
  sed -n 's/^error: /pacman: /p; s/^:: /pacman: /p' "$dir/steps"
  comm -23 "$dir/wanted" "$dir/going" | sed 's/$/ would not be installed/'
  comm -13 "$dir/wanted" "$dir/going" | sed 's/$/ would be installed, which was not asked for/'
}

pacman_space_lacks() {
  place=$(pacman-conf CacheDir 2>/dev/null | head -n 1)
  need=$(awk -F "$tab" '$1 == "step" { sum += $5 } END { printf "%d", sum / 1024 }' "$dir/steps")
  free=$(df -Pk "${place:-/var/cache}" 2>/dev/null | awk 'END { print $4 }')
  case $free in '' | *[!0-9]*) return ;; esac
  [ "${need:-0}" -le "$((free - 20480))" ] ||
    printf 'the download needs %s KiB, %s has %s KiB free' "$need" "$place" "$free"
}

# The host's own lists become those that were fetched for the plan, as -Syu would fetch them in the same breath. The former
# ones are kept until something went in.
pacman_put_lists() {
  mkdir -p "$dir/former" "$pacman_db/sync" || return
  for repository in $(pacman-conf --repo-list); do
    case $(pacman_newest "$repository") in "$pacman_own"/*) ;; *) continue ;; esac
    for file in "$repository.db" "$repository.db.sig"; do
      if [ -e "$pacman_db/sync/$file" ]; then cp -p "$pacman_db/sync/$file" "$dir/former/$file" || return; fi
      if [ ! -e "$pacman_own/sync/$file" ]; then
        rm -f "$pacman_db/sync/$file"
      else
        cp -p "$pacman_own/sync/$file" "$pacman_db/sync/.$file.new" &&
          mv "$pacman_db/sync/.$file.new" "$pacman_db/sync/$file" || return
      fi
    done
  done
}

# Nothing went in: nobody shall install a single package from the newer lists.
pacman_put_back() {
  for repository in $(pacman-conf --repo-list); do
    for file in "$repository.db" "$repository.db.sig"; do
      if [ -e "$dir/former/$file" ]; then
        mv "$dir/former/$file" "$pacman_db/sync/$file"
      elif [ -e "$pacman_own/sync/$file" ]; then
        rm -f "$pacman_db/sync/$file"
      fi
    done
  done
}

pacman_install() {
  unwell=$(pacman_unwell | tr '\n' ' ')
  if [ -n "$unwell" ]; then
    finish broken-before 1 "an upgrade was cut off before anything was begun: $unwell" pacman_result
    return
  fi
  if ! { pacman_packages >"$dir/before" && pacman_wanted >"$dir/wanted" && pacman_view "$dir/db"; }; then
    finish disk 0 'the request cannot be written to the job directory' pacman_result
    return
  fi
  if [ ! -s "$dir/wanted" ]; then
    finish ok 0 'everything was at its planned version' pacman_result
    return
  fi
  pacman_is_as_planned || return
  lacks=$(pacman_space_lacks)
  if [ -n "$lacks" ]; then
    finish disk 0 "$lacks" pacman_result
    return
  fi
  if ! pacman_await; then
    finish locked 1 "$held" pacman_result
    return
  fi
  if ! pacman_put_lists; then
    pacman_put_back
    finish disk 0 'the package lists cannot be written' pacman_result
    return
  fi
  pacman_upgrade
  say 'reading back'
  pacman_end
}

# Keys come first: packages may be signed by one that the old keyring does not have.
pacman_upgrade() {
  keyrings=$(printf '%s\n' "$targets" | grep -E '/[a-z0-9-]*-keyring$')
  if [ -n "$keyrings" ] && [ "$keyrings" != "$targets" ]; then
    say 'installing keys'
    # shellcheck disable=SC2086 # names are words
    pacman_run -S --needed $keyrings
    [ "$code" = 0 ] || return
  fi
  say "installing $(wc -l <"$dir/wanted" | tr -d ' ') packages"
  # shellcheck disable=SC2086 # names are words
  pacman_run -S --needed $targets
}

# Of packages and hooks whose scripts failed: pacman goes on, and ends well.
pacman_failing() {
  said | awk '
    /^(upgrading|installing|reinstalling) [^ ]*\.\.\.$/ { at = $2; sub(/\.\.\.$/, "", at) }
    /^:: / { at = "" }
    /^\( *[0-9]+\/[0-9]+\) / { at = $0; sub(/^\([^)]*\) /, "", at); sub(/\.\.\.$/, "", at); at = "hook\t" at }
    /^error: command failed to execute correctly/ && at != "" { print at }' | sort -u
}

pacman_end() {
  if [ "$code" -ge 128 ]; then pacman_clear_lock; fi
  pacman_failing >"$dir/failing"
  complaints=$(pacman_complaints)
  if [ "$code" = 0 ]; then
    rm -rf "$pacman_own"
    rmdir "${pacman_own%/*}" 2>/dev/null
    finish ok 0 '' pacman_result
    return
  fi
  is_begun=yes
  pacman_packages >"$dir/after"
  if cmp -s "$dir/before" "$dir/after" && [ -z "$(pacman_unwell)" ]; then
    is_begun=
    pacman_put_back
  fi
  if [ -n "$held" ]; then
    finish locked "$code" "$held" pacman_result
  elif said | grep -Eq 'No space left on device|not enough free disk space'; then
    [ -n "$is_begun" ] || code=0
    finish disk "$code" "no space left on the device: $complaints" pacman_result
  elif [ -z "$is_begun" ] && said | grep -q '^error: unresolvable package conflicts'; then
    finish drift 0 "$complaints" pacman_result
  else
    finish failed "$code" "${complaints:-pacman ended with status $code}" pacman_result
  fi
}

# Into a directory of our own, as checkupdates(8) does. A list that could not be fetched stays as it was.
pacman_refresh() {
  say 'fetching package lists'
  if [ -e "$pacman_own" ] && ! is_private "$pacman_own"; then
    finish failed 1 "$pacman_own belongs to somebody else"
    return
  fi
  if ! { mkdir -p "$pacman_own/sync" && ln -sfn "$pacman_db/local" "$pacman_own/local"; }; then
    finish disk 1 "$pacman_own cannot be written"
    return
  fi
  rm -f "$pacman_own/db.lck"
  seeded=$(pacman_seed)
  logged pacman -Sy --dbpath "$pacman_own" --logfile /dev/null --noconfirm --noprogressbar --color never
  pacman_remember
  if [ "$code" = 0 ]; then
    finish ok 0 ''
  else
    finish failed "$code" "$(pacman_complaints)"
  fi
}

# What the host has itself need not be fetched again. Prints the names.
pacman_seed() {
  for repository in $(pacman-conf --repo-list); do
    # shellcheck disable=SC3013 # dash and busybox ash have it
    if [ -e "$pacman_db/sync/$repository.db" ] &&
      { [ ! -e "$pacman_own/sync/$repository.db" ] || [ "$pacman_db/sync/$repository.db" -nt "$pacman_own/sync/$repository.db" ]; }; then
      cp -p "$pacman_db/sync/$repository.db" "$pacman_own/sync/" && printf '%s\n' "$repository"
      if [ -e "$pacman_db/sync/$repository.db.sig" ]; then
        cp -p "$pacman_db/sync/$repository.db.sig" "$pacman_own/sync/"
      fi
    fi
  done
}

# The change time of a list is that of its last good answer: a list that has not changed is not written. Of the others it is
# kept since when they fail, and why.
pacman_remember() {
  said | sed -n "s/^error: failed retrieving file '\(.*\)\.db\(\.sig\)\{0,1\}' from \(.*\)/\1$tab\3/p
    s/^error: \([^ :]*\): \(.*\)/\1$tab\2/p" >"$dir/unanswered"
  for repository in $(pacman-conf --repo-list); do
    why=
    if [ "$code" != 0 ]; then
      why=$(awk -F "$tab" -v name="$repository" '$1 == name { print $2 }' "$dir/unanswered" | tail -n 1)
      if [ -z "$why" ] && [ ! -s "$dir/unanswered" ]; then why=$(pacman_complaints); fi
    fi
    if [ -z "$why" ]; then
      chmod 644 "$pacman_own/sync/$repository.db" 2>/dev/null
      continue
    fi
    case "
$seeded
" in *"
$repository
"*) rm -f "$pacman_own/sync/$repository.db" "$pacman_own/sync/$repository.db.sig" ;; esac
    since=$(awk -F "$tab" -v name="$repository" '$1 == name { print $2 }' "$base/refreshed-pacman" 2>/dev/null)
    printf '%s\t%s\t%s\n' "$repository" "${since:-$(date +%s)}" "$repository: $why"
  done >"$base/refreshed-pacman.new" 2>/dev/null && mv "$base/refreshed-pacman.new" "$base/refreshed-pacman"
}

# What an upgrade that was cut off leaves behind: a lock of nobody, entries that are not whole, packages whose files may be
# cut short and whose scripts and hooks may not have run. They are unpacked anew at their planned version, in one
# transaction, and nothing else is changed.
pacman_repair() {
  pacman_clear_lock
  code=0 targets=
  bad=$(pacman_unwell)
  for row in $rows; do
    cell=$(unescaped "$row") name=${row%%,*}
    printf '%s\n' "$bad" | grep -qxF "$name" || continue
    version=$(pacman -Sddp --print-format "step$tab%n$tab%v" "$name" 2>/dev/null </dev/null |
      awk -F "$tab" -v name="$name" '$1 == "step" && $2 == name { print $3 }')
    if [ "$version" = "${cell##*,}" ]; then
      targets="$targets $name"
    else
      log_line "$name ${cell##*,} is not on offer any more"
    fi
  done
  if [ -n "$targets" ] && pacman_await; then
    say 'unpacking anew what was cut off'
    pacman_torn | while IFS=$tab read -r name _ version; do
      mv "$pacman_db/local/$name-$version" "$dir/torn-$name-$version"
    done
    # shellcheck disable=SC2086 # names are words
    pacman_run -Sdd --overwrite '*' $targets
    if [ "$code" -ge 128 ]; then pacman_clear_lock; fi
  fi
  bad=$(pacman_unwell | tr '\n' ' ')
  held=$(pacman_lock_words)
  if [ -n "$held" ]; then
    finish locked 1 "$held" pacman_result
  elif [ -z "$bad" ]; then
    finish ok 0 '' pacman_result
  else
    [ "$code" != 0 ] || code=1
    finish failed "$code" "an upgrade was cut off and is not repaired: $bad $(pacman_complaints)" pacman_result
  fi
}
