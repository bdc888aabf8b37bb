# shellcheck shell=sh
# snapd. A client without the daemon's socket is no package manager.
if have snap && [ -S /run/snapd.socket ]; then found_managers="$found_managers snap"; fi
package_places="$package_places /var/lib/snapd"

# What is installed, and when it was refreshed last, is in one file that only root reads.
snap_fingerprint() { stat -c '%n %i %s %Y %Z' /var/lib/snapd/state.json 2>/dev/null; }
