import { recordOf } from '../../base/record.ts';
import { FettleError } from '../../domain/error.ts';
import { fewEnough } from '../../domain/limits.ts';
import type {
  FileSystem,
  Health,
  HostFacts,
  Inventory,
  Privileges,
  RebootSign,
  RebootState,
  RunningManager,
  ScanProblem,
} from '../../domain/scan.ts';
import type { InstalledPackage } from '../../domain/update.ts';
import { firstLine, linesOf, type Sections } from '../contract/sections.ts';
import { isAt, numberAt, objectAt, objectsAt, textAt, textsAt } from '../contract/json.ts';
import type { HostObject } from '../contract/json.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `collectedMs` is the controller's clock when the answer came. */
export function readWindowsFacts(windows: HostObject, sections: Sections, collectedMs: number): HostFacts {
  const facts = objectAt(windows, 'facts');
  const os = objectAt(facts, 'os');
  const build = buildOf(windows);
  if (build === '') throw new FettleError('parse', 'the host reports no build number of Windows');
  const productType = numberAt(os, 'productType');
  const release = textAt(os, 'release');
  const caption = textAt(os, 'caption') || textAt(os, 'productName') || 'Windows';
  const [epochSec, uptimeSec] = linesOf(sections, 'clock').map(Number);
  const machineId = textAt(facts, 'machine').replaceAll('-', '').toLowerCase();
  const [bootId, dmiUuid] = [firstLine(sections, 'boot-id') ?? '', textAt(facts, 'uuid')];
  return {
    hostName: textAt(facts, 'hostName'),
    family: 'windows',
    osId: productType === 1 ? 'windows' : 'windows-server',
    osVersion: build,
    osName: release === '' ? caption : `${caption} ${release}`,
    kernel: `10.0.${build}`,
    arch: textAt(os, 'arch').toLowerCase(),
    init: 'services',
    isContainer: false,
    ...virtualizationOf(facts),
    ...(/^[0-9a-f]{32}$/.test(machineId) ? { machineId } : {}),
    ...(uuid.test(bootId) ? { bootId: bootId.toLowerCase() } : {}),
    ...(uuid.test(dmiUuid) ? { dmiUuid: dmiUuid.toLowerCase() } : {}),
    ...(uptimeSec !== undefined && Number.isFinite(uptimeSec) ? { uptimeSec: Math.floor(uptimeSec) } : {}),
    ...(epochSec !== undefined && epochSec > 0 ? { clockSkewMs: epochSec * 1000 - collectedMs } : {}),
  };
}

/** Build and update revision, `20348.4171`: the truth about the level of cumulative updates. */
export function buildOf(windows: HostObject): string {
  const os = objectAt(objectAt(windows, 'facts'), 'os');
  const [build, revision] = [textAt(os, 'build'), numberAt(os, 'ubr')];
  if (!/^\d{4,6}$/.test(build)) return '';
  return revision === undefined ? build : `${build}.${revision}`;
}

/** By maker and model of the machine, in the words of systemd-detect-virt(1). */
function virtualizationOf(facts: HostObject): Pick<HostFacts, 'virtualization'> {
  const machine = `${textAt(facts, 'maker')} ${textAt(facts, 'model')}`.toLowerCase().trim();
  if (machine === '') return {};
  const known: readonly (readonly [RegExp, string])[] = [
    [/vmware/, 'vmware'],
    [/virtualbox|innotek/, 'oracle'],
    [/qemu|kvm|red hat|rhev|openstack/, 'kvm'],
    [/xen/, 'xen'],
    [/amazon ec2/, 'amazon'],
    [/google/, 'google'],
    [/microsoft corporation virtual machine/, 'microsoft'],
    [/parallels/, 'parallels'],
  ];
  return { virtualization: known.find(([pattern]) => pattern.test(machine))?.[1] ?? 'none' };
}

export function readWindowsPrivileges(windows: HostObject): Privileges {
  const account = objectAt(windows, 'account');
  return { user: textAt(account, 'name') || 'unknown', isRoot: isAt(account, 'isAdmin') };
}

export function readWindowsDisks(windows: HostObject): readonly FileSystem[] {
  return objectsAt(windows, 'disks').flatMap((disk): FileSystem[] => {
    const [mount, freeBytes] = [textAt(disk, 'mount'), numberAt(disk, 'free')];
    return mount === '' || freeBytes === undefined || freeBytes < 0 ? [] : [{ mount, freeBytes }];
  });
}

/** Services that start by themselves and end by themselves when their work is done. */
const transientUnits = new Set(
  [
    'AppXSvc',
    'BITS',
    'CDPSvc',
    'ClipSVC',
    'DoSvc',
    'edgeupdate',
    'GoogleUpdaterService',
    'gupdate',
    'MapsBroker',
    'msiserver',
    'RemoteRegistry',
    'ShellHWDetection',
    'sppsvc',
    'StateRepository',
    'SysMain',
    'tiledatamodelsvc',
    'TrustedInstaller',
    'UsoSvc',
    'WaaSMedicSvc',
    'WbioSrvc',
    'wuauserv',
  ].map((name) => name.toLowerCase()),
);

/**
 * Automatic services that run, to run again after; automatic ones that ended with an error count as failed. Services
 * that a trigger starts, that come and go, or that belong to one logon (`Name_3a1f2`) are left out.
 */
