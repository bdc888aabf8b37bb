# shellcheck shell=sh
dnf5_fingerprint() { rpm_fingerprint '/var/cache/libdnf5/*/repodata/repomd.xml' /etc/dnf /etc/yum.repos.d; }
