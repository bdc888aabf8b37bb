#!/bin/sh
# Runs samba's ntlm_auth against a stand-alone domain of one user, in namespaces of its own.
# Arguments: an empty directory, the user's name. First line of stdin: the password. The rest is ntlm_auth's.
set -eu
dir=$1 user=$2
IFS= read -r password

mkdir -p "$dir/state" "$dir/private" "$dir/lock" "$dir/cache" "$dir/pid" "$dir/ncalrpc" "$dir/log"
cat >"$dir/smb.conf" <<CONF
[global]
  workgroup = LAB
  netbios name = SAMBAPEER
  server role = standalone server
  passdb backend = tdbsam:$dir/private/passdb.tdb
  ntlm auth = ntlmv2-only
  state directory = $dir/state
  private dir = $dir/private
  lock directory = $dir/lock
  cache directory = $dir/cache
  pid directory = $dir/pid
  ncalrpc dir = $dir/ncalrpc
  log file = $dir/log/%m
  disable netbios = yes
  interfaces = lo
  bind interfaces only = yes
CONF

ip link set lo up
# The clients of winbindd know one path only.
mount -t tmpfs tmpfs /run
mkdir -p /run/samba/winbindd
# The account database wants an account of the system of the same name: of this mount namespace only.
{ cat /etc/passwd; echo "$user:x:64999:65534::/nonexistent:/usr/sbin/nologin"; } >"$dir/passwd"
mount --bind "$dir/passwd" /etc/passwd
printf '%s\n%s\n' "$password" "$password" |
  pdbedit --configfile="$dir/smb.conf" --create --user="$user" --password-from-stdin >"$dir/log/pdbedit" 2>&1

winbindd --configfile="$dir/smb.conf" --foreground --no-process-group >"$dir/log/winbindd" 2>&1 </dev/null &
tries=0
until [ -S "$dir/state/winbindd_privileged/pipe" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || { cat "$dir/log/winbindd" >&2; exit 1; }
  sleep 0.1
done
exec ntlm_auth --configfile="$dir/smb.conf" --helper-protocol=squid-2.5-ntlmssp
