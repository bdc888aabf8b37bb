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
  for row in $rows; do
    unit=$(unescaped "$row")
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

# power=reboot, off or cancel. Refuses where it would do harm; what is asked for comes after the result was written.
reboot_host() {
  power=$(field power reboot)
  case $power in
    reboot | off) ;;
    cancel)
      call_off
      return
      ;;
    *)
      finish bad-request 1 "there is no power state $power"
      return
      ;;
  esac
  users=
  if [ "$(field idle no)" = yes ]; then users=$(logged_on); fi
  if [ -n "$users" ]; then
    finish in-use 1 "logged on: $users"
    return
  fi
  busy=$(managers_at_work | awk -F '\t' '{ printf "%s (pid %s) ", $2, $1 }')
  if [ -n "$busy" ]; then
    finish busy 1 "a package manager is running: ${busy% }"
    return
  fi
  lacking=$(missing_initrd "$(newest_kernel)")
  if [ -n "$lacking" ]; then
    finish no-initrd 1 "the initrd of kernel $lacking is missing"
    return
  fi
  finish ok 0 ''
  [ -e "$dir/result" ] && power_now
}

# Whoever has a terminal or a desktop. Logins without one, as ours, are programs. Where nothing keeps a record of logins
# the terminals of processes decide.
logged_on() {
  {
    if [ -e /run/utmp ] || [ -e /var/run/utmp ] || have loginctl; then
      who 2>/dev/null | awk '{ print $1 " on " $2 }'
    else
      terminals_in_use
    fi
    if have loginctl; then
      bounded 10 loginctl list-sessions --no-legend --no-pager 2>/dev/null | while read -r session _; do
        bounded 10 loginctl show-session "$session" -p Name -p TTY -p Class -p Type -p State 2>/dev/null | awk -F = '
          { seen[$1] = $2 }
          END {
            place = seen["TTY"] == "" ? seen["Type"] : seen["TTY"]
            is_person = seen["Class"] ~ /^user/ && seen["State"] != "closing"
            if (is_person && (seen["TTY"] != "" || place ~ /^(x11|wayland|mir)$/)) print seen["Name"] " on " place
          }'
      done
    fi
  } | sort -u | awk '{ printf "%s%s", (NR > 1 ? ", " : ""), $0 }' | head -c 500
}

# Of each process with a controlling terminal, who owns it: proc(5) stat field 7, major and minor number in one. Whoever
# only offers a login is nobody.
terminals_in_use() {
  set +f
  for directory in /proc/[0-9]*; do
    read -r name 2>/dev/null <"$directory/comm" || continue
    case $name in *getty | login) continue ;; esac
    place=$(sed 's/.*) [A-Za-z] //' "$directory/stat" 2>/dev/null | awk '
      { number = $4; major = int(number / 256) % 4096; minor = number % 256 + int(number / 1048576) * 256 }
      major >= 136 && major <= 143 { print "pts/" minor + (major - 136) * 256 }
      major == 4 && minor < 64 { print "tty" minor }')
    if [ -z "$place" ] || is_elsewhere "${directory##*/}"; then continue; fi
    owner=$(sed -n 's/^Uid:[^0-9]*\([0-9]*\).*/\1/p' "$directory/status" 2>/dev/null)
    [ -z "$owner" ] || printf '%s on %s\n' "$(id -nu "$owner" 2>/dev/null || echo "$owner")" "$place"
  done
  set -f
}

# The two seconds let the controller read the result. systemctl(1) reboot does not ask for inhibitors of others.
power_now() {
  sync
  sleep 2
  asked_at=$(log_size)
  if [ "$power" = off ]; then
    if [ -d /run/systemd/system ]; then asked systemctl poweroff || asked poweroff; else asked poweroff || asked shutdown -h now; fi
  elif [ -d /run/systemd/system ]; then
    asked systemctl reboot || asked reboot
  else
    asked reboot || asked shutdown -r now
  fi
  # Nothing waits for the job any more: the controller reads this while it checks whether the host goes down.
  [ "$code" = 0 ] || say "refused: $refused_by ended with status $refused_code: $(tail -c "+$((asked_at + 1))" "$dir/log" |
    tr '\r' '\n' | grep . | tail -n 4 | tr '\n' ' ' | head -c 400)"
}

# The first command is the one that a guard stands before; the others are there for hosts that lack it.
asked() {
  logged "$@"
  [ "$code" != 0 ] || return 0
  if [ -z "${refused_by-}" ] || [ "$refused_code" = 127 ]; then refused_by="$*" refused_code=$code; fi
  return 1
}

# A scheduled shutdown or restart, whoever requested it. systemd records one in a file; elsewhere shutdown(8) -c
# reports by its status whether there was one.
call_off() {
  scheduled=/run/systemd/shutdown/scheduled
  if [ -d /run/systemd/system ] && [ ! -e "$scheduled" ]; then
    finish ok 0 'nothing was scheduled'
    return
  fi
  mode=$(sed -n 's/^MODE=//p' "$scheduled" 2>/dev/null)
  logged shutdown -c
  if [ -e "$scheduled" ]; then
    finish failed 1 "the ${mode:-shutdown} is still scheduled"
  elif [ "$code" = 0 ]; then
    finish ok 0 "called off: ${mode:-shutdown}"
  else
    finish ok 0 'nothing was scheduled'
  fi
}
