# shellcheck shell=sh
# apk, read only.

# apk_check_rows: each row is name,architecture,version in the alphabets of apk-package(5).
apk_check_rows() {
  for row in $rows; do
    case $row in
      *,*,*,*) return 1 ;;
      [A-Za-z0-9._]*,[a-z]*,[0-9]*) ;;
      *) return 1 ;;
    esac
    rest=${row#*,}
    case ${row%%,*} in *[!A-Za-z0-9._+-]*) return 1 ;; esac
    case ${rest%%,*} in *[!a-z0-9_]*) return 1 ;; esac
    case $(unescaped "${row##*,}") in *[!A-Za-z0-9._~-]*) return 1 ;; esac
  done
}

# Of each package name, version, architecture, origin, and the flags of what went wrong: s a script, f a file, and so on.
apk_list() {
  section apk-installed
  awk '
    function flush() { if (at["P"] != "") print at["P"] "\t" at["V"] "\t" at["A"] "\t" at["o"] "\t" at["f"]; split("", at) }
    /^$/ { flush(); next }
    /^[PVAof]:/ { at[substr($0, 1, 1)] = substr($0, 3) }
    END { flush() }' "$apk_db/installed" 2>/dev/null
}

# apk_ask ARGUMENTS...: what it prints and its complaints, and a last line with its exit status.
apk_ask() {
  bounded 120 apk --no-progress --no-network "$@" </dev/null 2>&1
  printf 'rc %s\n' "$?"
}

apk_pending() {
  section apk-world
  cat /etc/apk/world 2>/dev/null
  section apk-repositories
  set +f
  cat /etc/apk/repositories /etc/apk/repositories.d/*.list 2>/dev/null | sed -n 's|://[^/@ ]*@|://|; /^[[:space:]]*[^#[:space:]]/p'
  section apk-indexes
  stat -c '%Y' /var/cache/apk/APKINDEX.*.tar.gz /etc/apk/cache/APKINDEX.*.tar.gz 2>/dev/null
  set -f
  section apk-upgradable
  apk_ask list -u
}

apk_scan() {
  apk_list
  apk_pending
  section apk-steps
  apk_ask upgrade -s
  apk_leftovers
}

apk_leftovers() {
  section apk-leftovers
  bounded 30 find /etc -xdev -name '*.apk-new' -print 2>/dev/null
}

apk_simulate() {
  apk_list
  section apk-asked
  apk_names=
  for row in $rows; do
    printf '%s\n' "$(unescaped "$row")"
    # Only what is installed can be named: others come where they are needed.
    grep -qxF "P:${row%%,*}" "$apk_db/installed" 2>/dev/null && apk_names="$apk_names ${row%%,*}"
  done
  apk_pending
  section apk-steps
  # shellcheck disable=SC2086 # names are words
  if [ -n "$apk_names" ]; then apk_ask upgrade -s $apk_names; else echo 'rc 0'; fi
}
