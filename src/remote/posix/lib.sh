# shellcheck shell=sh
# What every script begins with: a quiet, fixed environment, the request, and the framing of the answer.
set -u
set -f
LC_ALL=C LANGUAGE=C LANG=C
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin
export LC_ALL LANGUAGE LANG PATH
unset CDPATH ENV BASH_ENV
umask 077
tab=$(printf '\t')
newline='
'

# The request is one line: v1 MARK VERB key=value ... -- a,b,c d,e,f ...
case $FETTLE_REQUEST in
  *[!A-Za-z0-9.+~:_@/,=\ -]*)
    echo 'fettle: the request has characters that no request has' >&2
    exit 64
    ;;
esac
# shellcheck disable=SC2086 # words are wanted; globbing is off
set -- $FETTLE_REQUEST
[ "${1-}" = v1 ] && [ $# -ge 3 ] || {
  echo 'fettle: the request does not read' >&2
  exit 64
}
mark=$2
verb=$3
shift 3
fields=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  fields="$fields $1"
  shift
done
[ $# -eq 0 ] || shift
rows=$*

# field NAME [DEFAULT]: the value of a field of the request.
field() {
  for word in $fields; do
    case $word in
      "$1="*)
        printf '%s' "${word#*=}"
        return
        ;;
    esac
  done
  printf '%s' "${2-}"
}

# number NAME DEFAULT: the same, digits only.
number() {
  case $(field "$1" "$2") in
    '' | *[!0-9]*) printf '%s' "$2" ;;
    *) field "$1" "$2" ;;
  esac
}

# Text of any bytes comes as three octal digits a byte.
octal() {
  printf '%b' "$(printf '%s' "$1" | sed 's/[0-7][0-7][0-7]/\\0&/g')"
}

begin() { printf '\036FETTLE %s begin\n' "$mark"; }
section() { printf '\n\036%s %s\n' "$mark" "$1"; }
end() { printf '\n\036%s end\n' "$mark"; }

have() { command -v "$1" >/dev/null 2>&1; }

# bounded SECONDS COMMAND...: with a limit where the host has one.
if have timeout && timeout 1 true 2>/dev/null; then
  bounded() { timeout "$@"; }
else
  bounded() {
    shift
    "$@"
  }
fi

boot_id() { cat /proc/sys/kernel/random/boot_id 2>/dev/null; }

# start_time PID: in clock ticks since boot, proc(5) stat field 22; empty when the process is gone. The name in
# parentheses may hold blanks, so fields are counted behind the last one.
start_time() {
  sed -n 's/.*) [A-Za-z] \([^ ]* \)\{18\}\([0-9]*\) .*/\2/p' "/proc/$1/stat" 2>/dev/null
}

# Where jobs live: /var/lib/fettle for root, the state directory of others (XDG Base Directory Specification).
if [ "$(id -u)" = 0 ]; then
  base=/var/lib/fettle
else
  base=${XDG_STATE_HOME:-${HOME:-/nonexistent}/.local/state}/fettle
fi
jobs_dir=$base/jobs
