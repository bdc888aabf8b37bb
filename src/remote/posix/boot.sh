# shellcheck shell=sh
# What can be asked of a host that may be on its way down or up.

describe_boot() {
  section boot-id
  boot_id
  section init-start
  start_time 1
  section system-state
  if [ -d /run/systemd/system ]; then bounded 10 systemctl is-system-running 2>/dev/null; else echo running; fi
  section clock
  date +%s
  uptime_sec
}
