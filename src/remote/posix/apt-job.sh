# shellcheck shell=sh
# apt and dpkg, changing: install exactly the rows, refresh, repair. Every end is judged by what dpkg's database says.

apt_exact="-o Dir::Etc::PreferencesParts=/dev/null -o APT::Get::Always-Include-Phased-Updates=1"
case $(field conffile keep-old) in
  take-new) conffile_options='-o Dpkg::Options::=--force-confnew' dpkg_options='--force-confnew' ;;
  *)
    conffile_options='-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold'
    dpkg_options='--force-confdef --force-confold'
    ;;
esac

quiet_environment() {
  DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical APT_LISTCHANGES_FRONTEND=none APT_LISTBUGS_FRONTEND=none
  UCF_FORCE_CONFFOLD=1 NEEDRESTART_SUSPEND=1 TERM=dumb
  export DEBIAN_FRONTEND DEBIAN_PRIORITY APT_LISTCHANGES_FRONTEND APT_LISTBUGS_FRONTEND UCF_FORCE_CONFFOLD NEEDRESTART_SUSPEND TERM
  [ -n "${HOME-}" ] || HOME=/root
  export HOME
}

# streamed COMMAND...: apt takes its locks before it changes anything, but waits for none but the frontend's; so a
# refusal at the door is tried again until the wait is over. Sets code, and held to the words about the holder.
streamed() {
  limit=$(($(uptime_sec) + $(number lock_wait 600)))
  while :; do
    {
      "$@" 2>&1
      echo $? >"$dir/code"
    } | tee "$dir/out"
    code=$(cat "$dir/code")
    held=$(grep -E 'Could not get lock|Unable to lock|Unable to acquire the dpkg frontend lock|is another process using it' "$dir/out" | head -n 1)
    if [ "$code" = 0 ] || [ -z "$held" ]; then break; fi
    if [ "$(uptime_sec)" -ge "$limit" ]; then break; fi
    say "waiting for a lock: ${held#E: }"
    sleep 2
  done
}

result_installed() {
  section apt-installed
  dpkg_list
}

# name arch version of every Inst line, sorted.
inst_set() {
  sed -n 's/^Inst \([^ :]*\)[^ ]* \(\[[^]]*\] \)\{0,1\}(\([^ ]*\) .*\[\([a-z0-9-]*\)\]).*$/\1 \4 \3/p' "$1" | sort
}

