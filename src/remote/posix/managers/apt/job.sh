# shellcheck shell=sh
# apt and dpkg, changing: install exactly the rows, refresh, repair. Every end is judged by what dpkg's database says.

case $(field conffile keep-old) in
  take-new) conffile_options='-o Dpkg::Options::=--force-confnew' dpkg_options='--force-confnew' ;;
  *)
    conffile_options='-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold'
    dpkg_options='--force-confdef --force-confold'
    ;;
esac

# Without a terminal of its own apt does not copy what packages print to /var/log/apt/term.log, which a flood would
# fill: our log has it. apt.conf(5), Dpkg::Use-Pty.
apt_plain='-o APT::Color=0 -o Dpkg::Progress-Fancy=0 -o Dpkg::Use-Pty=0'

quiet_environment() {
  DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical APT_LISTCHANGES_FRONTEND=none APT_LISTBUGS_FRONTEND=none
  UCF_FORCE_CONFFOLD=1 NEEDRESTART_SUSPEND=1 TERM=dumb
  export DEBIAN_FRONTEND DEBIAN_PRIORITY APT_LISTCHANGES_FRONTEND APT_LISTBUGS_FRONTEND NEEDRESTART_SUSPEND TERM
  if [ "$(field conffile keep-old)" = take-new ]; then export UCF_FORCE_CONFFNEW=1; else export UCF_FORCE_CONFFOLD; fi
}

# locked COMMAND...: apt and dpkg wait for hardly any of their locks, so they are waited for here, the holder named, for
# lock_wait seconds in all. Sets code, and held to the words about the holder where the wait was in vain. Whatever
# touched a package is never run again.
locked() {
  limit=$(($(uptime_sec) + $(number lock_wait 600)))
  while :; do
    code=100
    # shellcheck disable=SC2086 # file names are words
    held=$(lock_words $apt_locks)
    if [ -z "$held" ]; then
      logged "$@"
      [ "$code" != 0 ] && ! has_begun || return
      held=$(said | refusal_words)
      [ -n "$held" ] || return
    fi
    [ "$(uptime_sec)" -lt "$limit" ] || return
    say "waiting for a lock: $held"
    sleep 2
  done
}

refusal_words() {
  sed -n 's/^E: \(Could not get lock .*\)/\1/p; s/^dpkg: error: \(.*lock .* locked by another process.*\)/\1/p
    s/^E: \(Unable to .*lock.*\)/\1/p' | head -n 1
}

has_begun() {
  is_log_full ||
    said | grep -Eq '^(\(Reading database|Preparing to unpack|Unpacking|Setting up|Removing|Processing triggers)'
}

# Before and after, so that whoever doubts may compare.
result_installed() {
  section apt-installed
  dpkg_list
  section apt-auto
  apt_auto
  if [ -e "$dir/before" ]; then
    section apt-installed-before
    cat "$dir/before"
    section apt-auto-before
    cat "$dir/auto-before"
  fi
}

# The rows that are not at their version yet.
wanted_set() {
  for row in $rows; do
    rest=${row#*,}
    printf '%s\t%s\t%s\n' "${row%%,*}" "${rest%%,*}" "${row##*,}"
  done |
    awk -F "$tab" 'NR == FNR { if ($4 ~ /^[ihpu][itW] *$/) at[$1 " " $2] = $3; next }
      at[$1 " " $2] != $3 { print $1, $2, $3 }' "$dir/before" - | sort
}

# Not what only awaits triggers, its own or another's (dpkg(1)): apt runs them along the way.
unwell() { dpkg_list | awk -F "$tab" '$4 !~ /^[ihrpu][icntW] *$/ { print $1 ":" $2 " (" $4 ")" }' | tr '\n' ' '; }

# A journal that a killed dpkg left with every package well only has to be merged; apt refuses to work beside it.
merge_journal() {
  [ -n "$(ls /var/lib/dpkg/updates 2>/dev/null)" ] || return 0
  # shellcheck disable=SC2086 # options are words
  locked dpkg $dpkg_options --configure -a
}

# space_lacks KIB: what is to be downloaded against what is free; apt would stop in the middle of a download.
space_lacks() {
  need=$1
  for place in /var/cache/apt/archives /var/cache /var; do
    if [ -d "$place" ]; then break; fi
  done
  free=$(df -Pk "$place" | awk 'END { print $4 }')
  case $free in '' | *[!0-9]*) return ;; esac
  [ "${need:-0}" -le "$((free - 20480))" ] ||
    printf 'the download needs %s KiB, %s has %s KiB free' "$need" "$place" "$free"
}

download_kib() {
  # shellcheck disable=SC2086 # options are words
  apt-get -qq --print-uris -o Dir::Etc::Preferences="$dir/pins" $apt_pinned_options upgrade --with-new-pkgs 2>/dev/null |
    awk "/^'/ { sum += \$3 } END { printf \"%d\", sum / 1024 }"
}

# Nothing that decides what these pins do has changed since the controller judged a simulation of them.
is_as_judged() {
  judged=$(field fingerprint)
  [ -n "$judged" ] && [ "$judged" = "$(host_fingerprint)" ]
}

