# shellcheck shell=sh
# flatpak: the installation of the system alone. What accounts installed for themselves is theirs.
if have flatpak && [ -d /var/lib/flatpak/repo ]; then found_managers="$found_managers flatpak"; fi
package_places="$package_places /var/lib/flatpak"

# flatpak touches .changed with every change of an installation; remotes and masks are in the configuration.
flatpak_fingerprint() { stat -c '%n %i %s %Y %Z' /var/lib/flatpak/.changed /var/lib/flatpak/repo/config 2>/dev/null; }
