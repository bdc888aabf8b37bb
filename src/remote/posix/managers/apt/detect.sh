# shellcheck shell=sh
# apt and dpkg: Debian, Ubuntu and their kin.
if have apt-get && have dpkg-query; then found_managers="$found_managers apt"; fi
apt_locks='/var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock'
package_locks="$package_locks $apt_locks"
package_programs="$package_programs apt apt-get aptitude dpkg unattended-upgr "
package_places="$package_places /var/lib/dpkg /var/cache/apt"

# Each file anew has another inode or another change time.
apt_fingerprint() {
  find /var/lib/dpkg/status /var/lib/dpkg/updates /var/lib/apt/extended_states /var/lib/apt/lists /etc/apt \
    -type f ! -name lock -exec stat -c '%n %i %s %Y %Z' {} + 2>/dev/null | sort
}
