# shellcheck shell=sh
# Each package has a directory of its version. A list that was fetched again without a change has the same times.
pacman_fingerprint() {
  {
    find "$pacman_db/local" -mindepth 1 -maxdepth 1 -exec stat -c '%n %i %Y' {} +
    find "$pacman_db/sync" "$pacman_own/sync" -type f -name '*.db' -exec stat -c '%n %i %s %Y' {} +
    find /etc/pacman.conf /etc/pacman.d -path /etc/pacman.d/gnupg -prune -o -type f -exec stat -c '%n %i %s %Y %Z' {} +
  } 2>/dev/null | sort
}
