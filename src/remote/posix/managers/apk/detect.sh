# shellcheck shell=sh
# apk of Alpine Linux, 2 and 3.
for place in /usr/lib/apk/db /lib/apk/db; do
  if have apk && [ -s $place/installed ]; then
    apk_db=$place found_managers="$found_managers apk"
    package_locks="$package_locks $place/lock" package_places="$package_places $place"
    break
  fi
done
