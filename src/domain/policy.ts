import { firstGlob, firstGlobInAnyCase } from './glob.ts';
import type { LeftOut, PlannedUpdate } from './plan.ts';
import type { Policy, UpdateRule } from './playbook.ts';
import { ruleText } from './rule-text.ts';
import type { HostScan } from './scan.ts';
import { heldBackRefusal, heldBackText, type HeldBack } from './held-back.ts';
import type { PackageId, Update, UpdateClass, UpdateDetails } from './update.ts';
import { detailsOf, packageKey } from './update.ts';

/** An update to be installed, before the host's package manager has simulated it. */
export type WantedUpdate = Omit<PlannedUpdate, 'from' | 'untried'> & {
  readonly from: string;
  readonly heldBack?: HeldBack;
};

export interface Selection {
  readonly wanted: readonly WantedUpdate[];
  /** Every other update the host knows, each with a reason for an auditor. */
  readonly leftOut: readonly LeftOut[];
}

/** One version of a package that could be installed; rules are matched against its `class`. */
interface Offer {
  readonly to: string;
  readonly class: UpdateClass;
  /** True: a newer candidate hides the version that closes the hole. */
  readonly isBehind: boolean;
  readonly heldBack?: HeldBack;
}

/** How a package manager treats the names of packages. */
export interface NameSettings {
  /** `kb5034441` means KB5034441. */
  readonly isCaseIgnored?: boolean;
}

type FirstName = typeof firstGlob;

interface Rules extends Policy {
  readonly firstName: FirstName;
}

function namesOf({ isCaseIgnored }: NameSettings): FirstName {
  return isCaseIgnored === true ? firstGlobInAnyCase : firstGlob;
}

type Choice = { readonly offer: Offer; readonly reason: string } | { readonly refusal: string };

/**
 * What the policy takes of the updates of one package manager. Holds of the host and of `patch_hold` come first, then `exclude`, then `include`
 * (empty = everything), then what the package manager itself keeps back. Where only the security version is wanted and
 * a newer candidate hides it, the security version is taken.
 */
export function selectUpdates(
  scan: Pick<HostScan, 'updates' | 'packages'>,
  policy: Policy,
  patchHold: readonly string[],
  names: NameSettings = {},
): Selection {
  const held = new Set(scan.packages.filter((item) => item.isHeld === true).map(packageKey));
  const rules = { ...policy, firstName: namesOf(names) };
  const wanted: WantedUpdate[] = [];
  const leftOut: LeftOut[] = [];
  for (const update of scan.updates) {
    const hold = hostHold(update, held) ?? inventoryHold(update, patchHold, rules.firstName);
    const choice = hold === undefined ? choose(update, rules) : { refusal: hold };
    if ('refusal' in choice) {
      leftOut.push(leaveOut(update, choice.refusal));
      continue;
    }
    wanted.push(wantedOf(update, choice.offer, choice.reason));
    if (choice.offer.to !== update.to) leftOut.push(narrowed(update, choice.offer));
  }
  return { wanted, leftOut };
}

function wantedOf(update: Update, offer: Offer, reason: string): WantedUpdate {
  const { from, isKernel } = update;
  // The candidate that hides a security version closes the hole too.
  const offered = update.securityTo === undefined ? offer.class : 'security';
  return {
    ...idOf(update),
    // What is installed beside others of its name is known by its version.
    ...(update.slot === undefined ? {} : { slot: offer.to }),
    from,
    to: offer.to,
    class: offered,
    origins: offer.isBehind ? [] : update.origins,
    isKernel,
    ...detailsOf(offer.isBehind ? withoutVersion(update) : update),
    reason,
    ...(offer.heldBack === undefined ? {} : { heldBack: offer.heldBack }),
  };
}

function idOf({ manager, name, arch, slot }: PackageId): PackageId {
  return { manager, name, arch, ...(slot === undefined ? {} : { slot }) };
}

/** What is known of the candidate alone does not apply to the version behind it. */
function withoutVersion({ sourceVersion: _version, sizeBytes: _size, ...update }: Update): UpdateDetails {
  return update;
}

/** An update that waits, and why. */
export function leaveOut(
  update: PackageId & UpdateDetails & Pick<Update, 'from' | 'to' | 'class' | 'heldBack'>,
  reason: string,
): LeftOut {
  const { from, to, heldBack } = update;
  return {
    ...idOf(update),
    from,
    to,
    class: update.class,
    ...detailsOf(update),
    reason,
    ...(heldBack === undefined ? {} : { heldBack }),
  };
}

/** The newer version that waits because its security version is installed first. */
function narrowed(update: Update, offer: Offer): LeftOut {
  const why = update.heldBack === undefined ? 'only the security version is wanted' : heldBackText(update.heldBack);
  return { ...leaveOut(update, `${why}; ${offer.to} is installed instead`), from: offer.to, class: 'other' };
}

function hostHold(update: Update, held: ReadonlySet<string>): string | undefined {
  if (update.heldBack?.kind === 'held' || held.has(packageKey(update))) {
    return heldBackText({ kind: 'held' });
  }
  return undefined;
}

function inventoryHold(update: Update, patchHold: readonly string[], firstName: FirstName): string | undefined {
  const glob = firstName(patchHold, update.name);
  return glob === undefined ? undefined : `held by patch_hold (${glob}) in the inventory`;
}

