import type { SimulatedUpdate } from '../../domain/simulation.ts';
import type { HeldBack } from '../../domain/held-back.ts';
import type { InstalledPackage, PackageId, Update, UpdateClass } from '../../domain/update.ts';
import { packageKey, packageLabel } from '../../domain/update.ts';
import { parsePolicy, type PackagePolicy, type Release } from './policy.ts';
import { parseAptSimulation, type AptSimulation } from './simulation.ts';
import { compareDebVersions, newestDebVersion } from '../versions/deb.ts';
import { required, type Sections } from '../contract/sections.ts';

/** A simulation with its installs by package. */
type View = AptSimulation & { readonly byKey: ReadonlyMap<string, SimulatedUpdate> };

interface Views {
  /** What `upgrade --with-new-pkgs` would do. */
  readonly normal: View;
  /** What the normal one brings that is not installed. */
  readonly added: readonly string[];
  /** What the wide one would remove. */
  readonly removed: readonly string[];
  /** The same with nothing but security sources in reach. */
  readonly security: View;
  /** `dist-upgrade` that ignores holds and phasing, everything there is; asked only where something is kept back. */
  readonly wide: View;
  /** `upgrade` without new packages, asked only where the normal one brings some. */
  readonly plain: View | undefined;
  readonly policy: ReadonlyMap<string, PackagePolicy>;
  readonly isSecurityKnown: boolean;
  readonly heldNames: ReadonlySet<string>;
}

/** What was read already of the same answer. */
export interface KnownPackages {
  readonly packages: readonly InstalledPackage[];
  /** Of the `apt-normal` section. */
  readonly normal: AptSimulation;
  readonly releases: ReadonlyMap<string, Release>;
}

/**
 * Every installed package with a newer version. The class comes from all versions that are offered and from a simulation
 * with nothing but security sources, not from the candidate's suite: a security version may stand behind a newer or a
 * phased one.
 */
export function readUpdates(sections: Sections, known: KnownPackages): readonly Update[] {
  const views = readViews(sections, known);
  const candidates = new Map([...views.security.byKey, ...views.wide.byKey, ...views.normal.byKey]);
  return [...candidates]
    .filter(([, item]) => item.from !== null)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([, item]) => toUpdate(item, views));
}

function readViews(sections: Sections, { packages, normal, releases }: KnownPackages): Views {
  const arch = packages.find((item) => item.name === 'dpkg')?.arch ?? '';
  const view = (text: string): View => viewOf(parseAptSimulation(text, arch));
  const [wide, plain] = [sections.get('apt-wide') ?? '', sections.get('apt-plain')];
  const normalView = viewOf(normal);
  const wideView = wide === '' ? normalView : view(wide);
  return {
    normal: normalView,
    added: named(normal.installs.filter((item) => item.from === null)),
    removed: named(wideView.removes),
    security: view(required(sections, 'apt-security')),
    wide: wideView,
    plain: plain === undefined ? undefined : view(plain),
    policy: parsePolicy(sections.get('apt-policy') ?? '', releases),
    isSecurityKnown: [...releases.values()].some((release) => release.isSecurity),
    heldNames: new Set(packages.filter((item) => item.isHeld === true).map((item) => item.name)),
  };
}

/** Names that the reason of every update repeats: as many as a reader can use. */
const mostNamed = 50;

function named(items: readonly PackageId[]): readonly string[] {
  return items.slice(0, mostNamed).map(packageLabel);
}

function viewOf(simulation: AptSimulation): View {
  return { ...simulation, byKey: new Map(simulation.installs.map((item) => [packageKey(item), item])) };
}

function toUpdate(item: SimulatedUpdate, views: Views): Update {
  const { name, arch, to, origins } = item;
  const security = securityVersion(item, views);
  const heldBack = heldBackOf(item, views);
  return {
    manager: 'apt',
    name,
    arch,
    from: item.from ?? '',
    to,
    origins,
    class: classOf(security, views),
    ...(security === undefined || security === to ? {} : { securityTo: security }),
    ...(heldBack === undefined ? {} : { heldBack }),
    isKernel: name.startsWith('linux-image-'),
  };
}

/** The newest version above the installed one that a security source offers, whatever keeps it back. */
function securityVersion(item: SimulatedUpdate, views: Views): string | undefined {
  const from = item.from ?? '';
  const offered = policyOf(item, views)?.versions.filter(
    (offer) => offer.isSecurity && compareDebVersions(offer.version, from) > 0,
  );
  const newest = newestDebVersion((offered ?? []).map((offer) => offer.version));
  return newest ?? views.security.byKey.get(packageKey(item))?.to;
}

function policyOf(item: SimulatedUpdate, views: Views): PackagePolicy | undefined {
  return views.policy.get(packageLabel(item)) ?? views.policy.get(item.name);
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
  const key = packageKey(item);
  if (compareDebVersions(item.to, item.from ?? '') < 0) return { kind: 'downgrade' };
  const isIn = (view: View): boolean => view.byKey.get(key)?.to === item.to;
  if (views.heldNames.has(item.name) && !isIn(views.normal)) return { kind: 'held' };
  const offered = policyOf(item, views)?.versions.find((version) => version.version === item.to);
  if (offered?.phasedPercent !== undefined) return { kind: 'phased', percent: offered.phasedPercent };
  if (isIn(views.normal)) {
    return views.plain === undefined || isIn(views.plain) || views.added.length === 0
      ? undefined
      : { kind: 'needs-new', packages: views.added };
  }
  if (!isIn(views.wide)) return { kind: 'pinned' };
  return views.removed.length > 0 ? { kind: 'needs-removal', packages: views.removed } : { kind: 'unknown' };
}
