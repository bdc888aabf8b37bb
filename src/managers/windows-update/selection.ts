import type { HeldBack } from '../../domain/held-back.ts';
import type { Advisory, Severity, Update, UpdateClass, UpdateDetails } from '../../domain/update.ts';
import { packageKey } from '../../domain/update.ts';
import type { WindowsUpdateRecord, WindowsUpdateScan } from './records.ts';

/** Definitions of Defender and its platform: new ones several times a day, outside of every plan. */
const definitions = new Set(['2267602', '4052623', '5007651', '2461484', '2310138']);
/** They fail wherever the recovery partition is too small, on most hosts. */
const needRecoveryRoom = new Set(['5034439', '5034440', '5034441']);

/** The KB number where there is one; a driver has none and is named by its id. */
export function nameOf(record: WindowsUpdateRecord): string {
  const [kb] = record.kb;
  return kb === undefined ? record.id : `KB${kb}`;
}

export function isDefinition(record: WindowsUpdateRecord): boolean {
  return record.classification === 'definition' || record.kb.some((kb) => definitions.has(kb));
}

/** `KB2267602` and its like. */
export function isDefinitionName(name: string): boolean {
  return definitions.has(name.replace(/^KB/, ''));
}

/** Every update that is offered and not installed already, with what keeps it out by default. */
export function readWindowsUpdates(scan: WindowsUpdateScan): readonly Update[] {
  const newest = new Map<string, WindowsUpdateRecord>();
  for (const record of scan.offered) {
    const known = newest.get(record.id);
    if (!record.isPending && (known === undefined || known.revision < record.revision)) newest.set(record.id, record);
  }
  const successors = successorsOf(scan.offered);
  return [...newest.values()]
    .map((record) => toUpdate(record, scan.source.name, successors.get(record.id)))
    .sort((left, right) => (packageKey(left) < packageKey(right) ? -1 : 1));
}

/**
 * What replaces an update, by its id, and goes in by default. A server that never declines the old ones offers both; the
 * new one holds all of the old. A security update is replaced by a security update alone: a playbook may want nothing else.
 */
function successorsOf(offered: readonly WindowsUpdateRecord[]): ReadonlyMap<string, readonly WindowsUpdateRecord[]> {
  const pairs = offered
    .filter((record) => heldBackOf(record) === undefined)
    .flatMap((record) => record.supersedes.map((id) => ({ id, record })));
  return new Map([...Map.groupBy(pairs, ({ id }) => id)].map(([id, group]) => [id, group.map(({ record }) => record)]));
}

function toUpdate(
  record: WindowsUpdateRecord,
  source: string,
  successors: readonly WindowsUpdateRecord[] = [],
): Update {
  const successor = successors.find((one) => one.id !== record.id && replaces(one, record));
  const heldBack =
    heldBackOf(record) ?? (successor === undefined ? undefined : excluded(`${nameOf(successor)} replaces it`));
  return {
    manager: 'windows-update',
    name: nameOf(record),
    arch: record.id,
    from: '',
    to: String(record.revision),
    origins: [source],
    class: classOf(record),
    ...(heldBack === undefined ? {} : { heldBack }),
    isKernel: record.rebootBehavior === 1 || isCumulative(record),
    ...readDetails(record),
    isDownloaded: record.isDownloaded,
  };
}

const severities: ReadonlyMap<string, Severity> = new Map(
  (['critical', 'important', 'moderate', 'low'] as const).map((word) => [word, word]),
);

function readDetails(record: WindowsUpdateRecord): UpdateDetails {
  const { title, severity: vendorSeverity, classification, sizeMax, cves } = record;
  const severity = severities.get(vendorSeverity.toLowerCase());
  const advisories = advisoriesOf(record);
  return {
    ...(title === '' ? {} : { title }),
    ...(severity === undefined ? {} : { severity }),
    ...(vendorSeverity === '' ? {} : { vendorSeverity }),
    ...(advisories.length === 0 ? {} : { advisories }),
    ...(cves.length === 0 ? {} : { cves }),
    ...(classification === '' ? {} : { classification }),
    ...(sizeMax === undefined ? {} : { sizeBytes: sizeMax }),
  };
}

