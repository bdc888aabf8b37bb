import type { PackageSpec } from './package-spec.ts';

interface Service {
  readonly name: string;
  readonly port: number;
  /** Perl text of the new version's program; the old one listens on the port. */
  readonly after: string;
}

/** A listener in the Perl that every Debian has. */
function listen(port: number): string {
  return `#!/usr/bin/perl
use strict;
use IO::Socket::INET;
my $socket = IO::Socket::INET->new(Listen => 5, LocalPort => ${port}, ReuseAddr => 1) or die "listen: $!";
while (my $client = $socket->accept) { print $client "ready\\n"; close $client; }
`;
}

function unit(name: string): string {
  return `[Unit]
Description=${name} of the lab

[Service]
ExecStart=/usr/lib/${name}/serve

[Install]
WantedBy=multi-user.target
`;
}

function postinst(name: string): string {
  return `deb-systemd-helper enable ${name}.service >/dev/null || :
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl restart ${name}.service || :
fi`;
}

function versionsOf({ name, port, after }: Service): PackageSpec[] {
  const files = (program: string): PackageSpec['files'] => ({
    [`/usr/lib/${name}/serve`]: { content: program, mode: 0o755 },
    [`/lib/systemd/system/${name}.service`]: { content: unit(name) },
  });
  return [
    { name, version: '1.0-1', suite: 'stable', files: files(listen(port)) ?? {}, postinst: postinst(name) },
    { name, version: '2.0-1', suite: 'updates', files: files(after) ?? {}, postinst: postinst(name) },
  ];
}

/** One that survives its update, one that runs on without its port, one that fails. They need the systemd flavour. */
export const services: readonly PackageSpec[] = [
  ...versionsOf({ name: 'fettle-daemon', port: 7081, after: listen(7081) }),
  ...versionsOf({ name: 'fettle-lossy', port: 7082, after: '#!/bin/sh\nexec sleep infinity\n' }),
  ...versionsOf({ name: 'fettle-crash', port: 7083, after: '#!/bin/sh\necho "cannot start" >&2\nexit 1\n' }),
];
