# shellcheck shell=sh
# Whether anything has changed that a simulation depends on.

# host_fingerprint: a digest of what a simulation depends on: the boot, and of each package manager its database, lists and
# settings. None where one of them has none.
host_fingerprint() {
  prints=$(boot_id)
  for each in $found_managers; do
    have "${each}_fingerprint" || return 0
    print=$("${each}_fingerprint")
    [ -n "$print" ] || return 0
    prints="$prints
$print"
  done
  printf '%s\n' "$prints" | digest
}

# rpm_fingerprint PLACE...: what changes with the database, and with the files and directories named. Readers of the
# database make a file of shared memory beside it, and an empty journal.
rpm_fingerprint() {
  set +f
  # shellcheck disable=SC2068 # patterns are wanted
  find "$rpm_place"/rpmdb.sqlite* "$rpm_place"/Packages* $@ -type f -size +0 ! -name '*-shm' \
    -exec stat -c '%n %i %s %Y %Z' {} + 2>/dev/null | sort
  set -f
}
