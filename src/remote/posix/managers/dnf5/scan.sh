# shellcheck shell=sh
# dnf 5 and rpm, read only: what its commands print as JSON or in a format of ours, and the table of a transaction that is
# declined, of which there is no other form (dnf5.readthedocs.io, commands).

dnf5_check_rows() { rpm_check_rows; }
dnf5_list() { rpm_list; }
dnf5_leftovers() { rpm_leftovers; }

# Kernels are put beside each other; which one goes is no by-product of an update. Packages are not renamed, and what
# cannot go in keeps nothing else back.
dnf5_options='--setopt=installonly_limit=0 --setopt=obsoletes=0' dnf5_upgrade='upgrade --no-best --skip-unavailable'

# dnf5_ask WORDS...: in English, for a terminal that is wide enough, from the lists that are there. What it complains of
# is in dnf5_said when it fails.
dnf5_ask() {
  {
    # shellcheck disable=SC2086 # options are words
    dnf5_said=$({
      FORCE_COLUMNS=2000 bounded 300 dnf5 --setopt=cacheonly=all $dnf5_unfetched "$@" ||
        echo "dnf5 ended with status $?" >&2
    } 2>&1 >&3)
  } 3>&1
}

# dnf5_part SECTION WORDS...: a section with what it prints. Why there is no answer is said by dnf5_end.
dnf5_part() {
  section "$1"
  shift
  dnf5_ask "$@"
  case $dnf5_said in *'dnf5 ended with status '*) dnf5_errors="$dnf5_errors$dnf5_said; " ;; esac
}

dnf5_end() {
  [ -n "$dnf5_errors" ] || return 0
  section dnf5-error
  printf '%s\n' "$dnf5_errors" | tail -n 5
}

# Enabled repositories, one a line; _dnf_local is of a plugin that keeps what was downloaded.
dnf5_repositories() {
  dnf5 -q repo list --enabled --json 2>/dev/null | sed -n 's/^ *"id":"\([^"]*\)".*/\1/p' | grep -v '^_dnf_local'
}

# What was never fetched makes dnf refuse everything. Each repository: its id, when it was fetched, whether it has
# advisories; tab-separated.
dnf5_state() {
  dnf5_unfetched=''
  set +f
  for each in $(dnf5_repositories); do
    at='' has=''
    for place in /var/cache/libdnf5/"$each"-????????????????/repodata; do
      if [ -e "$place/repomd.xml" ]; then
        at=$(stat -c %Y "$place/repomd.xml" 2>/dev/null)
        case $(echo "$place"/*-updateinfo.xml*) in *'*'*) has='' ;; *) has=advisories ;; esac
      fi
    done
    printf '%s\t%s\t%s\n' "$each" "$at" "$has"
    [ -n "$at" ] || dnf5_unfetched="$dnf5_unfetched --disable-repo=$each"
  done
  set -f
}

dnf5_begin() {
  dnf5_errors='' dnf5_format="version$tab%{name}$tab%{arch}$tab%{evr}$tab%{repoid}$tab%{downloadsize}$tab%{sourcerpm}\\n"
  rpm_list
  section dnf5-repositories
  dnf5_state
}

dnf5_scan() {
  dnf5_begin
  if [ "$own_uid" = 0 ]; then
    dnf5_part dnf5-versions -q repoquery --upgrades --qf "$dnf5_format"
    dnf5_part dnf5-everything -q --setopt=disable_excludes=\* repoquery --upgrades --qf "$dnf5_format"
    dnf5_part dnf5-locked -q versionlock list
    dnf5_part dnf5-advisories -q advisory list --json
    dnf5_part dnf5-cves -q advisory list --with-cve --json
    # shellcheck disable=SC2086 # options are words
    dnf5_table $dnf5_options --setopt=obsoletes=1 $dnf5_upgrade
  else
    dnf5_errors='dnf 5 shows the lists of root to no other account'
  fi
  dnf5_end
  rpm_refreshes dnf5
  rpm_leftovers
}

# dnf5_table WORDS...: the table of what would be done. That it was declined is no failure.
dnf5_table() {
  section dnf5-transaction
  dnf5_ask --assumeno "$@"
  printf '%s\n' "$dnf5_said"
}

# What exactly the rows would do.
dnf5_simulate() {
  dnf5_begin
  rpm_asked
  dnf5_wanted
  # shellcheck disable=SC2086 # names are words
  dnf5_part dnf5-versions -q repoquery --available --qf "$dnf5_format" $dnf5_names
  # shellcheck disable=SC2086 # options and packages are words
  dnf5_table $dnf5_options $dnf5_others $dnf5_upgrade $dnf5_specs
  dnf5_end
}

# dnf5_wanted: of the rows the names; as packages those whose name is installed, the others go in where these need them;
# and as options the other versions of their names, which stay out of reach. An installed version must not be among them:
# it would count as not installed.
dnf5_wanted() {
  dnf5_names='' dnf5_specs='' dnf5_exact=' ' dnf5_others=''
  dnf5_there=" $(rpm_packages | awk -F "$tab" '{ print $1 "." $2, $1 "-" $3 "." $2 }' | tr '\n' ' ') "
  for row in $rows; do
    cell=$(unescaped "$row") rest=${cell#*,}
    spec=${cell%%,*}-${cell##*,}.${rest%%,*}
    dnf5_names="$dnf5_names ${cell%%,*}" dnf5_exact="$dnf5_exact$spec "
    case $dnf5_there in *" ${cell%%,*}.${rest%%,*} "*) dnf5_specs="$dnf5_specs $spec" ;; esac
  done
  # shellcheck disable=SC2086 # names are words
  for each in $(dnf5 -q --setopt=cacheonly=all $dnf5_unfetched repoquery --available --qf '%{name}-%{evr}.%{arch}\n' \
    $dnf5_names 2>/dev/null); do
    case $dnf5_exact$dnf5_there in *" $each "*) ;; *) dnf5_others="$dnf5_others -x $each" ;; esac
  done
}
