import type { HeldBack } from '../../domain/held-back.ts';
import { packageLabel, type Advisory, type Severity, type Update, type UpdateDetails } from '../../domain/update.ts';
import { compareRpmVersions } from '../versions/rpm.ts';
import type { AdvisoryLine, Offer, Rename, RpmAnswer, StepIn } from './answer.ts';
import { idOf, newestFirst, sourceOf, type RpmPackage } from './installed.ts';

/**
 * Packages whose update takes effect at the next start of the host: those of needs-restarting(1) in dnf-plugins-core, and
 * kernels by their names.
 */
const needsReboot = new Set([
  'kernel',
  'kernel-core',
  'kernel-rt',
  'kernel-rt-core',
  'kernel-64k-core',
  'kernel-uek-core',
  'kernel-uek',
  ...['glibc', 'linux-firmware', 'systemd', 'dbus', 'dbus-broker', 'dbus-daemon', 'microcode_ctl'],
]);

/** Whether an update takes effect at the next start of the host. Kernels are reported by its family. */
export function takesEffectAtStart(name: string, own: ReadonlySet<string> = new Set()): boolean {
  return (needsReboot.has(name) || own.has(name)) && !name.startsWith('kernel');
}

/** What is known besides the one update that is read. */
interface Known {
  readonly manager: string;
  readonly locked: ReadonlySet<string>;
  readonly hidden: ReadonlySet<Offer>;
  /** The stream of a module that hides an offer. */
  readonly modules: ReadonlyMap<Offer, string>;
  readonly rebootNames: ReadonlySet<string>;
  /** What each package would replace, by its label; so are the others. */
  readonly renames: ReadonlyMap<string, readonly Rename[]>;
  readonly steps: ReadonlyMap<string, StepIn>;
  readonly offers: ReadonlyMap<string, readonly Offer[]>;
  readonly advisories: ReadonlyMap<string, readonly AdvisoryLine[]>;
  readonly withAdvisories: ReadonlySet<string>;
}

/** Every installed package with a newer version, and every one that another would replace. */
export function readUpdates(
  manager: string,
  answer: RpmAnswer,
  installed: ReadonlyMap<string, readonly RpmPackage[]>,
): readonly Update[] {
  const modules = new Map((answer.modular ?? []).map(({ offer, module }) => [offer, module]));
  const known: Known = {
    manager,
    locked: answer.locked,
    hidden: new Set([...answer.hidden, ...modules.keys()]),
    modules,
    rebootNames: answer.rebootNames ?? new Set(),
    renames: byLabel(answer.renames, ({ by }) => by),
    steps: new Map(answer.installs.map((step) => [packageLabel(step), step])),
    offers: byLabel([...answer.versions, ...answer.hidden, ...modules.keys()], (offer) => offer),
    advisories: byLabel(answer.advisories, (line) => line),
    withAdvisories: new Set(answer.repositories.filter((item) => item.hasAdvisories).map(({ id }) => id)),
  };
  const updates = new Map(
    [...known.offers.keys()].flatMap((label): [string, Update][] => {
      const [newest] = newestFirst(installed.get(label) ?? []);
      const update = newest === undefined ? undefined : updateOf(newest, label, known);
      return update === undefined ? [] : [[label, update]];
    }),
  );
  for (const rename of renamed(manager, answer, installed)) {
    const label = packageLabel(rename);
    if (!updates.has(label)) updates.set(label, rename);
  }
  return [...updates].toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([, update]) => update);
}

function byLabel<Item>(
  items: readonly Item[],
  named: (item: Item) => Pick<Offer, 'name' | 'arch'>,
): ReadonlyMap<string, readonly Item[]> {
  const found = new Map<string, Item[]>();
  for (const item of items) {
    const label = packageLabel(named(item));
    const list = found.get(label);
    if (list === undefined) found.set(label, [item]);
    else list.push(item);
  }
  return found;
}

function updateOf(current: RpmPackage, label: string, known: Known): Update | undefined {
  const { name, arch, evr: from } = current;
  const newer = (known.offers.get(label) ?? [])
    .filter(({ evr }) => compareRpmVersions(evr, from) > 0)
    .toSorted((left, right) => compareRpmVersions(right.evr, left.evr));
  const step = known.steps.get(label);
  const offer = newer.find(({ evr }) => evr === step?.to) ?? newer.find((item) => !known.hidden.has(item)) ?? newer[0];
  if (offer === undefined) return undefined;
  const to = offer.evr;
  const advisories = (known.advisories.get(label) ?? []).filter(
    ({ evr }) => compareRpmVersions(evr, from) > 0 && compareRpmVersions(evr, to) <= 0,
  );
  const securityTo = securityVersion(advisories, newer);
  const heldBack = heldBackOf(offer, label, known);
  return {
    ...idOf(known.manager, { name, arch }),
    ...(offer.isBeside ? { slot: to } : {}),
    from,
    to,
    origins: offer.repositories,
    class: classOf(advisories, offer, known),
    ...(securityTo === undefined || securityTo === to ? {} : { securityTo }),
    ...(heldBack === undefined ? {} : { heldBack }),
    isKernel: isForStart(name, known) || advisories.some(({ asksForReboot }) => asksForReboot === true),
    ...detailsOf(offer, advisories),
  };
}

