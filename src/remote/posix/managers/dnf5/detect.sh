# shellcheck shell=sh
# dnf 5, where the system is not one of dnf 4.
case $dnf_python in
  '#!/'*python*) ;;
  *) if [ -n "$rpm_place" ] && have dnf5; then found_managers="$found_managers dnf5"; fi ;;
esac

package_locks="$package_locks /run/dnf/rpmtransaction.lock"
