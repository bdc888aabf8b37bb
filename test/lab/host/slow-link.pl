#!/usr/bin/perl
# slow-link.pl NEAR FAR DELAY-MS LOSS-PERCENT: carries Ethernet frames between two tap devices, late and not all of them.
# It says "ready" when both are there, and ends when its standard input does. tun(4) of Linux: TUNSETIFF.
use strict;
use warnings;
use IO::Handle;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my ($near, $far, $delay_ms, $loss_percent) = @ARGV;
my ($IFF_TAP, $IFF_NO_PI, $TUNSETIFF) = (0x0002, 0x1000, 0x400454ca);
my $queue_frames = 5000;

sub tap {
  my ($name) = @_;
  open my $tap, '+<', '/dev/net/tun' or die "/dev/net/tun: $!";
  ioctl $tap, $TUNSETIFF, pack('a16 S x22', $name, $IFF_TAP | $IFF_NO_PI) or die "$name: $!";
  return $tap;
}

my @taps = (tap($near), tap($far));
my @queue;
STDOUT->autoflush(1);
print "ready\n";
while (1) {
  my $now = clock_gettime(CLOCK_MONOTONIC);
  while (@queue and $queue[0][0] <= $now) {
    my (undef, $to, $frame) = @{ shift @queue };
    syswrite $taps[$to], $frame;
  }
  my $readable = '';
  vec($readable, fileno $_, 1) = 1 for @taps, \*STDIN;
  my $wait = @queue ? $queue[0][0] - $now : undef;
  select $readable, undef, undef, $wait;
  last if vec($readable, fileno STDIN, 1) and !sysread STDIN, my $end, 64;
  for my $from (0, 1) {
    next unless vec $readable, fileno $taps[$from], 1;
    sysread $taps[$from], my $frame, 65536 or next;
    next if rand 100 < $loss_percent or @queue >= $queue_frames;
    push @queue, [clock_gettime(CLOCK_MONOTONIC) + $delay_ms / 1000, 1 - $from, $frame];
  }
}
