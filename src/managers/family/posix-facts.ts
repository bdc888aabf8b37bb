import { FettleError } from '../../domain/error.ts';
import type {
  ActiveClaim,
  FileSystem,
  Health,
  HostFacts,
  Privileges,
  RebootState,
  RunningManager,
} from '../../domain/scan.ts';
import { shortEnough } from '../../domain/limits.ts';
import { firstLine, linesOf, type Sections } from '../contract/sections.ts';
import { compareDebVersions, newestDebVersion } from '../versions/deb.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Facts that every POSIX host reports. `collectedMs` is the controller's clock when the answer arrived. */
export function readFacts(sections: Sections, collectedMs: number): HostFacts {
  const os = readOsRelease(linesOf(sections, 'os-release'));
  const [family = '', kernel = '', arch = '', hostName = ''] = linesOf(sections, 'uname');
  if (family === '') throw new FettleError('parse', 'the host does not say what system it is');
  const [epochSec, uptime] = linesOf(sections, 'clock').map(Number);
  const [machineId, bootId] = [firstLine(sections, 'machine-id'), firstLine(sections, 'boot-id')];
  const virtual = readVirtualization(linesOf(sections, 'virtualization'));
  const dmiUuid = firstLine(sections, 'dmi-uuid');
  const initStart = firstLine(sections, 'init-start');
  return {
    hostName,
    family: family.toLowerCase(),
    osId: os.get('ID') ?? 'unknown',
    osVersion: os.get('VERSION_ID') ?? '',
    osName: os.get('PRETTY_NAME') ?? os.get('NAME') ?? family,
    kernel,
    arch,
    init: firstLine(sections, 'init') ?? 'unknown',
    ...virtual,
    ...(machineId !== undefined && /^[0-9a-f]{32}$/.test(machineId) ? { machineId } : {}),
    ...(bootId !== undefined && uuid.test(bootId) ? { bootId: bootId.toLowerCase() } : {}),
    ...(initStart !== undefined && /^\d{1,15}$/.test(initStart) ? { initStart: Number(initStart) } : {}),
    ...(dmiUuid !== undefined && uuid.test(dmiUuid) ? { dmiUuid: dmiUuid.toLowerCase() } : {}),
    ...(uptime !== undefined && Number.isFinite(uptime) ? { uptimeSec: Math.floor(uptime) } : {}),
    ...(epochSec !== undefined && epochSec > 0 ? { clockSkewMs: epochSec * 1000 - collectedMs } : {}),
  };
}

function readOsRelease(lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    lines.flatMap((line): [string, string][] => {
      const at = line.indexOf('=');
      const [name, value] = [line.slice(0, Math.max(0, at)), line.slice(at + 1)];
      const quote = value.charAt(0);
      const isQuoted = value.length > 1 && (quote === '"' || quote === "'") && value.endsWith(quote);
      return /^[A-Z_]+$/.test(name) ? [[name, isQuoted ? value.slice(1, -1) : value]] : [];
    }),
  );
}

function readVirtualization(lines: readonly string[]): Pick<HostFacts, 'virtualization' | 'isContainer'> {
  const words = new Map(lines.map((line) => line.split(' ')).map(([kind = '', word = '']) => [kind, word]));
  const container = words.get('container') ?? 'none';
  const isContainer = container !== 'none' && container !== '';
  const virtualization = isContainer ? container : words.get('vm');
  return { isContainer, ...(virtualization === undefined || virtualization === '' ? {} : { virtualization }) };
}

export function readPrivileges(sections: Sections): Privileges {
  const [uid = '', user = ''] = (firstLine(sections, 'user') ?? '').split('\t');
  return { user: user === '' ? `uid ${uid}` : user, isRoot: uid === '0' };
}

/** df(1) -P in units of 1024 bytes; `-i` counts inodes. */
export function readDisks(sections: Sections): readonly FileSystem[] {
  const inodes = new Map(
    linesOf(sections, 'inodes').map((line) => {
      const words = line.split(/\s+/);
      return [words[5] ?? '', Number(words[3])];
    }),
  );
  return linesOf(sections, 'disks').flatMap((line): FileSystem[] => {
    const words = line.split(/\s+/);
    const [freeKib, mount] = [Number(words[3]), words[5]];
    if (mount === undefined || !Number.isFinite(freeKib)) return [];
    const freeInodes = inodes.get(mount);
    const isCounted = freeInodes !== undefined && Number.isFinite(freeInodes) && freeInodes > 0;
    return [{ mount, freeBytes: freeKib * 1024, ...(isCounted ? { freeInodes } : {}) }];
  });
}

export function readHealth(sections: Sections, isRoot: boolean): Health {
  const isPersonal = personalAccounts(sections);
  const ephemeral = Number(/^\d+/.exec(firstLine(sections, 'ephemeral') ?? '')?.[0] ?? '32768');
  const listeners = linesOf(sections, 'listeners')
    .flatMap(readListener)
    .filter(({ text }) => !(portOf(text) >= ephemeral));
  const personal = listeners.filter(({ uid }) => isPersonal(uid));
  return {
    failedUnits: linesOf(sections, 'failed-units'),
    activeServices: linesOf(sections, 'active-services'),
    listeners: namesOf(listeners),
    ...(personal.length === 0 ? {} : { personalListeners: namesOf(personal) }),
    staleProcesses: linesOf(sections, 'stale').flatMap((line) => {
      const [pid = '', name = '', unit = '', uid = ''] = line.split('\t');
      if (!/^\d+$/.test(pid)) return [];
      const owner = isPersonal(/^\d+$/.test(uid) ? Number(uid) : 0) ? { isPersonal: true } : {};
      return [{ pid: Number(pid), name, ...(unit === '' ? {} : { unit }), ...owner }];
    }),
    staleKnown: isRoot,
  };
}

