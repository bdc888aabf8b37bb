// Sessions on the simulated Windows host, and its answer to a scan.
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { Secret } from '../../src/domain/secret.ts';
import { parseFrame } from '../../src/remote/frame.ts';
import { runScript } from '../../src/remote/launch.ts';
import { probeScript } from '../../src/remote/scripts.ts';
import { CredentialGuard } from '../../src/transport/credential-guard.ts';
import type { Session } from '../../src/transport/session.ts';
import { WinrmTransport } from '../../src/transport/winrm/winrm.ts';
import { windowsAccount, type WindowsFleet } from '../../test/support/windows/fleet.ts';
import { hostAt } from '../../test/transport/winrm/rig.ts';
import type { CannedAnswer } from './canned-host.ts';

/** Logged in at a port on loopback, messages sealed. */
export function openSession(port: number, directory: string): Promise<Session> {
  const certificatesFile = join(directory, 'certificates');
  const transport = new WinrmTransport({ credentials: new CredentialGuard(), certificatesFile, clock: systemClock });
  const { user, password } = windowsAccount;
  const connection = { user, password: new Secret(password) };
  return transport.open(hostAt(port, { settings: { scheme: 'http', operationTimeoutSec: 20 }, connection }), {});
}

type Item = Readonly<Record<string, unknown>>;

interface WindowsSection {
  readonly services: Item[];
  readonly facts: { readonly machine: string };
  readonly inventory: { readonly programs: Item[] };
}

interface UpdatesSection {
  readonly updates: Item[];
  readonly installed: Item[];
}

/** The answer of the host to a scan, with as much in it as a server in use has. */
export async function takeDownAnswer(fleet: WindowsFleet, directory: string): Promise<CannedAnswer> {
  await using session = await openSession(portOf(fleet), directory);
  const { stdout } = await runScript(session, probeScript(), { verb: 'probe', fields: { wait: 300 } });
  const mark = /\x1eFETTLE ([a-z0-9]+) begin\n/.exec(stdout.toString('latin1'))?.[1] ?? '';
  const sections = new Map(parseFrame(stdout));
  const windows = JSON.parse(sections.get('windows') ?? '') as WindowsSection;
  const wua = JSON.parse(sections.get('windows-update') ?? '') as UpdatesSection;
  windows.services.push(...copies(windows.services[0], 220, 'name'));
  windows.inventory.programs.push(...copies(windows.inventory.programs[0], 150, 'key'));
  const installed = copies(wua.updates[0], 120, 'id').map((item) => ({ ...item, isInstalled: true }));
  sections.set('windows', JSON.stringify(windows)).set('windows-update', JSON.stringify({ ...wua, installed }));
  const body = [...sections].map(([name, text]) => `\n\x1e${mark} ${name}\n${text}`).join('');
  return { frame: `\x1eFETTLE ${mark} begin\n${body}\n\x1e${mark} end\n`, mark, machine: windows.facts.machine };
}

/** Like the first one, but each with a key of its own. */
function copies(first: Item | undefined, count: number, key: string): Item[] {
  return Array.from({ length: count }, (_, index) => ({
    ...first,
    [key]: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
  }));
}

export function portOf(fleet: WindowsFleet): number {
  return fleet.members[0]?.server.port ?? 0;
}
