# shellcheck shell=sh
# flatpak: the installation of the system alone. What accounts installed for themselves is theirs.
if have flatpak && [ -d /var/lib/flatpak/repo ]; then found_managers="$found_managers flatpak"; fi
package_places="$package_places /var/lib/flatpak"
