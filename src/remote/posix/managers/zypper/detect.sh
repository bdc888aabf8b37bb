# shellcheck shell=sh
# zypper. On a system of SUSE's that also has dnf, zypper is what installs it; on any other it is a tool beside dnf.
if [ -n "$rpm_place" ] && have zypper; then
  zypper_beside='' zypper_rivals=''
  for each in $found_managers; do
    case $each in
      dnf | dnf5 | yum) zypper_rivals="$zypper_rivals $each" ;;
      *) zypper_beside="$zypper_beside $each" ;;
    esac
  done
  if [ -z "$zypper_rivals" ] || grep -Eiq '^ID(_LIKE)?=.*suse' /etc/os-release 2>/dev/null; then
    found_managers="$zypper_beside zypper" package_pid_files="$package_pid_files /run/zypp.pid"
  fi
fi
