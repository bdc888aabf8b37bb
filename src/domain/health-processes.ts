// Listeners and processes before and after: what the system itself runs decides, what people run is noted.
import { firstGlob } from './glob.ts';
import type { VerifyFinding } from './outcome.ts';
import type { VerifySettings } from './playbook.ts';
import type { HostScan, StaleProcess } from './scan.ts';

export interface ProcessesInput {
  readonly before: Pick<HostScan, 'health'>;
  readonly after: Pick<HostScan, 'health'>;
  readonly settings: VerifySettings;
}

/** The first port that Linux hands out by itself (net.ipv4.ip_local_port_range); those above come and go. */
const ephemeralPort = 32_768;

interface Listener {
  readonly text: string;
  /** `tcp 0.0.0.0:22`: the process may have been renamed by the update. */
  readonly socket: string;
  readonly port: number;
}

function readListener(text: string): Listener {
  const [protocol = '', address = ''] = text.split(/\s+/);
  return { text, socket: `${protocol} ${address}`, port: Number(address.slice(address.lastIndexOf(':') + 1)) };
}

export function listenerFindings(input: ProcessesInput): VerifyFinding[] {
  const level = input.settings.listeners;
  if (level === 'ignore') return [];
  const after = new Set(input.after.health.listeners.map((text) => readListener(text).socket));
  const lost = input.before.health.listeners
    .map(readListener)
    .filter((item) => !(item.port >= ephemeralPort) && !after.has(item.socket) && !isIgnored(item, input.settings));
  const bySocket = new Map(lost.map((item) => [item.socket, item]));
  const personal = new Set(input.before.health.personalListeners);
  return [...bySocket.values()].map((item) => ({
    check: 'listener',
    level: personal.has(item.text) ? 'warn' : level,
    message: `nothing listens on ${item.text} any more`,
  }));
}

function isIgnored(listener: Listener, settings: VerifySettings): boolean {
  const process = listener.text.split(/\s+/)[2] ?? '';
  const aliases = [listener.text, listener.socket, process, String(listener.port)];
  return aliases.some((alias) => alias !== '' && firstGlob(settings.ignore, alias) !== undefined);
}

export function staleFindings(input: ProcessesInput): VerifyFinding[] {
  const level = input.settings.staleProcesses;
  if (level === 'ignore') return [];
  const { staleProcesses, staleKnown } = input.after.health;
  if (!staleKnown) {
    const message = 'not every process could be inspected: whether some still run replaced code is unknown';
    return [{ check: 'stale-process', level: 'warn', message }];
  }
  const systems = staleOwners(staleProcesses, input.settings);
  const personal = new Set(staleProcesses.filter((item) => item.isPersonal === true).map((item) => item.name));
  const notes = [...personal].filter((name) => firstGlob(input.settings.ignore, name) === undefined);
  return [
    ...systems.map((owner) => ({ owner, level })),
    ...notes.map((name) => ({ owner: `${name}, which a user runs,`, level: 'warn' as const })),
  ].map((item) => ({
    check: 'stale-process',
    level: item.level,
    message: `${item.owner} still runs code that was replaced`,
  }));
}

/** What the system itself runs; what people run under their own accounts is theirs to restart. */
export function staleOwners(processes: readonly StaleProcess[], { ignore }: Pick<VerifySettings, 'ignore'>): string[] {
  const owners = processes.filter((item) => item.isPersonal !== true).map((item) => item.unit ?? item.name);
  return [...new Set(owners)].filter((owner) => firstGlob(ignore, owner) === undefined);
}
