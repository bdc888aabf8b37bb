# shellcheck shell=sh
# A host with systemd as PID 1, which says that it is a virtual machine.
dpkg-divert --quiet --local --rename --divert /usr/bin/systemd-detect-virt.real --add /usr/bin/systemd-detect-virt
ln -s /usr/local/lib/fettle-lab/detect-virt /usr/bin/systemd-detect-virt
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
  fstrim.timer console-getty.service getty@tty1.service; do
  ln -sf /dev/null "/etc/systemd/system/$unit"
done
rm -f /etc/machine-id
