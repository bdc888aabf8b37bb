# shellcheck shell=sh
# The work of jobs that has nothing to do with packages.

run_hook() {
  octal "$(field script)" >"$dir/hook" || {
    finish disk 1 'the script cannot be written'
    return
  }
  say 'running the hook'
  sh "$dir/hook"
  code=$?
  if [ "$code" = 0 ]; then finish ok 0 ''; else finish failed "$code" "the script ended with status $code"; fi
}

# Never what would end sessions or the desktop, nor ourselves.
restart_units() {
  failed=
  for unit in $rows; do
    case $unit in
      dbus.service | dbus-broker.service | systemd-logind.service | display-manager.service | gdm*.service | \
        lightdm.service | sddm.service | user@*.service | getty@*.service | serial-getty@*.service | fettle-*.service)
        echo "left alone: $unit"
        continue
        ;;
    esac
    say "restarting $unit"
    echo "restarting $unit"
    systemctl restart -- "$unit" || failed="$failed $unit"
  done
  if [ -z "$failed" ]; then finish ok 0 ''; else finish failed 1 "not restarted:$failed"; fi
}

# Refuses where a reboot would do harm; the reboot itself comes after the result was written.
reboot_host() {
  busy=$(managers_at_work)
  if [ -n "$busy" ]; then
    finish busy 1 "a package manager is at work: $busy"
    return
  fi
  newest=$(newest_kernel)
  if [ -n "$newest" ] && [ -e /boot/initrd.img ] && [ ! -e "/boot/initrd.img-$newest" ]; then
    finish no-initrd 1 "the initrd of kernel $newest is missing"
    return
  fi
  : >"$dir/reboot-now"
  finish ok 0 ''
}

newest_kernel() {
  set +f
  for file in /boot/vmlinuz-*; do
    [ ! -e "$file" ] || printf '%s\n' "${file##*/vmlinuz-}"
  done | sort -V 2>/dev/null | tail -n 1
  set -f
}

managers_at_work() {
  set +f
  for directory in /proc/[0-9]*; do
    read -r name <"$directory/comm" 2>/dev/null || continue
    case $name in
      apt-get | aptitude | dpkg | unattended-upgr) printf '%s (pid %s) ' "$name" "${directory##*/}" ;;
    esac
  done 2>/dev/null
  set -f
}

# systemctl reboot(1) waits for inhibitors of others only when asked; ours is gone by now.
reboot_now() {
  sync
  sleep 2
  if [ -d /run/systemd/system ]; then
    systemctl reboot || reboot
  else
    reboot || shutdown -r now
  fi
}
