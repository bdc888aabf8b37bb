# shellcheck shell=sh
# apt and dpkg, read only.

apt_quiet='-q -s -o Debug::NoLocking=1 -o APT::Get::Show-User-Simulation-Note=0 -o APT::Cmd::Disable-Script-Warning=1'

# apt_check_rows: each row is name,architecture,version in the alphabets of deb-version(7) and deb-control(5).
apt_check_rows() {
  for row in $rows; do
    case $row in
      *,*,*,*) return 1 ;;
      [A-Za-z0-9]*,[a-z0-9]*,[A-Za-z0-9]*) ;;
      *) return 1 ;;
    esac
    rest=${row#*,}
    case ${row%%,*} in *[!A-Za-z0-9+.-]*) return 1 ;; esac
    case ${rest%%,*} in *[!a-z0-9-]*) return 1 ;; esac
    case ${row##*,} in *[!A-Za-z0-9.+~:-]*) return 1 ;; esac
  done
}

apt_list() {
  section apt-installed
  dpkg_list
}

dpkg_list() {
  dpkg-query -W -f '${Package}\t${Architecture}\t${Version}\t${db:Status-Abbrev}\t${source:Package}\t${source:Version}\n'
}

# name:architecture of what was installed as a dependency.
apt_auto() {
  awk '/^Package:/ { name = $2 } /^Architecture:/ { arch = $2 } /^Auto-Installed: 1/ { print name ":" arch }' \
    /var/lib/apt/extended_states 2>/dev/null
}

# apt_dry_run FILE PREFERENCES ARGUMENTS...: what apt-get would do, its errors, and a last line with its exit status.
apt_dry_run() {
  simulation=$1 preferences=$2
  shift 2
  if [ -n "$preferences" ]; then
    set -- -o "Dir::Etc::Preferences=$preferences" -o Dir::Etc::PreferencesParts=/dev/null "$@"
  fi
  {
    # shellcheck disable=SC2086 # options are words
    bounded 300 apt-get $apt_quiet "$@" </dev/null 2>&1
    printf '\nrc %s\n' "$?"
  } | grep -E '^(Inst|Remv|E:|W:|Error:|rc |The following .*(kept back|due to phasing)| [^ ]+ : [A-Z])' >"$simulation"
}

# The versions that close security holes: everything but the security sources is out of reach.
apt_security_preferences() {
  {
    printf 'Package: *\nPin: release l=Debian-Security\nPin-Priority: 990\n\n'
    codename=$(sed -n 's/^VERSION_CODENAME="\{0,1\}\([a-z0-9.-]*\).*/\1/p' /etc/os-release 2>/dev/null)
    [ -z "$codename" ] || printf 'Package: *\nPin: release o=Ubuntu,a=%s-security\nPin-Priority: 990\n\n' "$codename"
    for service in infra apps; do
      printf 'Package: *\nPin: release o=UbuntuESM*,a=%s-%s-security\nPin-Priority: 990\n\n' "$codename" "$service"
    done
    for origin in $(field security_origins | tr ',' ' '); do
      printf 'Package: *\nPin: release o=%s\nPin-Priority: 990\n\nPackage: *\nPin: release l=%s\nPin-Priority: 990\n\n' \
        "$origin" "$origin"
    done
    printf 'Package: *\nPin: release *\nPin-Priority: -1\n'
  } >"$1"
}

# An administrator's own settings must not add to what the pins say.
apt_pinned_options='-o Dir::Etc::PreferencesParts=/dev/null -o APT::Get::Always-Include-Phased-Updates=1 -o APT::Get::AutomaticRemove=0'

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
  stat -c '%Y %n' /var/lib/apt/lists/*Release 2>/dev/null | awk '{
    name = $2
    sub(/.*\//, "", name)
    printf "%s\t%s\t", name, $1
    while ((getline line <$2) > 0 && line !~ /^-----BEGIN PGP SIGNATURE/)
      if (sub(/^Origin: */, "Origin=", line) || sub(/^Label: */, "Label=", line) || sub(/^Suite: */, "Suite=", line) ||
        sub(/^Codename: */, "Codename=", line) || sub(/^Date: */, "Date=", line) || sub(/^Valid-Until: */, "Valid-Until=", line))
        printf "%s\t", line
    close($2)
    print ""
  }'
  set -f
}

without_credentials() { sed 's|://[^/@ ]*@|://|g'; }

# Every repository that the sources name: + where its release file is and - where it was never fetched, its address, and
# what its files are called. Nothing is fetched by this; credentials in addresses stay here.
apt_targets() {
  bounded 60 apt-get --print-uris -o Debug::NoLocking=1 update 2>/dev/null </dev/null |
    sed -n "s/^'\(.*\)InRelease' \(.*\)InRelease [0-9].*/\1$tab\2/p" | without_credentials |
    while IFS=$tab read -r site file; do
      if [ -e "/var/lib/apt/lists/${file}InRelease" ] || [ -e "/var/lib/apt/lists/${file}Release" ]; then
        printf '+\t%s\t%s\n' "$site" "$file"
      else
        printf -- '-\t%s\t%s\n' "$site" "$file"
      fi
    done | sort -u
}

# What was remembered; nothing where there was no refresh of ours, or where it is another account's to read.
apt_refreshes() { cat "$base/refreshed" 2>/dev/null; }

