# shellcheck shell=sh
# snapd, read only. Every answer is the daemon's, by its own client, which any account may ask.

# The same output on every terminal.
snap_plain='--unicode=never --color=never'

# What is installed: name, version, revision, tracking, publisher and notes, under a line of headings.
snap_list() {
  # shellcheck disable=SC2086 # options are words
  answer_section snap-installed 30 snap list $snap_plain
}

# What snapd would refresh, held snaps included: name, version, revision, size, publisher and notes. snapd queries its
# store for this; "All snaps up to date." goes to standard error.
snap_pending() {
  # shellcheck disable=SC2086 # options are words
  answer_section snap-pending 150 snap refresh --list $snap_plain
}

# A client without a daemon waits for one for minutes: it is asked once only.
snap_scan() {
  snap_list
  [ "$answer_code" = 0 ] || return 0
  snap_pending
  answer_section snap-times 30 snap refresh --time --abs-time
}

# There is no dry run: what is installed and what is on offer now, for the snaps of the rows.
snap_simulate() {
  section snap-asked
  for row in $rows; do printf '%s %s\n' "${row%%,*}" "${row##*,}"; done
  snap_list
  [ "$answer_code" != 0 ] || snap_pending
}

# snap_check_rows: each row is name,revision: a name with its instance key, and a revision of the store.
snap_check_rows() {
  for row in $rows; do
    case $row in
      *,*,*) return 1 ;;
      *,*) ;;
      *) return 1 ;;
    esac
    case ${row%%,*} in '' | [!a-z0-9]* | *[!a-z0-9_-]*) return 1 ;; esac
    case ${row##*,} in '' | 0* | *[!0-9]* | ???????????*) return 1 ;; esac
  done
}