export function readWindowsHealth(windows: HostObject): Health {
  const services = objectsAt(windows, 'services').flatMap((service) => {
    const [name, isAuto] = [textAt(service, 'name'), textAt(service, 'start') === 'Auto'];
    const isSteady = !transientUnits.has(name.toLowerCase()) && !/_[0-9a-f]{4,}$/i.test(name);
    if (name === '' || !isAuto || !isSteady || isAt(service, 'isTriggered')) return [];
    return [{ name, state: textAt(service, 'state'), exitCode: numberAt(service, 'exit') ?? 0 }];
  });
  // 1077: it was not started since the boot (ERROR_SERVICE_NEVER_STARTED).
  const failed = services.filter((item) => item.state === 'Stopped' && item.exitCode !== 0 && item.exitCode !== 1077);
  return {
    failedUnits: failed.map((item) => item.name),
    activeServices: services.filter((item) => item.state === 'Running').map((item) => item.name),
    listeners: [],
    staleProcesses: [],
    staleKnown: true,
  };
}

/** Hard signs that are not ignored ask for a reboot. */
export function readWindowsReboot(windows: HostObject): RebootState {
  const signs = objectsAt(windows, 'pendingReboot').flatMap((sign): RebootSign[] => {
    const code = textAt(sign, 'code');
    if (!/^[a-z-]{1,60}$/.test(code)) return [];
    const weight = textAt(sign, 'weight') === 'hard' ? 'hard' : 'soft';
    return [{ code, weight, words: textAt(sign, 'words'), ...(isAt(sign, 'isIgnored') ? { isIgnored: true } : {}) }];
  });
  const asking = signs.filter((sign) => sign.weight === 'hard' && sign.isIgnored !== true);
  const reasons = asking.map((sign) => `${sign.words} (${sign.code})`);
  return { needed: reasons.length > 0 ? 'yes' : 'no', reasons, signs, runningKernel: `10.0.${buildOf(windows)}` };
}

export function readWindowsRunning(windows: HostObject): readonly RunningManager[] {
  return objectsAt(windows, 'running').flatMap((item) => {
    const [name, pid] = [textAt(item, 'name'), numberAt(item, 'pid')];
    return name === '' || pid === undefined || !Number.isSafeInteger(pid) ? [] : [{ name, pid }];
  });
}

export function readWindowsProblems(windows: HostObject): readonly ScanProblem[] {
  return objectsAt(windows, 'problems').flatMap((problem): ScanProblem[] => {
    const [code, message] = [textAt(problem, 'code'), textAt(problem, 'words')];
    if (message === '') return [];
    return [{ code, message, ...(isAt(problem, 'isBlocking') ? { isBlocking: true } : {}) }];
  });
}

/** The system itself, programs and hotfixes: they change without us, so nothing of a plan is held against them. */
export function readPrograms(windows: HostObject): readonly InstalledPackage[] {
  const inventory = objectAt(windows, 'inventory');
  const build = buildOf(windows);
  const system = own({ name: 'windows', arch: 'system', version: build, source: 'windows' });
  const programs = objectsAt(inventory, 'programs').flatMap((program): InstalledPackage[] => {
    const [name, version] = [textAt(program, 'name'), textAt(program, 'version')];
    if (name === '') return [];
    const arch = numberAt(program, 'bits') === 32 ? 'x86' : 'x64';
    return [own({ name, arch, version: version || 'unknown', source: textAt(program, 'publisher') })];
  });
  const fixes = objectsAt(inventory, 'hotfixes').flatMap((fix): InstalledPackage[] => {
    const name = textAt(fix, 'id');
    return /^KB\d{4,9}$/.test(name)
      ? [own({ name, arch: 'hotfix', version: 'installed', source: textAt(fix, 'kind') })]
      : [];
  });
  return [system, ...programs, ...fixes];
}

function own(item: { name: string; arch: string; version: string; source: string }): InstalledPackage {
  return { manager: 'programs', ...item, state: 'installed', sourceVersion: item.version, unattended: 'changes' };
}

/** Where updates come from is the package manager's to add. */
export function readInventory(windows: HostObject): Inventory {
  const [facts, inventory] = [objectAt(windows, 'facts'), objectAt(windows, 'inventory')];
  const hardware = objectAt(inventory, 'hardware');
  const memoryBytes = numberAt(objectAt(facts, 'memory'), 'total');
  const words = {
    maker: textAt(facts, 'maker'),
    model: textAt(facts, 'model'),
    serial: textAt(facts, 'serial'),
    bios: textAt(objectAt(hardware, 'bios'), 'version'),
    domain: textAt(facts, 'domain'),
    edition: textAt(objectAt(facts, 'os'), 'edition'),
  };
  return {
    ...Object.fromEntries(Object.entries(words).filter(([, text]) => text !== '')),
    processors: objectsAt(hardware, 'processors').map((item) => {
      const [cores, threads] = [numberAt(item, 'cores'), numberAt(item, 'threads')];
      const counts = { ...(cores === undefined ? {} : { cores }), ...(threads === undefined ? {} : { threads }) };
      return { name: textAt(item, 'name'), ...counts };
    }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    adapters: objectsAt(hardware, 'adapters').map((item) => ({
      name: textAt(item, 'name'),
      mac: textAt(item, 'mac'),
      addresses: textsAt(item, 'addresses'),
    })),
    products: textMap(objectAt(inventory, 'products')),
    updatePolicy: textMap(objectAt(windows, 'policy')),
  };
}

function textMap(from: HostObject): Readonly<Record<string, string>> {
  const keys = fewEnough(Object.keys(from), 'properties of one object');
  return recordOf(keys.map((key) => [key, textAt(from, key)] as const).filter(([, text]) => text !== ''));
}
