# shellcheck shell=sh
# apt and dpkg: Debian, Ubuntu and their kin.
if have apt-get && have dpkg-query; then found_managers="$found_managers apt"; fi
apt_locks='/var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock'
package_locks="$package_locks $apt_locks"
package_programs="$package_programs apt apt-get aptitude dpkg unattended-upgr "
package_places="$package_places /var/lib/dpkg /var/cache/apt"
