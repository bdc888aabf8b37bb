# shellcheck shell=sh
# zypper, changing: install exactly the rows, refresh, repair. Every end is judged by what rpm's database says.

# zypper_wait: waits while another holds rpm's lock or zypper's, for lock_wait seconds in all; fails where that was not
# enough, with words about the holder. libzypp takes any process whose number is in its file for the holder.
zypper_wait() {
  while :; do
    words=$(lock_words "$rpm_place/.rpm.lock")
    # shellcheck disable=SC2086 # file names are words
    [ -n "$words" ] || words=$(pid_file_holders $package_pid_files | holder_words)
    [ -n "$words" ] || return 0
    [ "$(uptime_sec)" -lt "$zypper_limit" ] || return 1
    say "waiting for a lock: $words"
    sleep 2
  done
}

zypper_from_now() { zypper_limit=$(($(uptime_sec) + $(number lock_wait 600))); }

zypper_install() {
  rpm_is_sound || return
  if rpm_is_transactional; then
    finish bad-request 1 'the system is changed by transactional-update alone, in a snapshot' rpm_result
    return
  fi
  zypper_from_now
  while :; do
    if ! zypper_wait; then
      finish locked 1 "$words" rpm_result
      return
    fi
    say 'checking what would happen'
    zypper_resolve
    drift=$(zypper_judge drift '' | sort | head -n 50 | tr '\n' ';' | sed 's/;$//; s/;/; /g')
    if [ -n "$drift" ]; then
      reason=$(printf '%s\n' "$zypper_step" | zypper_problem)
      finish drift 1 "$drift${reason:+; $reason}" rpm_result
      return
    fi
    if [ -z "$zypper_words" ]; then
      finish ok 0 'everything was at its planned version' rpm_result
      return
    fi
    say 'installing'
    # shellcheck disable=SC2086 # options and arguments are words
    logged zypper --non-interactive --no-refresh install $zypper_terms -- $zypper_words
    # Its lock was taken in between, and nothing was begun.
    [ "$code" = 7 ] || break
  done
  zypper_end
}

# The exit codes of zypper(8) that mean success: 0, 102 a reboot is advised, 103 zypper itself was updated, 106 a repository
# was left out, 107 a script of a package failed after its files went in.
zypper_end() {
  say 'reading back'
  said | sed -n 's/.*warning: %\([a-z]*\)(\(.*\)-[^-]*-[^-]*) scriptlet failed, exit status \([0-9]*\).*/failing\t%\1 scriptlet failed, exit status \3, of \2/p' \
    >"$dir/answer" 2>/dev/null
  verdict=failed words="zypper ended with status $code: $(said | grep -E '^(error:|Installation of|Problem)' | tail -n 4 | tr '\n' ' ')"
  case $code in 0 | 102 | 103 | 106 | 107) verdict=ok words='' ;; esac
  if [ "$verdict" = failed ] && said | grep -Eq 'No space left on device|needs .* (more )?space on the'; then verdict=disk; fi
  finish "$verdict" "$code" "$(printf '%s' "$words" | head -c 2000)" rpm_result
}

# Each repository by itself: of several together zypper says no more than that some failed. Keys that are not trusted yet
# are not imported: whoever answers for the repository would choose them.
zypper_refresh() {
  say 'fetching package lists'
  zypper_from_now
  if ! zypper_wait; then
    finish locked 1 "$words"
    return
  fi
  logged zypper --non-interactive refresh-services
  zypper_ask repos --details | sed -n 's/^<repo alias="\([^"]*\)".* enabled="1".*/\1/p' |
    sed "s/&lt;/</g; s/&gt;/>/g; s/&quot;/\"/g; s/&apos;/'/g; s/&amp;/\&/g" >"$dir/aliases"
  : >"$dir/failed"
  while IFS= read -r alias; do
    while logged zypper --non-interactive refresh -- "$alias"; [ "$code" = 7 ]; do
      if ! zypper_wait; then
        finish locked 1 "$words"
        return
      fi
    done
    [ "$code" = 0 ] || printf '%s\t%s\t%s\n' "$alias" "$(zypper_fails_since "$alias")" "$(zypper_refusal)" >>"$dir/failed"
  done <"$dir/aliases"
  if ! mv "$dir/failed" "$base/refreshed-zypper.new" || ! mv "$base/refreshed-zypper.new" "$base/refreshed-zypper"; then
    finish disk 1 'what the refresh found cannot be written'
  elif [ ! -s "$dir/aliases" ]; then
    finish failed 1 'no repository is enabled'
  elif [ -s "$base/refreshed-zypper" ]; then
    finish failed 1 "$(cut -f 3 "$base/refreshed-zypper" | tr '\n' ';' | sed 's/;$//; s/;/; /g' | head -c 2000)"
  else
    finish ok 0 ''
  fi
}

# zypper leaves no trace of since when a repository fails.
zypper_fails_since() {
  since=$(awk -F "$tab" -v alias="$1" '$1 == alias { print $2 }' "$base/refreshed-zypper" 2>/dev/null | head -n 1)
  printf '%s' "${since:-$(date +%s)}"
}

zypper_refusal() {
  said | grep -vE '^(Retrieving|Building|Please (see|check)|Skipping|Could not refresh|History:|Some of the)' |
    tr '\t\n' '  ' | sed 's/  */ /g; s/ $//' | head -c 500
}

# zypper installs one package after another: what was cut off leaves the package at hand in two versions.
zypper_repair() { rpm_repair; }
