# shellcheck shell=sh
# rpm, read only: what every package manager over it has in common.

# rpm_check_rows: each row is name,architecture,[epoch:]version-release in the alphabet of rpm; a caret comes as =136.
rpm_check_rows() {
  for row in $rows; do
    case $row in
      *,*,*,*) return 1 ;;
      [A-Za-z0-9_]*,[a-z]*,[A-Za-z0-9]*-*) ;;
      *) return 1 ;;
    esac
    rest=${row#*,}
    case ${row%%,*} in *[!A-Za-z0-9+._-]*) return 1 ;; esac
    case ${rest%%,*} in *[!a-z0-9_]*) return 1 ;; esac
    case $(printf '%s' "${row##*,}" | sed 's/=136/~/g') in *[!A-Za-z0-9.+~:_-]*) return 1 ;; esac
  done
}

rpm_list() {
  section rpm-installed
  rpm_packages
  section rpm-installonly
  rpm_beside
  section rpm-image
  if [ -e /run/ostree-booted ]; then
    echo ostree
  elif rpm_is_transactional; then
    echo transactional
  fi
}

# As libzypp has it: the root file system is mounted read-only, and transactional-update is there to change it in a snapshot.
rpm_is_transactional() {
  have transactional-update || return 1
  awk '$2 == "/" { options = $4 } END { exit !("," options "," ~ /,ro,/) }' /proc/mounts 2>/dev/null
}

# Names of packages that are installed beside others of their name, as kernels are.
rpm_beside() {
  case " $found_managers " in
    *' zypper '*) zypper_beside ;;
    *) rpm_providers kernel 'installonlypkg(kernel)' 'installonlypkg(kernel-module)' 'installonlypkg(vm)' \
      'multiversion(kernel)' ;;
  esac | sort -u
}

rpm_providers() { rpm -q --qf '%{NAME}\n' --whatprovides "$@" 2>/dev/null | grep -v ' '; }

rpm_packages() {
  rpm -qa --qf '%{NAME}\t%{ARCH}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\t%{SOURCERPM}\t%{INSTALLTIME}\n' 2>/dev/null
}

rpm_leftovers() {
  section rpm-leftovers
  bounded 30 find /etc -xdev \( -name '*.rpmnew' -o -name '*.rpmsave' -o -name '*.rpmorig' \) -print 2>/dev/null
}

# rpm_refreshes NAME: which repositories fail since a refresh of ours, since when, and why.
rpm_refreshes() {
  section rpm-refreshes
  cat "$base/refreshed-$1" 2>/dev/null
}

# The rows of a simulation, as they were meant.
rpm_asked() {
  section rpm-asked
  for row in $rows; do printf '%s\n' "$(unescaped "$row")"; done
}
