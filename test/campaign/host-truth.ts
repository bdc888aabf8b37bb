// What is the case on a host, read from inside it: not through fettle, and not through its network.
import type { LabHost } from '../lab/lab-host.ts';

export interface HostTruth {
  /** Status-Abbrev and version of a package by name, as dpkg-query(1) has them. */
  readonly packages: ReadonlyMap<string, { readonly status: string; readonly version: string }>;
  /** `name version` of every postinst that has begun, in order. */
  readonly postinsts: readonly string[];
  readonly hooks: readonly string[];
  readonly bootId: string;
  /** The kernel that runs. */
  readonly kernel: string;
  /** Paths below fettle's directory and elsewhere that are fettle's; tombstones of collected jobs left out. */
  readonly leftovers: readonly string[];
  readonly processes: readonly string[];
  readonly units: readonly string[];
  /** Every job that was ever here: those with files and those with a tombstone. */
  readonly jobs: readonly string[];
}

const script = `
echo '== packages'; dpkg-query -W -f '\${db:Status-Abbrev}|\${Package}|\${Version}\\n'
echo '== postinsts'; cat /var/lib/fettle-lab/postinst.log 2>/dev/null
echo '== hooks'; cat /var/lib/fettle-lab/hooks.log 2>/dev/null
echo '== kernel'; uname -r
echo '== leftovers'
find /var/lib/fettle-jobs -mindepth 1 -maxdepth 2 2>/dev/null | grep -Ev '^/var/lib/fettle-jobs/(jobs|collected|collected/.*|refreshed)$'
ls -d /tmp/fettle* /etc/apt/preferences.d/*fettle* /etc/sudoers.d/*fettle* /etc/systemd/system/fettle* 2>/dev/null
echo '== processes'; ps -eo pid=,args= | grep -F FETTLE_REQUEST | grep -v grep | cut -c 1-120
echo '== units'; [ -d /run/systemd/system ] && systemctl list-units --all --plain --no-legend 'fettle-[0-9]*' 2>/dev/null | cut -d ' ' -f 1
echo '== jobs'; ls /var/lib/fettle-jobs/jobs /var/lib/fettle-jobs/collected 2>/dev/null | grep -v ':$' | grep -v '^$'
:`;

/** @throws Error when the host is off. */
export async function readTruth(host: LabHost): Promise<HostTruth> {
  const { stdout } = await host.inside(script);
  const sections = new Map<string, readonly string[]>();
  for (const part of stdout.split(/^== /m).slice(1)) {
    const [name = '', ...lines] = part.split('\n');
    sections.set(
      name,
      lines.filter((line) => line !== ''),
    );
  }
  const lines = (name: string): readonly string[] => sections.get(name) ?? [];
  const packages = lines('packages').map((line) => {
    const [status = '', name = '', version = ''] = line.split('|');
    return [name, { status: status.trim(), version }] as const;
  });
  return {
    packages: new Map(packages),
    postinsts: lines('postinsts'),
    hooks: lines('hooks'),
    bootId: await host.bootId(),
    kernel: lines('kernel')[0] ?? '',
    leftovers: lines('leftovers'),
    processes: lines('processes'),
    units: lines('units'),
    jobs: lines('jobs'),
  };
}
