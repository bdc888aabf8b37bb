#!/bin/sh
# PID 1 of a plain host: keeps sshd running, and as the parent of all orphans collects what ends.
mkdir -p /run/sshd /run/lock
chmod 1777 /run/lock
while :; do
  if [ -e /run/lab-sshd-off ]; then
    sleep 0.2
    continue
  fi
  # As Debian's own scripts do.
  (
    set -a
    [ ! -r /etc/default/ssh ] || . /etc/default/ssh
    # shellcheck disable=SC2086
    exec /usr/sbin/sshd -D -e ${SSHD_OPTS:-} >>/var/log/sshd.log 2>&1 </dev/null
  ) &
  wait $!
  sleep 0.2
done
