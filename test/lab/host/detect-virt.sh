#!/bin/sh
# systemd-detect-virt(1) of a virtual machine: lab hosts stand for machines with a kernel of their own.
for word in "$@"; do
  case $word in
    -c | --container)
      echo none
      exit 1
      ;;
    -q | --quiet) exit 0 ;;
  esac
done
echo kvm
