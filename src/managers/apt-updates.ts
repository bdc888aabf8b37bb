import type { SimulatedUpdate } from '../domain/simulation.ts';
import type { HeldBack, InstalledPackage, Update, UpdateClass } from '../domain/update.ts';
import { packageKey } from '../domain/update.ts';
import { parsePolicy, type PackagePolicy, type Release } from './apt-policy.ts';
import { parseAptSimulation, type AptSimulation } from './apt-simulation.ts';
import { compareDebVersions } from './deb-version.ts';
import type { Sections } from './manager.ts';
import { required } from './sections.ts';

interface Views {
  /** What `upgrade --with-new-pkgs` would do. */
  readonly normal: AptSimulation;
  /** The same with nothing but security sources in reach. */
  readonly security: ReadonlyMap<string, SimulatedUpdate>;
  /** `dist-upgrade` that ignores holds and phasing, everything there is; asked only where something is kept back. */
  readonly wide: AptSimulation;
  /** `upgrade` without new packages, asked only where the normal one brings some. */
  readonly plain: AptSimulation | undefined;
  readonly policy: ReadonlyMap<string, PackagePolicy>;
  readonly isSecurityKnown: boolean;
  readonly heldNames: ReadonlySet<string>;
}

/**
 * Every installed package with a newer version. The class comes from all versions that are offered and from a simulation
 * with nothing but security sources, not from the candidate's suite: a security version may stand behind a newer or a
 * phased one.
 */
export function readUpdates(
  sections: Sections,
  packages: readonly InstalledPackage[],
  releases: ReadonlyMap<string, Release>,
): readonly Update[] {
  const views = readViews(sections, packages, releases);
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

function readViews(
  sections: Sections,
  packages: readonly InstalledPackage[],
  releases: ReadonlyMap<string, Release>,
): Views {
  const arch = packages.find((item) => item.name === 'dpkg')?.arch ?? '';
  const security = parseAptSimulation(required(sections, 'apt-security'), arch);
  const normal = parseAptSimulation(required(sections, 'apt-normal'), arch);
  const [wide, plain] = [sections.get('apt-wide') ?? '', sections.get('apt-plain')];
  return {
    normal,
    security: new Map(security.installs.map((item) => [keyOf(item), item])),
    wide: wide === '' ? normal : parseAptSimulation(wide, arch),
    plain: plain === undefined ? undefined : parseAptSimulation(plain, arch),
    policy: parsePolicy(sections.get('apt-policy') ?? '', releases),
    isSecurityKnown: [...releases.values()].some((release) => release.isSecurity),
    heldNames: new Set(packages.filter((item) => item.status.startsWith('h')).map((item) => item.name)),
  };
}

function toUpdate(item: SimulatedUpdate, views: Views): Update {
  const { name, arch, to, origins } = item;
  const security = securityVersion(item, views);
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

/** The newest version above the installed one that a security source offers, whatever keeps it back. */
function securityVersion(item: SimulatedUpdate, views: Views): string | undefined {
  const from = item.from ?? '';
  const offered = policyOf(item, views)?.versions.filter(
    (offer) => offer.isSecurity && compareDebVersions(offer.version, from) > 0,
  );
  const newest = offered
    ?.map((offer) => offer.version)
    .sort(compareDebVersions)
    .at(-1);
  return newest ?? views.security.get(keyOf(item))?.to;
}

function policyOf(item: SimulatedUpdate, views: Views): PackagePolicy | undefined {
  return views.policy.get(keyOf(item)) ?? views.policy.get(item.name);
}

function classOf(security: string | undefined, views: Views): UpdateClass {
  if (security !== undefined) return 'security';
  return views.isSecurityKnown ? 'other' : 'unknown';
}

/**
 * By the difference of the simulations; the prose that apt prints is for people. A version that is still phased counts
 * as such on every host, also where apt's own dice would let it in.
 */
function heldBackOf(item: SimulatedUpdate, views: Views): HeldBack | undefined {
  const isIn = (view: AptSimulation): boolean =>
    view.installs.some((other) => keyOf(other) === keyOf(item) && other.to === item.to);
  if (views.heldNames.has(item.name) && !isIn(views.normal)) return { kind: 'held' };
  const offered = policyOf(item, views)?.versions.find((version) => version.version === item.to);
  if (offered?.phasedPercent !== undefined) return { kind: 'phased', percent: offered.phasedPercent };
  if (isIn(views.normal)) {
    const added = views.normal.installs.filter((other) => other.from === null).map(keyOf);
    return views.plain === undefined || isIn(views.plain) || added.length === 0
      ? undefined
      : { kind: 'needs-new', packages: added };
  }
  if (!isIn(views.wide)) return { kind: 'pinned' };
  const removed = views.wide.removes.map((other) => `${other.name}:${other.arch}`);
  return removed.length > 0 ? { kind: 'needs-removal', packages: removed } : { kind: 'unknown' };
}
