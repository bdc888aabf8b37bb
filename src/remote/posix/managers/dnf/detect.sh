# shellcheck shell=sh
# dnf 4, a program in Python: dnf 5 is none. Without a database of rpm it is only a tool there.
dnf_python=
if have dnf; then IFS= read -r dnf_python <"$(command -v dnf)" 2>/dev/null; fi
for place in /usr/lib/sysimage/rpm /var/lib/rpm; do
  if [ -e $place/rpmdb.sqlite ] || [ -e $place/Packages ] || [ -e $place/Packages.db ]; then
    package_locks="$package_locks $place/.rpm.lock" package_places="$package_places $place" rpm_place=$place
    case $dnf_python in '#!/'*python*) found_managers="$found_managers dnf" ;; esac
    break
  fi
done

# Readers of the database make a file of shared memory beside it, and an empty journal.
dnf_fingerprint() {
  set +f
  find "$rpm_place"/rpmdb.sqlite* "$rpm_place"/Packages* /var/cache/dnf/*/repodata/repomd.xml /etc/dnf /etc/yum.repos.d \
    -type f -size +0 ! -name '*-shm' -exec stat -c '%n %i %s %Y %Z' {} + 2>/dev/null | sort
  set -f
}