function isForStart(name: string, { rebootNames }: Known): boolean {
  return needsReboot.has(name) || rebootNames.has(name);
}

/**
 * The oldest version on offer that has every security fix: what the advisory names, and not the newest, which
 * `dnf upgrade --security` and `zypper patch` may install.
 */
function securityVersion(advisories: readonly AdvisoryLine[], newer: readonly Offer[]): string | undefined {
  const fixed = advisories
    .filter(({ kind }) => kind === 'security')
    .map(({ evr }) => evr)
    .toSorted(compareRpmVersions)
    .at(-1);
  if (fixed === undefined) return undefined;
  return newer.findLast(({ evr }) => compareRpmVersions(evr, fixed) >= 0)?.evr;
}

/** `other` needs a repository that would say if it were a security update. */
function classOf(advisories: readonly AdvisoryLine[], offer: Offer, { withAdvisories }: Known): Update['class'] {
  if (advisories.some(({ kind }) => kind === 'security')) return 'security';
  return offer.repositories.some((id) => withAdvisories.has(id)) ? 'other' : 'unknown';
}

function heldBackOf(offer: Offer, label: string, known: Known): HeldBack | undefined {
  const module = known.modules.get(offer);
  if (module !== undefined) return { kind: 'module', module };
  if (known.hidden.has(offer)) return known.locked.has(offer.name) ? { kind: 'held' } : { kind: 'pinned' };
  if (known.steps.get(label)?.to === offer.evr) return undefined;
  const replaced = (known.renames.get(label) ?? []).filter(({ by }) => by.evr === offer.evr);
  if (replaced.length === 0) return { kind: 'unknown' };
  return { kind: 'needs-removal', packages: replaced.slice(0, 50).map(({ old }) => packageLabel(old)) };
}

const severities: readonly Severity[] = ['low', 'moderate', 'important', 'critical'];

/** Publishers write it as they like; Amazon's `medium` is the `moderate` of the others. */
function severityOf(word: string): Severity | undefined {
  const lower = word.toLowerCase();
  return severities.find((known) => known === (lower === 'medium' ? 'moderate' : lower));
}

function rankOf({ severity }: AdvisoryLine): number {
  const known = severityOf(severity);
  return known === undefined ? -1 : severities.indexOf(known);
}

function detailsOf(offer: Offer, advisories: readonly AdvisoryLine[]): UpdateDetails {
  const worst = advisories
    .filter(({ kind }) => kind === 'security')
    .toSorted((left, right) => rankOf(right) - rankOf(left))[0];
  const severity = worst === undefined ? undefined : severityOf(worst.severity);
  const cves = [...new Set(advisories.flatMap((item) => item.cves))].toSorted();
  return {
    ...sourceOf(offer.source, offer.name, offer.evr),
    ...(severity === undefined ? {} : { severity }),
    ...(worst === undefined || worst.severity === '' ? {} : { vendorSeverity: worst.severity }),
    ...(advisories.length === 0 ? {} : { advisories: advisories.map(advisoryOf) }),
    ...(cves.length === 0 ? {} : { cves }),
    ...(offer.size === 0 ? {} : { sizeBytes: offer.size }),
  };
}

function advisoryOf({ id, kind, issuedMs }: AdvisoryLine): Advisory {
  return { id, kind, ...(issuedMs === undefined ? {} : { issuedMs }) };
}

/** An installed package that one of another name would replace: it would be removed, which is refused. */
function renamed(
  manager: string,
  answer: RpmAnswer,
  installed: ReadonlyMap<string, readonly RpmPackage[]>,
): readonly Update[] {
  return answer.renames.flatMap(({ old, by }): Update[] => {
    const [current] = newestFirst(installed.get(packageLabel(old)) ?? []);
    const isOwnUpdate = installed.has(packageLabel(by));
    if (current === undefined || isOwnUpdate || current.evr === by.evr) return [];
    return [
      {
        ...idOf(manager, old),
        from: current.evr,
        to: by.evr,
        origins: [by.repository].filter(Boolean),
        class: 'unknown',
        title: `replaced by ${by.name}`,
        heldBack: { kind: 'needs-removal', packages: [packageLabel(old)] },
        isKernel: false,
      },
    ];
  });
}
