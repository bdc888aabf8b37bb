# shellcheck shell=sh
# apt and dpkg, read only. apt ignores a preferences file on a pipe, so a scan has a directory of its own for a moment.

apt_quiet='-qq -s -o Debug::NoLocking=1 -o APT::Get::Show-User-Simulation-Note=0 -o APT::Cmd::Disable-Script-Warning=1'

dpkg_list() {
  dpkg-query -W -f '${Package}\t${Architecture}\t${Version}\t${db:Status-Abbrev}\t${source:Package}\t${source:Version}\n'
}

# apt_simulate FILE PREFERENCES ARGUMENTS...: writes what apt-get says, errors included, and its exit status.
apt_simulate() {
  simulation=$1
  if [ -n "$2" ]; then
    pinned="-o Dir::Etc::Preferences=$2 -o Dir::Etc::PreferencesParts=/dev/null"
  else
    pinned=
  fi
  shift 2
  # shellcheck disable=SC2086 # options are words
  bounded 300 apt-get $apt_quiet $pinned "$@" </dev/null 2>&1 |
    grep -E '^(Inst|Remv|E:|W:|Error:)' >"$simulation"
}

# The versions that close security holes: everything but the security sources is out of reach.
apt_security_preferences() {
  {
    printf 'Package: *\nPin: release l=Debian-Security\nPin-Priority: 990\n\n'
    codename=$(. /etc/os-release 2>/dev/null && printf '%s' "${VERSION_CODENAME-}")
    [ -z "$codename" ] || printf 'Package: *\nPin: release o=Ubuntu,a=%s-security\nPin-Priority: 990\n\n' "$codename"
    printf 'Package: *\nPin: release o=UbuntuESM\nPin-Priority: 990\n\n'
    printf 'Package: *\nPin: release o=UbuntuESMApps\nPin-Priority: 990\n\n'
    for origin in $(field security_origins | tr ',' ' '); do
      printf 'Package: *\nPin: release o=%s\nPin-Priority: 990\n\nPackage: *\nPin: release l=%s\nPin-Priority: 990\n\n' \
        "$origin" "$origin"
    done
    printf 'Package: *\nPin: release *\nPin-Priority: -1\n'
  } >"$1"
}

# apt_pin_preferences FILE: exactly the versions of the rows (name,arch,...,version last) and nothing else.
apt_pin_preferences() {
  {
    for row in $rows; do
      name=${row%%,*}
      rest=${row#*,}
      arch=${rest%%,*}
      case $arch in all) pin=$name ;; *) pin=$name:$arch ;; esac
      printf 'Package: %s\nPin: version %s\nPin-Priority: 990\n\n' "$pin" "${row##*,}"
    done
    printf 'Package: *\nPin: release *\nPin-Priority: -1\n'
  } >"$1"
}

# Names of the packages in simulations, each once.
apt_names() { sed -n 's/^Inst \([^ ]*\) .*/\1/p' "$@" | sort -u; }

apt_metadata() {
  set +f
  for file in /var/lib/apt/lists/*Release; do
    set -f
    [ -e "$file" ] || continue
    printf '%s\t%s\t' "${file##*/}" "$(stat -c %Y "$file" 2>/dev/null)"
    sed -n '/^-----BEGIN PGP SIGNATURE/q; s/^\(Origin\|Label\|Suite\|Codename\|Date\|Valid-Until\): */\1=/p' "$file" |
      tr '\n' '\t'
    echo
  done
  set -f
}

# Every index that the sources name, with + where it was fetched and - where it was not.
apt_targets() {
  bounded 60 apt-get indextargets --format '$(FILENAME)|$(SITE)|$(RELEASE)' 'Created-By: Packages' 2>/dev/null |
    while IFS='|' read -r file site release; do
      state=-
      set +f
      for found in "$file" "$file".*; do
        [ ! -e "$found" ] || state=+
      done
      set -f
      printf '%s\t%s\t%s\n' "$state" "$site" "$release"
    done | sort -u
}

apt_scan() {
  work=$(mktemp -d "${TMPDIR:-/tmp}/fettle.XXXXXXXX") || {
    section problem
    echo 'disk no directory for temporary files can be made'
    return
  }
  trap 'rm -rf "$work"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  apt_security_preferences "$work/security.pref"
  apt_simulate "$work/normal" '' upgrade --with-new-pkgs &
  apt_simulate "$work/security" "$work/security.pref" upgrade --with-new-pkgs &
  apt_simulate "$work/wide" '' dist-upgrade --ignore-hold -o APT::Get::Always-Include-Phased-Updates=1
  section apt-version
  apt-get --version | head -n 1
  section apt-installed
  dpkg_list
  section apt-auto
  awk '/^Package:/ {p=$2} /^Architecture:/ {a=$2} /^Auto-Installed: 1/ {print p ":" a}' \
    /var/lib/apt/extended_states 2>/dev/null
  section apt-metadata
  apt_metadata
  section apt-looked
  stat -c %Y /var/lib/apt/lists /var/lib/apt/lists/partial /var/lib/apt/periodic/update-success-stamp 2>/dev/null |
    sort -n | tail -n 1
  section apt-targets
  apt_targets
  wait
  section apt-normal
  cat "$work/normal"
  section apt-security
  cat "$work/security"
  section apt-wide
  cat "$work/wide"
  # Which of them would not go in without a new package is asked only where there is one.
  if grep -q '^Inst [^ ]* (' "$work/normal"; then
    apt_simulate "$work/plain" '' upgrade
    section apt-plain
    cat "$work/plain"
  fi
  section apt-policy
  names=$(apt_names "$work/normal" "$work/security" "$work/wide")
  # shellcheck disable=SC2086 # names are words
  [ -z "$names" ] || bounded 120 apt-cache policy $names 2>/dev/null
  section apt-releases
  bounded 60 apt-cache policy 2>/dev/null
  section apt-unfinished
  ls /var/lib/dpkg/updates 2>/dev/null
  section conffile-leftovers
  find /etc -xdev \( -name '*.dpkg-dist' -o -name '*.dpkg-new' -o -name '*.ucf-dist' \) -print 2>/dev/null
}

# What exactly the pins of the rows would do.
apt_ask() {
  work=$(mktemp -d "${TMPDIR:-/tmp}/fettle.XXXXXXXX") || exit 73
  trap 'rm -rf "$work"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  apt_pin_preferences "$work/pins"
  apt_simulate "$work/pinned" "$work/pins" upgrade --with-new-pkgs -o APT::Get::Always-Include-Phased-Updates=1
  section apt-pinned
  cat "$work/pinned"
  section apt-uris
  bounded 300 apt-get -qq --print-uris -o Debug::NoLocking=1 -o Dir::Etc::Preferences="$work/pins" \
    -o Dir::Etc::PreferencesParts=/dev/null -o APT::Get::Always-Include-Phased-Updates=1 \
    upgrade --with-new-pkgs </dev/null 2>/dev/null | grep "^'"
  section apt-asked
  names=
  for row in $rows; do
    rest=${row#*,}
    names="$names ${row%%,*}:${rest%%,*}"
  done
  dpkg_list | awk -v wanted="$names " -F "$tab" 'index(wanted, " " $1 ":" $2 " ")'
  section apt-policy
  names=
  for row in $rows; do names="$names ${row%%,*}"; done
  # shellcheck disable=SC2086 # names are words
  [ -z "$names" ] || bounded 120 apt-cache policy $names 2>/dev/null
  section apt-releases
  bounded 60 apt-cache policy 2>/dev/null
}
