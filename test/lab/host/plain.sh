# shellcheck shell=sh
# A host without systemd: its init keeps sshd, and reboot(8) is the lab's own.
export DEBIAN_FRONTEND=noninteractive
if [ -e /sbin/init ]; then
  apt-get -qq -y purge libpam-systemd systemd-sysv systemd dbus >/dev/null
fi
for name in reboot poweroff halt shutdown; do
  ln -s /usr/local/lib/fettle-lab/reboot "/sbin/$name"
done
rm -rf /var/log/journal /etc/systemd/system /etc/machine-id
