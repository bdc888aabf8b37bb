# shellcheck shell=sh
# Each file anew has another inode or another change time.
apt_fingerprint() {
  find /var/lib/dpkg/status /var/lib/dpkg/updates /var/lib/apt/extended_states /var/lib/apt/lists /etc/apt \
    -type f ! -name lock -exec stat -c '%n %i %s %Y %Z' {} + 2>/dev/null | sort
}
