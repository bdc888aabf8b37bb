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
