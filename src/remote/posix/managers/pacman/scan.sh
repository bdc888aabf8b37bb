# shellcheck shell=sh
# pacman, read only. Lists are never fetched here: lists without the upgrade that belongs to them lead to partial upgrades.

# pacman_check_rows: each row is name,architecture,[epoch:]version-release in the alphabet of PKGBUILD(5).
pacman_check_rows() {
  for row in $rows; do
    case $row in
      *,*,*,*) return 1 ;;
      [A-Za-z0-9@_+]*,[a-z]*,[A-Za-z0-9]*-*) ;;
      *) return 1 ;;
    esac
    rest=${row#*,}
    case ${row%%,*} in *[!A-Za-z0-9@._+-]*) return 1 ;; esac
    case ${rest%%,*} in *[!a-z0-9_]*) return 1 ;; esac
    case $(unescaped "${row##*,}") in *[!A-Za-z0-9.+~:_^-]*) return 1 ;; esac
  done
}

pacman_list() {
  section pacman-installed
  pacman_packages
  section pacman-torn
  pacman_torn
  section pacman-cut-off
  pacman_cut_off
  section pacman-kernel
  pacman_lost_kernel
  section pacman-lock
  if [ "$own_uid" = 0 ]; then pacman_stale_lock; fi
}

# Of each package name, architecture, version, base, time of its installation, reason, what it conflicts with, what it
# provides; tab-separated, lists by commas. alpm's desc files, each entry under a line %ENTRY%.
pacman_packages() {
  find "$pacman_db/local" -mindepth 2 -maxdepth 2 -name desc -exec awk '
    function flush() {
      if (at["NAME"] != "") print at["NAME"] "\t" at["ARCH"] "\t" at["VERSION"] "\t" at["BASE"] "\t" at["INSTALLDATE"] "\t" \
        at["REASON"] "\t" at["CONFLICTS"] "\t" at["PROVIDES"]
      split("", at)
    }
    FNR == 1 { flush(); entry = "" }
    /^%[A-Z0-9]+%$/ { entry = substr($0, 2, length($0) - 2); next }
    /^$/ { entry = ""; next }
    entry != "" { gsub(/\t/, " "); at[entry] = at[entry] (at[entry] == "" ? "" : ",") $0 }
    END { flush() }' {} + 2>/dev/null
}

# Entries of the database without what every package has: the end of an upgrade that was cut off. With the architecture
# where a list knows it.
pacman_torn() {
  set +f
  for entry in "$pacman_db"/local/*/; do
    if [ ! -d "$entry" ] || { [ -s "$entry/desc" ] && [ -e "$entry/files" ]; }; then continue; fi
    entry=${entry%/} entry=${entry##*/}
    name=${entry%-*} name=${name%-*}
    printf '%s\t%s\t%s\n' "$name" "$(pacman -Si "$name" 2>/dev/null | sed -n 's/^Architecture *: *//p' | head -n 1)" \
      "${entry#"$name"-}"
  done
  set -f
}

# Names of packages that the last transaction installed, where it did not get to its end: scripts of theirs and the hooks of
# all may not have run. One that is at work is none of them; only root can see that.
pacman_cut_off() {
  if [ -e "$pacman_db/db.lck" ] && { [ "$own_uid" != 0 ] || [ -n "$(pacman_lock_holders)" ]; }; then return; fi
  journal=$(pacman-conf LogFile 2>/dev/null)
  tail -n 20000 "${journal:-/var/log/pacman.log}" 2>/dev/null | awk '
    $2 != "[ALPM]" { next }
    $3 == "transaction" { if ($4 == "started") { is_open = 1; split("", at) } else if ($4 == "completed") is_open = 0; next }
    is_open && ($3 == "upgraded" || $3 == "installed" || $3 == "reinstalled") { at[$4] = 1 }
    END { if (is_open) for (name in at) print name }' | sort
}

# The running kernel, where its package was upgraded or removed and took its modules along.
pacman_lost_kernel() {
  kernel=$(uname -r)
  if [ -n "$(find /usr/lib/modules -mindepth 2 -maxdepth 2 -name pkgbase 2>/dev/null | head -n 1)" ] &&
    [ ! -d "/usr/lib/modules/$kernel" ]; then
    printf '%s\n' "$kernel"
  fi
}

# pacman_lock_holders: PID and name of each process that has the lock open. It is a file that is there or not, and alpm
# keeps it open.
pacman_lock_holders() {
  [ -e "$pacman_db/db.lck" ] || return 0
  set +f
  find /proc/[0-9]*/fd -lname "$pacman_db/db.lck" 2>/dev/null | cut -d / -f 3 | sort -un | while read -r pid; do
    printf '%s\t%s\n' "$pid" "$(cat "/proc/$pid/comm" 2>/dev/null)"
  done
  set -f
}

# The lock, where nobody holds it: whoever took it was killed.
pacman_stale_lock() {
  if [ -e "$pacman_db/db.lck" ] && [ -z "$(pacman_lock_holders)" ]; then printf '%s\n' "$pacman_db/db.lck"; fi
}

