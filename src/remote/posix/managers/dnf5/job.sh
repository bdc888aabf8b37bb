# shellcheck shell=sh
# dnf 5 and rpm, changing: install exactly the rows, refresh, repair. Every end is judged by what rpm's database says.

# dnf5_work WORDS...: runs it when nobody holds a lock, for which it waits lock_wait seconds at most; dnf itself would wait
# for ever. Sets code, and held to the words about the holder where the wait was in vain.
dnf5_work() {
  limit=$(($(uptime_sec) + $(number lock_wait 600)))
  code=1
  # shellcheck disable=SC2086 # file names are words
  while held=$(lock_words $package_locks) && [ -n "$held" ]; do
    [ "$(uptime_sec)" -lt "$limit" ] || return
    say "waiting for a lock: $held"
    sleep 2
  done
  logged env FORCE_COLUMNS=200 dnf5 -y "$@"
}

# The rows that are not at their version yet.
dnf5_left() {
  rpm_packages | awk -F "$tab" '{ print $1 "," $2 "," $3 }' >"$dir/before"
  for row in $rows; do
    grep -qxF "$(unescaped "$row")" "$dir/before" || printf ' %s' "$row"
  done
}

# What the stored transaction would do besides the rows, and what of them it would not.
dnf5_drift() {
  awk -F '"' '$2 == "nevra" { package = $4 } $2 == "action" { print $4, package }' "$dir/store/transaction.json" |
    awk -v exact="$dnf5_exact" '
      function name_of(package) { sub(/-[^-]*-[^-]*$/, "", package); return package }
      BEGIN { count = split(exact, list, " "); for (at = 1; at <= count; at++) wanted[list[at]] = 1 }
      $1 == "Install" || $1 == "Upgrade" { goes[$2] = 1; names[name_of($2)] = 1; next }
      { leaves[$2] = $1 }
      END {
        for (package in wanted) if (!(package in goes)) print package " would not be installed"
        for (package in goes) if (!(package in wanted)) print package " would be installed, which was not asked for"
        for (package in leaves)
          if (leaves[package] != "Replaced" || !(name_of(package) in names)) print package " would be removed"
      }' | tr '\n' ';' | head -c 2000
}

dnf5_complaints() { said | grep -v '^ *$' | tail -n 4 | tr '\n' ' ' | head -c 2000; }

dnf5_install() {
  rpm_is_sound || return
  rows=$(dnf5_left)
  if [ -z "$rows" ]; then
    finish ok 0 'everything was at its planned version' rpm_result
    return
  fi
  dnf5_state >/dev/null
  dnf5_wanted
  say 'downloading'
  # shellcheck disable=SC2086 # options and packages are words
  dnf5_work --setopt=cacheonly=metadata $dnf5_unfetched $dnf5_options $dnf5_others $dnf5_upgrade --store="$dir/store" $dnf5_specs
  if [ -n "$held" ]; then
    finish locked 1 "$held" rpm_result
  elif [ -e "$dir/store/transaction.json" ]; then
    words=$(dnf5_drift)
    if [ -n "$words" ]; then finish drift 0 "$words" rpm_result; else dnf5_replay; fi
  elif [ "$code" = 0 ] || said | grep -qE '^Failed to resolve|^No match for argument'; then
    finish drift 0 "nothing goes together: $(dnf5_complaints)" rpm_result
  else
    dnf5_failed
  fi
  rm -rf "$dir/store"
}

# Exactly what was stored, and nothing else. A script that fails after its package was unpacked does not end it.
dnf5_replay() {
  say 'installing'
  # shellcheck disable=SC2086 # options are words
  dnf5_work --setopt=cacheonly=all $dnf5_unfetched $dnf5_options replay "$dir/store"
  said | sed -n "s/^>>> .*rror in \(%[a-z]*\) scriptlet: \(.*\)-[^-]*-[^-]*\$/failing$tab\1 scriptlet failed: \2/p" |
    sort -u >"$dir/answer"
  say 'reading back'
  if [ -n "$held" ]; then
    finish locked 1 "$held" rpm_result
  elif [ "$code" = 0 ]; then
    finish ok 0 '' rpm_result
  else
    dnf5_failed
  fi
}

dnf5_failed() {
  dnf5_verdict=failed
  if said | grep -qiE 'no space left on device|needs .* more space on the|not enough free space'; then dnf5_verdict=disk; fi
  [ "$code" != 0 ] || code=1
  finish $dnf5_verdict "$code" "$(dnf5_complaints)" rpm_result
}

# Each repository alone: one that fails would keep the others from being fetched. Since when it fails is kept, of which
# dnf leaves no trace.
dnf5_refresh() {
  say 'fetching package lists'
  dnf5_memory=$base/refreshed-dnf5 dnf5_words=''
  : >"$dir/memory"
  dnf5_ids=$(dnf5_repositories)
  for each in $dnf5_ids; do
    dnf5_work --repo="$each" --refresh makecache
    if [ -n "$held" ]; then
      finish locked 1 "$held"
      return
    fi
    [ "$code" != 0 ] || continue
    reason=$(said | grep -i '^failed to\|error\|>>>' | tail -n 2 | tr '\n\t' '  ' | head -c 500)
    since=$(awk -F "$tab" -v id="$each" '$1 == id { print $2 }' "$dnf5_memory" 2>/dev/null)
    printf '%s\t%s\t%s\n' "$each" "${since:-$(date +%s)}" "$reason" >>"$dir/memory"
    dnf5_words="$dnf5_words$reason; "
  done
  cp "$dir/memory" "$dnf5_memory.new" && mv "$dnf5_memory.new" "$dnf5_memory"
  if [ -z "$dnf5_ids" ]; then
    finish failed 1 'no repository is enabled'
  elif [ -n "$dnf5_words" ]; then
    finish failed 1 "$dnf5_words"
  else
    finish ok 0 ''
  fi
}

dnf5_repair() { rpm_repair; }
