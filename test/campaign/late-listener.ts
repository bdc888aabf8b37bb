// A service that listens some seconds after each boot, as many do: the verify step has to wait for it.
import type { LabHost } from '../lab/lab-host.ts';

const port = 7090;
/** Local address of a listening socket in /proc/net/tcp, proc(5). */
const listening = `:${port.toString(16).toUpperCase()} 00000000:0000 0A`;

const script = `
cat >/usr/local/sbin/late-listener <<'END'
#!/bin/sh
sleep "$1"
exec perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(LocalPort => ${port}, Listen => 1, ReuseAddr => 1) or die $!; sleep 86400'
END
chmod 755 /usr/local/sbin/late-listener
if [ -d /run/systemd/system ]; then
  cat >/etc/systemd/system/late-listener.service <<'END'
[Service]
ExecStart=/usr/local/sbin/late-listener 8
[Install]
WantedBy=multi-user.target
END
  systemctl -q enable late-listener
else
  # The init of a plain host reads this whenever it starts sshd.
  cat >>/etc/default/ssh <<'END'
[ -e /run/late-listener ] || { : >/run/late-listener; setsid late-listener 8 >/dev/null 2>&1 </dev/null & }
END
  : >/run/late-listener
fi
setsid late-listener 0 >/dev/null 2>&1 </dev/null &
for look in 1 2 3 4 5 6 7 8 9 10; do
  ! grep -q '${listening}' /proc/net/tcp || exit 0
  sleep 0.5
done
exit 1
`;

/** Starts it at once, and late after every boot. @throws Error when it does not listen. */
export async function installLateListener(host: LabHost): Promise<void> {
  const { code, stderr } = await host.inside(script);
  if (code !== 0) throw new Error(`${host.name} has no late listener: ${stderr}`);
}