# A simulation costs seconds of CPU where much is pending: everything there is, holds and phasing set aside, is asked
# for only where something is kept back, which would go in without new packages only where there is one, and what the
# security sources alone would bring only where that can be more than nothing.
# shellcheck disable=SC2154 # work is the private directory of the probe
apt_dry_runs() {
  apt_dry_run "$work/normal" '' upgrade --with-new-pkgs
  if grep -q '^The following' "$work/normal"; then
    apt_dry_run "$work/wide" '' dist-upgrade --ignore-hold -o APT::Get::Always-Include-Phased-Updates=1
  fi
  if grep -q '^Inst [^ ]* (' "$work/normal"; then apt_dry_run "$work/plain" '' upgrade; fi
  bounded 60 apt-cache policy >"$work/releases" 2>/dev/null
  if ! grep -qvE '^(rc 0)?$' "$work/normal" && has_usual_priorities; then
    cp "$work/normal" "$work/security"
  else
    apt_security_preferences "$work/security.pref"
    apt_dry_run "$work/security" "$work/security.pref" upgrade --with-new-pkgs
  fi
}

# Where no source is preferred to another and nothing is pinned, no update of a security source stays hidden: apt-cache(8)
# policy. Backports have another priority, and no security updates of their own.
has_usual_priorities() {
  awk '
    /^Pinned packages:/ { is_pins = 1; next }
    is_pins && NF > 0 { exit unusual = 1 }
    $1 ~ /^-?[0-9]+$/ { if (is_open) exit unusual = 1; is_open = $1 != 500 && $2 != "/var/lib/dpkg/status" }
    is_open && $1 == "release" && /[,=][a-z.]*-backports(-sloppy)?(,|$)/ { is_open = 0 }
    END { exit unusual || is_open || NR == 0 }' "$work/releases"
}

apt_scan() {
  private_directory || return
  apt_dry_runs &
  section apt-version
  apt-get --version | head -n 1
  apt_list
  section apt-auto
  apt_auto
  section security-origins
  field security_origins | tr ',' '\n'
  section apt-metadata
  apt_metadata
  section apt-success
  stat -c %Y /var/lib/apt/periodic/update-success-stamp 2>/dev/null
  section apt-targets
  apt_targets
  section apt-refreshes
  apt_refreshes
  wait
  for view in normal security wide plain; do
    if [ -e "$work/$view" ]; then
      section "apt-$view"
      cat "$work/$view"
    fi
  done
  section apt-policy
  touch "$work/wide"
  names=$(apt_names "$work/normal" "$work/security" "$work/wide")
  # shellcheck disable=SC2086 # names are words
  [ -z "$names" ] || bounded 120 apt-cache policy $names 2>/dev/null
  section apt-releases
  cat "$work/releases"
  section apt-unfinished
  ls /var/lib/dpkg/updates 2>/dev/null
  apt_leftovers
}

apt_leftovers() {
  section conffile-leftovers
  bounded 30 find /etc -xdev \( -name '*.dpkg-dist' -o -name '*.dpkg-new' -o -name '*.ucf-dist' \) -print 2>/dev/null
}

# name arch version of every Inst line, sorted.
inst_set() {
  sed -n 's/^Inst \([^ :]*\)[^ ]* \(\[[^]]*\] \)\{0,1\}(\([^ ]*\) .*\[\([a-z0-9-]*\)\]).*$/\1 \4 \3/p' "$1" | sort
}

# What exactly the pins of the rows would do. Sizes of downloads are left out where they are not asked for, and what else
# is on offer where every row would go in as it is asked for.
apt_simulate() {
  private_directory || return
  apt_pin_preferences "$work/pins"
  # shellcheck disable=SC2086 # options are words
  apt_dry_run "$work/pinned" "$work/pins" $apt_pinned_options upgrade --with-new-pkgs &
  section apt-asked
  names=
  for row in $rows; do
    rest=${row#*,}
    names="$names ${row%%,*}:${rest%%,*}"
  done
  # A kernel that left the repository has a successor under another name: one that is installed, or that would go in.
  case " $names" in *' linux-'*-[0-9]*) kernels='^linux-.*-[0-9]' ;; *) kernels='^$' ;; esac
  dpkg_list >"$work/installed"
  awk -v wanted="$names " -v kernels="$kernels" -F "$tab" 'index(wanted, " " $1 ":" $2 " ") || $1 ~ kernels' \
    "$work/installed"
  section apt-architecture
  dpkg --print-architecture
  if [ "$(field sizes yes)" = yes ]; then
    section apt-uris
    # shellcheck disable=SC2086 # options are words
    bounded 300 apt-get -qq --print-uris -o Debug::NoLocking=1 -o Dir::Etc::Preferences="$work/pins" $apt_pinned_options \
      upgrade --with-new-pkgs </dev/null 2>/dev/null | grep "^'"
  fi
  wait
  section apt-pinned
  cat "$work/pinned"
  row_set >"$work/asked"
  inst_set "$work/pinned" >"$work/going"
  if cmp -s "$work/asked" "$work/going"; then return; fi
  names=
  for row in $rows; do
    rest=${row#*,}
    case ${rest%%,*} in all) names="$names ${row%%,*}" ;; *) names="$names ${row%%,*}:${rest%%,*}" ;; esac
  done
  if [ "$kernels" != '^$' ]; then
    apt_dry_run "$work/normal" '' upgrade --with-new-pkgs
    names="$names $({ apt_names "$work/normal"; cut -f 1 "$work/installed"; } | grep "$kernels" | sort -u | tr '\n' ' ')"
  fi
  section apt-policy
  # shellcheck disable=SC2086 # names are words
  [ -z "$names" ] || bounded 120 apt-cache policy $names 2>/dev/null
  section apt-releases
  bounded 60 apt-cache policy 2>/dev/null
}

# name arch version of every row, sorted.
row_set() {
  for row in $rows; do
    rest=${row#*,}
    printf '%s %s %s\n' "${row%%,*}" "${rest%%,*}" "${row##*,}"
  done | sort
}