# The newest list of a repository: the host's own, or what a refresh of ours fetched.
pacman_newest() {
  # shellcheck disable=SC3013 # dash and busybox ash have it
  if [ -e "$pacman_own/sync/$1.db" ] && [ ! "$pacman_db/sync/$1.db" -nt "$pacman_own/sync/$1.db" ] &&
    { [ "$own_uid" != 0 ] || is_private "$pacman_own/sync"; }; then
    printf '%s' "$pacman_own/sync/$1.db"
  elif [ -e "$pacman_db/sync/$1.db" ]; then
    printf '%s' "$pacman_db/sync/$1.db"
  fi
}

# pacman_view DIRECTORY: a database of the installed packages and the newest lists, by links.
pacman_view() {
  mkdir -p "$1/sync" && ln -sfn "$pacman_db/local" "$1/local" || return
  for repository in $(pacman-conf --repo-list 2>/dev/null); do
    list=$(pacman_newest "$repository")
    [ -n "$list" ] || continue
    ln -sf "$list" "$1/sync/$repository.db"
    if [ -e "$list.sig" ]; then ln -sf "$list.sig" "$1/sync/$repository.db.sig"; fi
  done
}

# pacman_ask DATABASE ARGUMENTS...: what it prints and its complaints, and a last line with its exit status.
pacman_ask() {
  database=$1
  shift
  bounded 120 pacman --dbpath "$database" --color never "$@" </dev/null 2>&1
  printf 'rc %s\n' "$?"
}

# Name, time when it was made, time of its last good answer; a repository without a list has the name alone.
pacman_repositories() {
  for repository in $(pacman-conf --repo-list 2>/dev/null); do
    list=$(pacman_newest "$repository")
    printf '%s\t%s\n' "$repository" "${list:+$(stat -c "%Y$tab%Z" "$list" 2>/dev/null)}"
  done
}

# pacman_steps DATABASE: what an upgrade of everything would bring: name, version, repository, bytes to download.
pacman_steps() {
  pacman_ask "$1" -Sup --print-format "step$tab%n$tab%v$tab%r$tab%s"
}

# pacman_details DATABASE NAME...: of each package name, version, repository, architecture, what it conflicts with, what it
# provides, what it replaces.
pacman_details() {
  database=$1
  shift
  [ $# -gt 0 ] || return 0
  pacman_ask "$database" -Si "$@" | awk '
    function list(text) { gsub(/  +/, ",", text); return text == "None" ? "" : text }
    function flush() {
      if (at["Name"] != "") print at["Name"] "\t" at["Version"] "\t" at["Repository"] "\t" at["Architecture"] "\t" \
        list(at["Conflicts With"]) "\t" list(at["Provides"]) "\t" list(at["Replaces"])
      split("", at)
    }
    /^[A-Z][A-Za-z ]*: / {
      split_at = index($0, ":")
      entry = substr($0, 1, split_at - 1)
      sub(/ +$/, "", entry)
      if (entry == "Repository") flush()
      at[entry] = substr($0, split_at + 2)
    }
    END { flush() }'
}

# pacman_offers DATABASE STEPS UPGRADES: the details of what is in these answers, and of what others there replace.
pacman_offers() {
  # shellcheck disable=SC2046 # names are words
  offers=$(pacman_details "$1" $(awk -F "$tab" '
    FNR == NR { if ($1 == "step") { seen[$2] = 1; print $4 "/" $2 } next }
    { split($0, word, " ") } word[3] == "->" && !(word[1] in seen) { print word[1] }' "$2" "$3"))
  replaced=$(printf '%s\n' "$offers" | cut -f 7 | tr ',' '\n' | sed 's/[<>=].*//' | sort -u)
  # shellcheck disable=SC2086 # names are words
  printf '%s\n%s\n' "$offers" "$(pacman_details "$1" $replaced)"
}

# shellcheck disable=SC2154 # work is the private directory of the probe
pacman_scan() {
  private_directory || return
  pacman_list
  pacman_view "$work/db"
  section pacman-repositories
  pacman_repositories
  section pacman-refreshes
  cat "$base/refreshed-pacman" 2>/dev/null
  pacman_ask "$work/db" -Qu >"$work/upgrades"
  pacman_steps "$work/db" >"$work/steps"
  section pacman-upgrades
  cat "$work/upgrades"
  section pacman-steps
  cat "$work/steps"
  section pacman-offers
  pacman_offers "$work/db" "$work/steps" "$work/upgrades"
  pacman_leftovers
}

pacman_leftovers() {
  section pacman-leftovers
  bounded 30 find /etc -xdev \( -name '*.pacnew' -o -name '*.pacsave' -o -name '*.pacorig' \) -print 2>/dev/null
}

# What an upgrade would do: pacman does all or nothing, so the rows do not count.
pacman_simulate() {
  private_directory || return
  pacman_view "$work/db"
  section pacman-installed
  pacman_packages
  section pacman-torn
  pacman_torn
  section pacman-cut-off
  pacman_cut_off
  section pacman-asked
  for row in $rows; do printf '%s\n' "$(unescaped "$row")"; done
  section pacman-repositories
  pacman_repositories
  pacman_steps "$work/db" >"$work/steps"
  section pacman-steps
  cat "$work/steps"
  section pacman-offers
  for row in $rows; do printf '%s - -> -\n' "${row%%,*}"; done >"$work/rows"
  pacman_offers "$work/db" "$work/steps" "$work/rows"
}
