# shellcheck shell=sh
# flatpak, read only, by its own program. Where its output is no terminal it separates columns by tabs.

# Whatever it is asked, it makes a cache in the home of an account without rights, which is not ours to fill.
flatpak_elsewhere() {
  [ "$own_uid" != 0 ] || return 0
  [ -n "${work-}" ] || private_directory || return
  XDG_CACHE_HOME=$work
  export XDG_CACHE_HOME
}

flatpak_list() {
  flatpak_elsewhere || return
  answer_section flatpak-installed 30 flatpak list --system --all --columns=ref,version,active,origin,options
}

# What each remote has that is newer than what is installed. One remote at a time: one that does not answer would be the
# end of the query for all. Without --all, extensions and refs that are at their end of life would be left out.
flatpak_pending() {
  flatpak_remotes=$(bounded 30 flatpak remotes --system --columns=name 2>/dev/null </dev/null)
  flatpak_statuses=
  section flatpak-pending
  for remote in $flatpak_remotes; do
    case $remote in -* | *[!A-Za-z0-9._-]*) continue ;; esac
    {
      flatpak_words=$(flatpak_offers "$remote" 2>&1 >&3 3>&-)
      flatpak_code=$?
      flatpak_words=$(printf '%s' "$flatpak_words" | one_line)
      flatpak_statuses="$flatpak_statuses$remote$tab$flatpak_code$tab$flatpak_words
"
    } 3>&1
  done
  section flatpak-remotes
  printf '%s' "$flatpak_statuses"
}

flatpak_offers() {
  bounded 150 flatpak remote-ls --system --updates --all \
    --columns=ref,version,commit,origin,download-size,runtime,options "$1" </dev/null
}

flatpak_scan() {
  flatpak_list && [ "$answer_code" = 0 ] || return 0
  section flatpak-masks
  bounded 30 flatpak mask --system 2>/dev/null </dev/null
  flatpak_pending
}

# There is no dry run: what is installed and what is on offer now, for the rows.
flatpak_simulate() {
  section flatpak-asked
  for row in $rows; do printf '%s\n' "$row"; done
  flatpak_scan
}

# flatpak_check_rows: each row is NAME,ARCH/BRANCH,COMMIT: words of a ref (flatpak-metadata(5)) and the commit's first twelve
# digits.
flatpak_check_rows() {
  for row in $rows; do
    case $row in *,*,*,* | *[!A-Za-z0-9._,/-]*) return 1 ;; esac
    case $row in [A-Za-z_]*,?*/?*,????????????) ;; *) return 1 ;; esac
    case ${row%,*} in */*/* | *,-* | */-*) return 1 ;; esac
    case ${row##*,} in *[!0-9a-f]*) return 1 ;; esac
  done
}
