# shellcheck shell=sh
# flatpak touches .changed with every change of an installation; remotes and masks are in the configuration.
flatpak_fingerprint() { stat -c '%n %i %s %Y %Z' /var/lib/flatpak/.changed /var/lib/flatpak/repo/config 2>/dev/null; }
