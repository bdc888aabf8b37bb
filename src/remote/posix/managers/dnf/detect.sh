# shellcheck shell=sh
# dnf 4, a program in Python: dnf 5 is none. Without a database of rpm it is only a tool there.
dnf_python=
if [ -n "$rpm_place" ] && have dnf; then IFS= read -r dnf_python <"$(command -v dnf)" 2>/dev/null; fi
case $dnf_python in '#!/'*python*) found_managers="$found_managers dnf" ;; esac
