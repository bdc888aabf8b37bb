# shellcheck shell=sh
apk_fingerprint() {
  {
    find "$apk_db" -type f ! -name lock -exec stat -c '%n %i %s %Y %Z' {} +
    find /etc/apk /var/cache/apk /etc/apk/cache/ -type f -exec stat -c '%n %i %s %Y' {} +
  } 2>/dev/null | sort
}