/** login.defs(5): UID_MIN where the host does not report it. */
const usualFirstPerson = 1_000;
/** systemd hands these out to services (DynamicUser), and 65534 is nobody. */
const [firstDynamic, lastDynamic] = [61_184, 65_534];

/**
 * Whether an account is a person's: neither the system's, nor handed out by systemd, nor one under which a service of
 * the system runs. What a person runs, under whatever name, is not part of the state of the host.
 */
function personalAccounts(sections: Sections): (uid: number) => boolean {
  const lines = linesOf(sections, 'service-users').map((line) => line.split(' ', 2));
  const numberOf = (text: string | undefined): number =>
    text !== undefined && /^\d+$/.test(text) ? Number(text) : NaN;
  const first = lines.map(([kind, uid]) => (kind === 'people' ? numberOf(uid) : NaN)).find((uid) => uid > 0);
  const services = new Set(lines.flatMap(([kind, uid]) => (kind === 'service' ? [numberOf(uid)] : [])));
  return (uid) =>
    uid >= (first ?? usualFirstPerson) && !(uid >= firstDynamic && uid <= lastDynamic) && !services.has(uid);
}

interface OwnedListener {
  readonly text: string;
  readonly uid: number;
}

function namesOf(listeners: readonly OwnedListener[]): readonly string[] {
  return [...new Set(listeners.map((item) => item.text))].sort();
}

/** One line of ss(8) -H -lntupe, which leaves out root's uid, or `hex PROTOCOL ADDRESS uid:UID` of /proc/net/tcp. */
function readListener(line: string): readonly OwnedListener[] {
  // The names of processes stand before the uid and are anybody's to choose.
  const uid = Number(/\buid:(\d{1,10})\b/.exec(line.slice(line.lastIndexOf('))') + 1))?.[1] ?? 0);
  const words = line.trim().split(/\s+/, 8);
  if (words[0] === 'hex') {
    const [address = '', port = ''] = (words[2] ?? '').split(':');
    return [{ text: `${(words[1] ?? '').slice(0, 3)} ${hexAddress(address)}:${Number.parseInt(port, 16)}`, uid }];
  }
  const local = words[4];
  if (local === undefined || !/^(tcp|udp)/.test(line)) return [];
  const name = userOf(line);
  return [{ text: `${words[0] ?? ''} ${withoutZone(local)}${name === undefined ? '' : ` ${name}`}`, uid }];
}

/** The first program of ss(8) `users:(("NAME",pid=1,fd=3))`. */
function userOf(line: string): string | undefined {
  const opening = 'users:(("';
  const at = line.indexOf(opening);
  const end = at < 0 ? -1 : line.indexOf('"', at + opening.length);
  return end < 0 ? undefined : line.slice(at + opening.length, end);
}

/** `[fe80::1]%eth0:22` and `127.0.0.53%lo:53` without the interface. */
function withoutZone(address: string): string {
  const at = address.indexOf('%');
  if (at < 0) return address;
  const end = address.indexOf(':', at);
  return address.slice(0, at) + (end < 0 ? '' : address.slice(end));
}

/** Of `PROTOCOL ADDRESS:PORT NAME`; NaN where there is none. */
function portOf(listener: string): number {
  const address = listener.split(' ', 2)[1] ?? '';
  return Number(/^\d{1,5}$/.exec(address.slice(address.lastIndexOf(':') + 1))?.[0]);
}

function hexAddress(hex: string): string {
  if (/^0+$/.test(hex)) return hex.length > 8 ? '[::]' : '0.0.0.0';
  const bytes = hex.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? [];
  return bytes.length === 4 ? bytes.toReversed().join('.') : `[${hex.toLowerCase()}]`;
}

export function readRunning(sections: Sections): readonly RunningManager[] {
  return linesOf(sections, 'running').flatMap((line) => {
    const [pid = '', name = '', locks = ''] = line.split('\t');
    const holds = locks.split(' ').filter((lock) => lock !== '');
    return /^\d+$/.test(pid) ? [{ pid: Number(pid), name, ...(holds.length === 0 ? {} : { holds }) }] : [];
  });
}

export function readClaim(sections: Sections): ActiveClaim | undefined {
  const [run, job, controller] = (firstLine(sections, 'claim') ?? '').split(' ');
  return run === undefined || run === '' || job === undefined || controller === undefined
    ? undefined
    : { run, job, controller };
}

/**
 * reboot-required(5) of the distribution first; without it the newest kernel in /boot of the running flavour. In a
 * container the kernel is the host's and proves nothing.
 */
export function readReboot(sections: Sections, facts: HostFacts): RebootState {
  const [flag, ...packages] = linesOf(sections, 'reboot-required');
  const installed = newestDebVersion(linesOf(sections, 'kernels').map((name) => shortEnough(name, 'kernel version')));
  const isKernelOld = !facts.isContainer && installed !== undefined && compareDebVersions(installed, facts.kernel) > 0;
  const reasons = [
    ...(flag === 'required'
      ? [packages.length === 0 ? 'the host asks for it' : `asked for by ${packages.join(', ')}`]
      : []),
    ...(isKernelOld ? [`kernel ${installed} is installed, ${facts.kernel} runs`] : []),
  ];
  return {
    needed: reasons.length > 0 ? 'yes' : 'no',
    reasons,
    runningKernel: facts.kernel,
    ...(installed === undefined || facts.isContainer ? {} : { installedKernel: installed }),
  };
}
