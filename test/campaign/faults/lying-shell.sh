#!/bin/sh
# A login shell that runs what it is told and lies about what came of it.
mode=$(cat /run/lab-lies 2>/dev/null)
last=/tmp/.last-answer
[ -n "$mode" ] || exec /bin/sh "$@"
answer=$(mktemp /tmp/.answer.XXXXXX)
/bin/sh "$@" >"$answer"
code=$?
size=$(wc -c <"$answer")
case $mode in
  truncated) head -c $((size / 2)) "$answer" ;;
  interleaved)
    head -c $((size / 2)) "$answer"
    printf '\nConnection to the mail server was lost\nsection status\nphase done\n'
    tail -c +$((size / 2 + 1)) "$answer"
    ;;
  megabytes)
    head -c 40000000 /dev/urandom
    cat "$answer"
    ;;
  control)
    printf '\033]0;owned\007\033[2J\000\377\r\b'
    sed 's/ok/\x1b[31mok\x00/g' "$answer"
    ;;
  foreign) sed -E 's/[0-9a-z]{26}-/01k0000000000000000foreign-/g; s/\b01[0-9A-Z]{24}\b/01K0000000000000000FOREIGN/g' "$answer" ;;
  stale) if [ -e "$last" ]; then cat "$last"; else printf 'v1 00000000 begin\nsection status\nphase done\nlog 0\nend\n'; fi ;;
esac
mv "$answer" "$last"
exit "$code"