apt_install() {
  quiet_environment
  broken=$(unwell)
  if [ -n "$broken" ]; then
    finish broken-before 100 "not properly installed before anything was begun: $broken" result_installed
    return
  fi
  merge_journal
  if ! { dpkg_list >"$dir/before" && apt_auto >"$dir/auto-before" && wanted_set >"$dir/wanted" &&
    apt_pin_preferences "$dir/pins"; }; then
    finish disk 0 'the request cannot be written to the job directory' result_installed
    return
  fi
  if [ ! -s "$dir/wanted" ]; then
    finish ok 0 'everything was at its planned version' result_installed
    return
  fi
  is_as_judged || is_as_asked || return
  need=$(field download_kib)
  case $need in '' | *[!0-9]*) need=$(download_kib) ;; esac
  lacks=$(space_lacks "$need")
  if [ -n "$lacks" ]; then
    finish disk 0 "$lacks" result_installed
    return
  fi
  say "installing $(wc -l <"$dir/wanted" | tr -d ' ') packages"
  # shellcheck disable=SC2086 # options are words
  locked apt-get -y -q -o Dir::Etc::Preferences="$dir/pins" $apt_pinned_options $apt_plain \
    --no-remove $conffile_options upgrade --with-new-pkgs
  say 'reading back'
  end_install
}

# The simulation under the pins must be exactly what is wanted, and nothing may go.
is_as_asked() {
  say 'simulating'
  # shellcheck disable=SC2086 # options are words
  apt_dry_run "$dir/simulated" "$dir/pins" $apt_pinned_options upgrade --with-new-pkgs
  inst_set "$dir/simulated" >"$dir/simulated-set"
  if ! grep -q '^Remv' "$dir/simulated" && cmp -s "$dir/wanted" "$dir/simulated-set"; then return; fi
  finish drift 0 "$(drift_words | head -c 2000 | tr '\n' ';')" result_installed
  return 1
}

drift_words() {
  sed -n 's/^Remv \([^ ]*\).*/\1 would be removed/p; s/^E: /apt: /p' "$dir/simulated"
  comm -23 "$dir/wanted" "$dir/simulated-set" | sed 's/$/ would not be installed/'
  comm -13 "$dir/wanted" "$dir/simulated-set" | sed 's/$/ would be installed, which was not asked for/'
}

end_install() {
  if [ "$code" = 0 ]; then
    finish ok 0 '' result_installed
  elif [ -n "$held" ]; then
    finish locked "$code" "$held" result_installed
  elif said | grep -q 'No space left on device'; then
    finish disk "$code" 'no space left on the device' result_installed
  else
    finish failed "$code" "$(complaints)" result_installed
  fi
}

# Old versions of apt end well although a repository is dead.
apt_refresh() {
  quiet_environment
  say 'fetching package lists'
  locked apt-get -q update -o APT::Update::Error-Mode=any -o APT::Color=0
  problems=$(complaints)
  if [ -n "$held" ]; then
    finish locked "$code" "$held"
  elif [ "$code" = 0 ] && [ -z "$problems" ]; then
    remember_refresh yes
    finish ok 0 ''
  else
    remember_refresh no
    [ "$code" != 0 ] || code=100
    finish failed "$code" "$problems"
  fi
}

# Those that dpkg was cut off from unpacking (dpkg(1), reinst-required): nothing but unpacking them anew helps.
torn() { dpkg_list | awk -F "$tab" '$4 ~ /^..R/ { print ($2 == "all") ? $1 : $1 ":" $2 }'; }

# Only what an earlier job of ours broke: configure what is unpacked, unpack at its planned version what was cut off from
# it, then complete, never remove.
apt_repair() {
  quiet_environment
  dpkg_list >"$dir/before"
  apt_auto >"$dir/auto-before"
  say 'configuring what is half-way'
  # shellcheck disable=SC2086 # options are words
  locked dpkg $dpkg_options --configure -a
  torn=$(torn)
  if [ -z "$held" ] && [ -n "$torn" ] && apt_pin_preferences "$dir/pins"; then
    say 'unpacking anew what was cut off'
    # shellcheck disable=SC2086 # options and names are words
    locked apt-get -y -q -o Dir::Etc::Preferences="$dir/pins" $apt_pinned_options $apt_plain --no-remove --reinstall \
      $conffile_options install $torn
  fi
  # A failing postinst would only fail once more; what lacks a dependency is another thing.
  if [ -z "$held" ] && [ -n "$(unwell)" ] && ! apt-get -qq check -o Debug::NoLocking=1 >/dev/null 2>&1; then
    # shellcheck disable=SC2086 # options are words
    locked apt-get -y -q $apt_plain -o APT::Get::AutomaticRemove=0 --no-remove $conffile_options --fix-broken install
  fi
  broken=$(unwell)
  if [ -n "$held" ]; then
    finish locked "$code" "$held" result_installed
  elif [ -z "$broken" ]; then
    finish ok 0 '' result_installed
  else
    finish failed "${code:-1}" "still not properly installed: $broken $(complaints)" result_installed
  fi
}
