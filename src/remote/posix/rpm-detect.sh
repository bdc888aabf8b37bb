# shellcheck shell=sh
# The database of rpm, where the system has one: whatever installs its packages locks it. On a system without one, programs
# that install such packages are only tools.
rpm_place=
for place in /usr/lib/sysimage/rpm /var/lib/rpm; do
  if [ -e $place/rpmdb.sqlite ] || [ -e $place/Packages ] || [ -e $place/Packages.db ]; then
    package_locks="$package_locks $place/.rpm.lock" package_places="$package_places $place" rpm_place=$place
    break
  fi
done

# rpm_fingerprint PLACE...: what changes with the database, and with the files and directories named. Readers of the
# database make a file of shared memory beside it, and an empty journal.
rpm_fingerprint() {
  set +f
  # shellcheck disable=SC2068 # patterns are wanted
  find "$rpm_place"/rpmdb.sqlite* "$rpm_place"/Packages* $@ -type f -size +0 ! -name '*-shm' \
    -exec stat -c '%n %i %s %Y %Z' {} + 2>/dev/null | sort
  set -f
}
