import type { SimulatedUpdate } from '../domain/simulation.ts';
import type { HeldBack, InstalledPackage, Update, UpdateClass } from '../domain/update.ts';
import { packageKey } from '../domain/update.ts';
import { parsePolicy, parseReleases, type PackagePolicy } from './apt-policy.ts';
import { parseAptSimulation, type AptSimulation } from './apt-simulation.ts';
import type { Sections } from './manager.ts';
import { required } from './sections.ts';

interface Views {
  /** What `upgrade --with-new-pkgs` would do. */
  readonly normal: AptSimulation;
  /** The same with nothing but security sources in reach. */
  readonly security: ReadonlyMap<string, SimulatedUpdate>;
  /** `dist-upgrade` that ignores holds and phasing: everything there is. */
  readonly wide: AptSimulation;
  /** `upgrade` without new packages, asked only where the normal one brings some. */
  readonly plain: AptSimulation | undefined;
  readonly policy: ReadonlyMap<string, PackagePolicy>;
  readonly isSecurityKnown: boolean;
  readonly heldNames: ReadonlySet<string>;
}

/**
 * Every installed package with a newer version. The class comes from the pinned simulation, not from the candidate's
 * suite: a security version may stand behind a newer or a phased one.
 */
export function readUpdates(
  sections: Sections,
  packages: readonly InstalledPackage[],
  isSecurityKnown: boolean,
): readonly Update[] {
  const views = readViews(sections, packages, isSecurityKnown);
  const candidates = new Map<string, SimulatedUpdate>();
  for (const item of [...views.security.values(), ...views.wide.installs, ...views.normal.installs]) {
    candidates.set(keyOf(item), item);
  }
  return [...candidates.values()]
    .filter((item) => item.from !== null)
    .map((item) => toUpdate(item, views))
    .sort((left, right) => (packageKey(left) < packageKey(right) ? -1 : 1));
}

/** An update may change the architecture from `all` to a real one; the name tells them together. */
function keyOf(item: SimulatedUpdate): string {
  return `${item.name}:${item.arch}`;
}

function readViews(sections: Sections, packages: readonly InstalledPackage[], isSecurityKnown: boolean): Views {
  const arch = packages.find((item) => item.name === 'dpkg')?.arch ?? '';
  const security = parseAptSimulation(required(sections, 'apt-security'), arch);
  const plain = sections.get('apt-plain');
  return {
    normal: parseAptSimulation(required(sections, 'apt-normal'), arch),
    security: new Map(security.installs.map((item) => [keyOf(item), item])),
    wide: parseAptSimulation(required(sections, 'apt-wide'), arch),
    plain: plain === undefined ? undefined : parseAptSimulation(plain, arch),
    policy: parsePolicy(sections.get('apt-policy') ?? '', parseReleases(sections.get('apt-releases') ?? '')),
    isSecurityKnown,
    heldNames: new Set(packages.filter((item) => item.status.startsWith('h')).map((item) => item.name)),
  };
}

function toUpdate(item: SimulatedUpdate, views: Views): Update {
  const { name, arch, to, origins } = item;
  const security = views.security.get(keyOf(item))?.to;
  const heldBack = heldBackOf(item, views);
  return {
    name,
    arch,
    from: item.from ?? '',
    to,
    origins,
    class: classOf(security, views),
    ...(security === undefined || security === to ? {} : { securityTo: security }),
    ...(heldBack === undefined ? {} : { heldBack }),
    isKernel: /^linux-image-/.test(name),
  };
}

function classOf(security: string | undefined, views: Views): UpdateClass {
  if (security !== undefined) return 'security';
  return views.isSecurityKnown ? 'other' : 'unknown';
}

/** By the difference of the simulations; the prose that apt prints is for people. */
function heldBackOf(item: SimulatedUpdate, views: Views): HeldBack | undefined {
  const isIn = (view: AptSimulation): boolean =>
    view.installs.some((other) => keyOf(other) === keyOf(item) && other.to === item.to);
  if (isIn(views.normal)) {
    const added = views.normal.installs.filter((other) => other.from === null).map(keyOf);
    return views.plain === undefined || isIn(views.plain) || added.length === 0
      ? undefined
      : { kind: 'needs-new', packages: added };
  }
  if (views.heldNames.has(item.name)) return { kind: 'held' };
  const policy = views.policy.get(item.name) ?? views.policy.get(keyOf(item));
  const offered = policy?.versions.find((version) => version.version === item.to);
  if (offered?.phasedPercent !== undefined) return { kind: 'phased', percent: offered.phasedPercent };
  if (!isIn(views.wide)) return { kind: 'pinned' };
  const removed = views.wide.removes.map((other) => `${other.name}:${other.arch}`);
  return removed.length > 0 ? { kind: 'needs-removal', packages: removed } : { kind: 'unknown' };
}