/** Best first: the candidate, then the security version behind it. */
function offersOf(update: Update): readonly Offer[] {
  const held = update.heldBack === undefined ? {} : { heldBack: update.heldBack };
  if (update.securityTo === undefined || update.securityTo === update.to) {
    const isSecurity = update.securityTo === update.to;
    return [{ to: update.to, class: isSecurity ? 'security' : update.class, isBehind: false, ...held }];
  }
  // A pin is the administrator's own decision and holds for every version; the other reasons are the candidate's alone.
  const behind = update.heldBack?.kind === 'pinned' ? held : {};
  return [
    { to: update.to, class: 'other', isBehind: false, ...held },
    { to: update.securityTo, class: 'security', isBehind: true, ...behind },
  ];
}

function choose(update: Update, policy: Rules): Choice {
  const refusals: string[] = [];
  for (const offer of offersOf(update)) {
    const choice = judgeOffer(update, offer, policy);
    if ('offer' in choice) return choice;
    if (!refusals.includes(choice.refusal)) refusals.push(choice.refusal);
  }
  return { refusal: refusals.join(`; security version ${update.securityTo ?? ''}: `) };
}

function judgeOffer(update: Update, offer: Offer, policy: Rules): Choice {
  const excluded = policy.exclude.find((rule) => matchesRule(rule, update, offer.class, policy.firstName));
  if (excluded !== undefined) return { refusal: `excluded by the playbook (${ruleText(excluded)})` };
  if (policy.securityOnly && offer.class !== 'security') return { refusal: notSecurity(offer.class) };
  const included = policy.include.find((rule) => matchesRule(rule, update, offer.class, policy.firstName));
  if (included === undefined && policy.include.length > 0) return { refusal: notIncluded(offer.class, policy.include) };
  const refusal = isNamed(update, offer, policy) ? undefined : refusedHold(offer.heldBack, policy);
  if (refusal !== undefined) return { refusal };
  return { offer, reason: includedReason(offer, included) };
}

function includedReason(offer: Offer, rule: UpdateRule | undefined): string {
  const hidden = offer.isBehind ? ' (behind a newer candidate)' : '';
  if (offer.class === 'security') return `security${hidden}`;
  return rule === undefined ? 'every update is wanted' : `included by the playbook (${ruleText(rule)})`;
}

function notSecurity(offered: UpdateClass): string {
  return offered === 'unknown'
    ? 'no security source on this host classifies this update; only security updates are wanted'
    : 'not a security update; only security updates are wanted';
}

function notIncluded(offered: UpdateClass, rules: readonly UpdateRule[]): string {
  const wanted = rules.map(ruleText).join(' or ');
  const unknown = offered === 'unknown' ? '; no security source on this host classifies it' : '';
  return `not included by the playbook (wants ${wanted})${unknown}`;
}

/** The globs of a rule are matched against the name and, for updates that have one, the id of the update. */
function matchesRule(
  rule: UpdateRule,
  update: Pick<Update, 'manager' | 'name' | 'arch' | 'title' | 'classification' | 'severity' | 'vendorSeverity'>,
  offered: UpdateClass,
  firstName: FirstName = firstGlob,
): boolean {
  const { managers, packages, titles, classifications, severities } = rule;
  const isOfClass = rule.class === undefined || rule.class === 'any' || rule.class === offered;
  return (
    isOfClass &&
    (managers === undefined || managers.includes(update.manager)) &&
    (packages === undefined || isNamedBy(packages, update, firstName)) &&
    (titles === undefined || matchesAny(titles, update.title)) &&
    (classifications === undefined || matchesAny(classifications, update.classification)) &&
    (severities === undefined ||
      matchesAny(severities, update.severity) ||
      matchesAny(severities, update.vendorSeverity))
  );
}

function isNamedBy(
  globs: readonly string[],
  { name, arch }: Pick<Update, 'name' | 'arch'>,
  firstName: FirstName,
): boolean {
  const isId = /^[0-9a-f]{8}-/.test(arch) && globs.some((glob) => glob.toLowerCase() === arch);
  return isId || firstName(globs, name) !== undefined;
}

/** What the update does not have matches nothing. */
function matchesAny(globs: readonly string[], text: string | undefined): boolean {
  return text !== undefined && firstGlobInAnyCase(globs, text) !== undefined;
}

/** What is excluded by default is installed where a rule that includes it names it closely enough. */
function isNamed(update: Update, offer: Offer, policy: Rules): boolean {
  const { heldBack } = offer;
  if (heldBack?.kind !== 'excluded') return false;
  const rules = policy.include.filter((rule) => matchesRule(rule, update, offer.class, policy.firstName));
  const patterns = rules.flatMap((rule) => rule.packages ?? []);
  const isKindNamed = rules.some((rule) => rule.classifications?.includes(update.classification ?? '') === true);
  // Whoever includes the classification means it, where that alone keeps the update out.
  if (isKindNamed && ['driver', 'definition'].includes(update.classification ?? '')) return true;
  const names = heldBack.unless === 'id' ? [update.arch] : [update.arch, update.name];
  if (patterns.some((pattern) => names.some((name) => name.toLowerCase() === pattern.toLowerCase()))) return true;
  // A pattern of nothing but wildcards names nothing.
  const words = patterns.filter((pattern) => /[a-z0-9]/i.test(pattern));
  const isManagerNamed = rules.some((rule) => rule.managers !== undefined && rule.packages === undefined);
  return heldBack.unless === 'pattern' && (isManagerNamed || policy.firstName(words, update.name) !== undefined);
}

/** Why the policy does not override that the package manager keeps it back; undefined = it may be installed. */
function refusedHold(heldBack: HeldBack | undefined, policy: Policy): string | undefined {
  if (heldBack === undefined) return undefined;
  if (heldBack.kind === 'phased' && policy.includePhased) return undefined;
  if (heldBack.kind === 'needs-new' && policy.newPackages === 'allow') return undefined;
  return heldBackRefusal(heldBack);
}