/** Microsoft calls `critical` what mends a fault that is critical and no matter of security. */
const advisoryKinds: ReadonlyMap<string, Advisory['kind']> = new Map([
  ['critical', 'bugfix'],
  ['rollup', 'bugfix'],
  ['update', 'bugfix'],
  ['upgrade', 'enhancement'],
  ['feature-pack', 'enhancement'],
  ['service-pack', 'enhancement'],
]);

/** Each KB number is an article of Microsoft's. */
function advisoriesOf(record: WindowsUpdateRecord): readonly Advisory[] {
  const kind = classOf(record) === 'security' ? 'security' : (advisoryKinds.get(record.classification) ?? 'other');
  const issued = record.publishedMs === undefined ? {} : { issuedMs: record.publishedMs };
  return record.kb.map((kb) => ({ id: `KB${kb}`, kind, ...issued, url: `https://support.microsoft.com/help/${kb}` }));
}

/** The large updates of Windows itself may require a restart and always do; a hotpatch reports 0 and does not. */
function isCumulative(record: WindowsUpdateRecord): boolean {
  return (
    record.rebootBehavior === 2 && ['security', 'critical', 'upgrade', 'service-pack'].includes(record.classification)
  );
}

function replaces(successor: WindowsUpdateRecord, record: WindowsUpdateRecord): boolean {
  return classOf(record) !== 'security' || classOf(successor) === 'security';
}

/** By the identity of the classification, and by the publisher's own severity; names are in the host's language. */
function classOf(record: WindowsUpdateRecord): UpdateClass {
  if (record.classification === 'security' || record.severity !== '' || record.cves.length > 0) return 'security';
  return record.classification === '' ? 'unknown' : 'other';
}

function excluded(reason: string, unless: 'pattern' | 'name' | 'id' = 'name'): HeldBack {
  return { kind: 'excluded', reason, unless };
}

/**
 * What does not go in unless it is named. A feature upgrade only by its id: its KB number may be another update's too,
 * as in late 2024, when a server upgrade came in under the number of an ordinary update.
 */
function heldBackOf(record: WindowsUpdateRecord): HeldBack | undefined {
  if (isUpgrade(record)) return excluded('a feature upgrade, only by its update id', 'id');
  if (record.isHidden) return excluded('hidden on the host by its administrator');
  if (record.type === 2 || record.classification === 'driver') return excluded('a driver');
  if (record.deploymentAction === 2) return excluded('it would remove an update', 'id');
  if (record.isPerUser) return excluded('it is for one user, not for the host');
  if (record.isBeta) return excluded('a beta version');
  if (isPreview(record)) return excluded('an optional or preview update');
  if (record.asksQuestions) return excluded('it may ask questions while it installs');
  if (isDefinition(record)) return excluded('definitions renew themselves several times a day');
  if (record.kb.some((kb) => needRecoveryRoom.has(kb)))
    return excluded('it fails where the recovery partition is small');
  return isUnclear(record)
    ? excluded(`the host could not determine its type (${record.readErrors.join(', ') || 'no type'})`)
    : undefined;
}

/** English titles only, so behind the classification; many ordinary titles end in the name of a Windows. */
function isUpgrade({ classification, title }: WindowsUpdateRecord): boolean {
  return classification === 'upgrade' || /^(Feature update|Upgrade) to\b|^Windows Server 20\d\d\b/i.test(title);
}

function isPreview({ isOptional, deploymentAction, title }: WindowsUpdateRecord): boolean {
  return isOptional || deploymentAction === 4 || /\bPreview\b/i.test(title);
}

/** Something that decides about it could not be read. */
function isUnclear({ readErrors, classification, type }: WindowsUpdateRecord): boolean {
  if (readErrors.length === 0) return type === undefined;
  const decisive =
    /^(Categories|CategoryID|Type|DeploymentAction|BrowseOnly|IsBeta|IsHidden|IsInstalled|InstallationBehavior|CanRequestUserInput|PerUser)\b/;
  return classification === 'unknown' || readErrors.some((error) => decisive.test(error));
}
