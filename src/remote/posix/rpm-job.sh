# shellcheck shell=sh
# rpm, changing: what every package manager over it has in common. Every end is judged by what rpm's database says.

# Before and after, so that whoever doubts may compare.
rpm_result() {
  rpm_list
  section rpm-failing
  sed -n "s/^failing$tab//p" "$dir/answer" 2>/dev/null
}

# rpm_doubled: what is installed in two versions, but must not be: the end of an update that was cut off.
rpm_doubled() {
  { rpm_beside; rpm_packages; } | awk -F "$tab" '
    NF == 1 { beside[$1] = 1 }
    NF == 5 && $1 != "gpg-pubkey" { count[$1 " " $2]++; name[$1 " " $2] = $1 }
    END { for (key in count) if (count[key] > 1 && !(name[key] in beside)) print key }' | sort
}

# Ends the job where something was installed in two versions before it.
rpm_is_sound() {
  doubled=$(rpm_doubled | tr '\n' ' ')
  [ -n "$doubled" ] || return 0
  finish broken-before 1 "installed in two versions before anything was begun: $doubled" rpm_result
  return 1
}

# What an update that was cut off leaves behind: the old version beside the new one. To erase it is what the update had
# still to do.
rpm_repair() {
  words=$(lock_words "$rpm_place/.rpm.lock") code=0
  if [ -n "$words" ]; then
    finish locked 1 "$words" rpm_result
    return
  fi
  for row in $rows; do
    cell=$(unescaped "$row") rest=${cell#*,}
    name=${cell%%,*} arch=${rest%%,*}
    rpm_doubled | grep -qxF "$name $arch" || continue
    rpm_packages | awk -F "$tab" -v name="$name" -v arch="$arch" '$1 == name && $2 == arch { print $3 }' >"$dir/versions"
    grep -qxF "${cell##*,}" "$dir/versions" || continue
    while read -r version; do
      [ "$version" = "${cell##*,}" ] || logged rpm -e "$name-${version#*:}.$arch"
    done <"$dir/versions"
  done
  doubled=$(rpm_doubled | tr '\n' ' ')
  if [ -z "$doubled" ]; then
    finish ok 0 '' rpm_result
  else
    finish failed "${code:-1}" "still installed in two versions: $doubled" rpm_result
  fi
}
