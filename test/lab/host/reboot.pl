#!/usr/bin/perl
# reboot(8), poweroff(8), halt(8) and shutdown(8) of a host without systemd: ends everything, then reboot(2).
use strict;
use warnings;
use POSIX ();

my ($name) = $0 =~ m{([^/]+)$};
my $off = $name eq 'poweroff' || $name eq 'halt' || ($name eq 'shutdown' && !grep { /^-\w*r|^--reboot/ } @ARGV);
my $force = grep { /^-\w*f|^--force/ } @ARGV;
if ($> != 0) {
  print STDERR "$name: must be superuser\n";
  exit 1;
}
my %number = (x86_64 => 169, aarch64 => 142, riscv64 => 142, ppc64le => 88, s390x => 88);
my $machine = (POSIX::uname())[4];
my $call = $number{$machine} or die "$name: reboot(2) of $machine is not known here\n";

unless ($force) {
  exit 0 if fork;
  POSIX::setsid();
  open STDIN, '<', '/dev/null';
  open STDOUT, '>', '/dev/null';
  open STDERR, '>', '/dev/null';
  select undef, undef, undef, 0.3;
  kill 'TERM', -1;
  select undef, undef, undef, 0.7;
}
syscall $call, 0xfee1dead, 672274793, $off ? 0x4321fedc : 0x01234567, 0;
die "$name: $!\n";