wanted_set() {
  dpkg_list >"$dir/installed"
  for row in $rows; do
    rest=${row#*,}
    printf '%s\t%s\t%s\n' "${row%%,*}" "${rest%%,*}" "${row##*,}"
  done |
    awk -F "$tab" 'NR == FNR { if ($4 ~ /^[ih]i *$/) at[$1 " " $2] = $3; next }
      at[$1 " " $2] != $3 { print $1, $2, $3 }' "$dir/installed" - | sort
}

unwell() { dpkg_list | awk -F "$tab" '$4 !~ /^[ihrpu][icn] *$/ { print $1 ":" $2 " (" $4 ")" }' | tr '\n' ' '; }

# Bytes to download against what is free; apt would stop in the middle of a download.
space_lacks() {
  need=$(apt-get -qq --print-uris $apt_exact -o Dir::Etc::Preferences="$dir/pins" upgrade --with-new-pkgs 2>/dev/null |
    awk "/^'/ { sum += \$3 } END { printf \"%d\", sum / 1024 }")
  free=$(df -Pk /var/cache/apt/archives | awk 'END { print $4 }')
  [ "${need:-0}" -gt "$((free - 20480))" ] && printf 'the download needs %s KiB, /var/cache/apt/archives has %s KiB free' "$need" "$free"
}

apt_install() {
  quiet_environment
  broken=$(unwell)
  if [ -n "$broken" ]; then
    finish broken-before 100 "not properly installed before anything was begun: $broken" result_installed
    return
  fi
  wanted_set >"$dir/wanted"
  if [ ! -s "$dir/wanted" ]; then
    finish ok 0 'everything was at its planned version' result_installed
    return
  fi
  apt_pin_preferences "$dir/pins"
  say 'simulating'
  # shellcheck disable=SC2086 # options are words
  streamed apt-get -s -q $apt_exact -o Dir::Etc::Preferences="$dir/pins" upgrade --with-new-pkgs >/dev/null
  grep -E '^(Inst|Remv|E:)' "$dir/out" >"$dir/simulated"
  inst_set "$dir/simulated" >"$dir/simulated-set"
  if grep -q '^Remv' "$dir/simulated" || ! cmp -s "$dir/wanted" "$dir/simulated-set"; then
    drift_words >"$dir/drift"
    finish drift 0 "$(head -c 2000 "$dir/drift" | tr '\n' ';')" result_installed
    return
  fi
  lacks=$(space_lacks)
  if [ -n "$lacks" ]; then
    finish disk 0 "$lacks" result_installed
    return
  fi
  say "installing $(wc -l <"$dir/wanted" | tr -d ' ') packages"
  # shellcheck disable=SC2086 # options are words
  streamed apt-get -y -q $apt_exact -o Dir::Etc::Preferences="$dir/pins" -o DPkg::Lock::Timeout="$(number lock_wait 600)" \
    -o APT::Color=0 -o Dpkg::Progress-Fancy=0 --no-remove $conffile_options upgrade --with-new-pkgs
  say 'reading back'
  if [ "$code" = 0 ]; then
    finish ok 0 '' result_installed
  elif [ -n "$held" ]; then
    finish locked "$code" "$held" result_installed
  elif grep -q 'No space left on device' "$dir/out"; then
    finish disk "$code" 'no space left on the device' result_installed
  else
    finish failed "$code" "$(grep -E '^(E:|dpkg: error)' "$dir/out" | head -n 3 | tr '\n' ';')" result_installed
  fi
}

drift_words() {
  sed -n 's/^Remv \([^ ]*\).*/\1 would be removed/p; s/^E: /apt: /p' "$dir/simulated"
  comm -23 "$dir/wanted" "$dir/simulated-set" | sed 's/$/ would not go in/'
  comm -13 "$dir/wanted" "$dir/simulated-set" | sed 's/$/ would go in, which was not asked for/'
}

apt_refresh() {
  quiet_environment
  say 'fetching package lists'
  streamed apt-get -q update -o APT::Update::Error-Mode=any
  problems=$(grep -E '^(E:|W:|Err:)' "$dir/out" | head -n 5 | tr '\n' ';')
  if [ "$code" = 0 ]; then
    finish ok 0 "$problems"
  elif [ -n "$held" ]; then
    finish locked "$code" "$held"
  else
    finish failed "$code" "$problems"
  fi
}

# Only what an earlier job of ours broke: configure what is unpacked, then complete, never remove.
apt_repair() {
  quiet_environment
  say 'configuring what is half-way'
  # shellcheck disable=SC2086 # options are words
  streamed dpkg $dpkg_options --configure -a
  if [ -n "$(unwell)" ]; then
    # shellcheck disable=SC2086 # options are words
    streamed apt-get -y -q --no-remove $conffile_options --fix-broken install
  fi
  broken=$(unwell)
  if [ -z "$broken" ]; then
    finish ok 0 '' result_installed
  else
    finish failed "${code:-1}" "still not properly installed: $broken" result_installed
  fi
}

# A planned removal of exactly these kernel packages, never the running one.
apt_remove_kernels() {
  quiet_environment
  running=$(uname -r)
  names=
  for row in $rows; do
    name=${row%%,*}
    case $name in
      *"$running"*)
        finish bad-request 1 "$name is the running kernel"
        return
        ;;
      linux-image-[0-9]* | linux-headers-[0-9]* | linux-modules-[0-9]*) names="$names $name" ;;
      *)
        finish bad-request 1 "$name is no kernel package"
        return
        ;;
    esac
  done
  # shellcheck disable=SC2086 # names are words
  streamed apt-get -s -q remove $names >/dev/null
  extra=$(sed -n 's/^Remv \([^ :]*\).*/\1/p' "$dir/out" | while read -r name; do
    case "$names " in *" $name "*) ;; *) printf '%s ' "$name" ;; esac
  done)
  if [ -n "$extra" ]; then
    finish drift 0 "these would be removed too: $extra"
    return
  fi
  # shellcheck disable=SC2086 # names are words
  streamed apt-get -y -q remove $names
  if [ "$code" = 0 ]; then finish ok 0 '' result_installed; else finish failed "$code" "$(grep '^E:' "$dir/out" | head -n 2 | tr '\n' ';')" result_installed; fi
}
