# shellcheck shell=sh
# snapd. A client without the daemon's socket is no package manager.
if have snap && [ -S /run/snapd.socket ]; then found_managers="$found_managers snap"; fi
package_places="$package_places /var/lib/snapd"
