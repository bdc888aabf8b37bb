# shellcheck shell=sh
dnf_fingerprint() { rpm_fingerprint '/var/cache/dnf/*/repodata/repomd.xml' /etc/dnf /etc/yum.repos.d; }
