// The real client of snapd: what talks to the double in tests is the program that talks to snapd on a host.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const installed = '/usr/bin/snap';
const kept = join(tmpdir(), `fettle-snap-client-${process.getuid?.() ?? 0}`);

/**
 * Where the client is: the machine's own, or the one of the Debian package `snapd`, which is unpacked and not installed,
 * so that no daemon comes with it. Undefined where there is none to be had.
 */
export function snapClient(): string | undefined {
  if (existsSync(installed)) return installed;
  const unpacked = join(kept, 'usr/bin/snap');
  if (existsSync(unpacked)) return unpacked;
  return unpack() && existsSync(unpacked) ? unpacked : undefined;
}

/** Where the daemon of the same package is; undefined where there is none. */
export function snapDaemon(): string | undefined {
  const root = snapClient()?.slice(0, -'/usr/bin/snap'.length);
  const daemon = `${root ?? ''}/usr/lib/snapd/snapd`;
  return root !== undefined && existsSync(daemon) ? daemon : undefined;
}

export const noClient = 'there is no client of snapd here (Debian package snapd)';

function unpack(): boolean {
  const place = mkdtempSync(join(tmpdir(), 'fettle-snap-'));
  try {
    const root = join(place, 'root');
    mkdirSync(root);
    execFileSync('apt-get', ['-q', 'download', 'snapd'], { cwd: place, stdio: 'ignore' });
    const file = readdirSync(place).find((name) => name.endsWith('.deb'));
    if (file === undefined) return false;
    execFileSync('dpkg-deb', ['-x', join(place, file), root], { stdio: 'ignore' });
    execFileSync('chmod', ['-R', 'a+rX', root]);
    // Whoever comes first has put the same in place.
    if (!existsSync(kept)) renameSync(root, kept);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
