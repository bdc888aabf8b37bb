# shellcheck shell=sh
# The work of jobs that has nothing to do with packages.

run_hook() {
  if ! octal "$(field script)" >"$dir/hook"; then
    finish disk 1 'the script cannot be written'
    return
  fi
  say 'running the script'
  logged sh "$dir/hook"
  if [ "$code" = 0 ]; then finish ok 0 ''; else finish failed "$code" "the script ended with status $code"; fi
}

# Never what would end sessions or the desktop, nor ourselves.
restart_units() {
  if ! have systemctl; then
    finish bad-request 1 'the host has no systemd'
    return
  fi
  failed=
  for unit in $rows; do
    case $unit in
      dbus.service | dbus-broker.service | systemd-logind.service | display-manager.service | gdm.service | \
        gdm3.service | lightdm.service | lxdm.service | sddm.service | slim.service | wdm.service | xdm.service | \
        user@*.service | getty@*.service | serial-getty@*.service | fettle-*.service)
        log_line "left alone: $unit"
        continue
        ;;
    esac
    say "restarting $unit"
    log_line "restarting $unit"
    logged systemctl restart -- "$unit"
    [ "$code" = 0 ] || failed="$failed $unit"
  done
  if [ -z "$failed" ]; then finish ok 0 ''; else finish failed 1 "not restarted:$failed"; fi
}

# Refuses where a reboot would do harm; the reboot itself comes after the result was written.
reboot_host() {
  busy=$(managers_at_work | awk -F '\t' '{ printf "%s (pid %s) ", $2, $1 }')
  if [ -n "$busy" ]; then
    finish busy 1 "a package manager is at work: ${busy% }"
    return
  fi
  lacking=$(missing_initrd)
  if [ -n "$lacking" ]; then
    finish no-initrd 1 "the initrd of kernel $lacking is missing"
    return
  fi
  finish ok 0 ''
  [ -e "$dir/result" ] && reboot_now
}

# The two seconds let the controller read the result. systemctl(1) reboot does not ask for inhibitors of others.
reboot_now() {
  sync
  sleep 2
  if [ -d /run/systemd/system ]; then
    systemctl reboot || reboot
  else
    reboot || shutdown -r now
  fi
}
