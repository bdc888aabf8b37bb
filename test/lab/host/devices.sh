# shellcheck shell=sh
# make_devices DIRECTORY: a /dev of its own, with what programs expect and nothing of the machine's.
make_devices() {
  mount -t tmpfs -o mode=755 tmpfs "$1"
  while read -r name major minor; do
    mknod -m 666 "$1/$name" c "$major" "$minor"
  done <<NODES
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
NODES
  mkdir "$1/pts" "$1/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$1/pts"
  mount -t tmpfs -o mode=1777 tmpfs "$1/shm"
  ln -s pts/ptmx "$1/ptmx"
  ln -s /proc/self/fd "$1/fd"
  ln -s /proc/self/fd/0 "$1/stdin"
  ln -s /proc/self/fd/1 "$1/stdout"
  ln -s /proc/self/fd/2 "$1/stderr"
}
