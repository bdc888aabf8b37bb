# shellcheck shell=sh
# pacman: Arch Linux and its kin. Without a package in its database it is only a tool there.
if have pacman && have pacman-conf; then
  pacman_db=$(sed -n 's|^[[:space:]]*DBPath[[:space:]]*=[[:space:]]*\(/[^[:space:]]*[^/[:space:]]\)/*[[:space:]]*$|\1|p' \
    /etc/pacman.conf 2>/dev/null | tail -n 1)
  pacman_db=${pacman_db:-/var/lib/pacman}
  # Lists that a refresh of ours fetched and no install has used yet. Everybody may read them.
  pacman_own=/var/cache/fettle/pacman
  if [ -n "$(find "$pacman_db/local" -mindepth 2 -maxdepth 2 -name desc 2>/dev/null | head -n 1)" ]; then
    found_managers="$found_managers pacman" package_places="$package_places $pacman_db"
  fi
fi
