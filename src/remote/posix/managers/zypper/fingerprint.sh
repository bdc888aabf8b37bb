# shellcheck shell=sh
# repomd.xml is touched by every refresh, also by one that finds nothing new.
zypper_fingerprint() { rpm_fingerprint '/var/cache/zypp/raw/*/repodata/repomd.xml' /etc/zypp; }
