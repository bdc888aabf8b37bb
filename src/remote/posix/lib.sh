# shellcheck shell=sh
# What every script begins with: a quiet, fixed environment, the request, and the framing of the answer.
set -u
set -f
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C LANGUAGE=C LANG=C
export LC_ALL LANGUAGE LANG PATH
unset CDPATH ENV BASH_ENV
umask 077
tab=$(printf '\t')
own_uid=$(id -u)

# Root never uses a directory for temporary files that the account chose: who owns it can replace what lies in it.
if [ "$own_uid" = 0 ]; then
  HOME=/root
  export HOME
  unset TMPDIR
else
  case ${TMPDIR-} in
    /*[!A-Za-z0-9/._+~-]* | [!/]*) unset TMPDIR ;;
  esac
fi

bad_request() {
  printf 'fettle: %s\n' "$1" >&2
  exit 64
}

# The request is one line: v1 MARK VERB key=value ... -- a,b,c d,e,f ... Bytes of a cell outside the alphabet come as =ooo.
case $FETTLE_REQUEST in
  *[!A-Za-z0-9.+~:_@/,=\ -]*) bad_request 'the request has characters that no request has' ;;
esac
# shellcheck disable=SC2086 # words are wanted; globbing is off
set -- $FETTLE_REQUEST
case ${1-} in v1) ;; *) bad_request 'the request is malformed' ;; esac
mark=${2-}
case $mark in '' | *[!a-z0-9]*) bad_request 'the request is malformed' ;; esac
verb=${3-}
case $verb in '' | *[!a-z-]*) bad_request 'the request is malformed' ;; esac
shift 3
fields=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  case $1 in [a-z_]*=*) ;; *) bad_request 'a field of the request is malformed' ;; esac
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

# number NAME DEFAULT: the same, digits only, few enough to count with.
number() {
  case $(field "$1" "$2") in
    '' | *[!0-9]* | ???????????*) printf '%s' "$2" ;;
    *) field "$1" "$2" ;;
  esac
}

# Text of any bytes comes as three octal digits a byte.
octal() {
  printf '%b' "$(printf '%s' "$1" | sed 's/[0-7][0-7][0-7]/\\0&/g')"
}

is_octal() { printf '%s\n' "$1" | grep -Eq '^([0-3][0-7][0-7])*$'; }

begin() { printf '\036FETTLE %s begin\n' "$mark"; }
section() { printf '\n\036%s %s\n' "$mark" "$1"; }
end() { printf '\n\036%s end\n' "$mark"; }

have() { command -v "$1" >/dev/null 2>&1; }

# bounded SECONDS COMMAND...: with a time limit where the host has timeout(1). Only for queries, never for changes.
if have timeout && timeout 1 true 2>/dev/null; then
  bounded() { timeout "$@"; }
else
  bounded() {
    shift
    "$@"
  }
fi

# Names of processes are anybody's to choose.
printable() { printf '%s' "$1" | tr -c '[:print:]' '?'; }

# unescaped CELL: a cell of a row, in which =ooo stands for a byte outside the alphabet of requests.
unescaped() {
  case $1 in
    *=*) printf '%b' "$(printf '%s' "$1" | sed 's/=\([0-7][0-7][0-7]\)/\\0\1/g')" ;;
    *) printf '%s' "$1" ;;
  esac
}
