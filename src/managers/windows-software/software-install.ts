import { FettleError } from '../../domain/error.ts';
import type { JobResult } from '../../domain/job.ts';
import type { UpdateResult, UpdateState } from '../../domain/outcome.ts';
import type { PlannedUpdate } from '../../domain/plan.ts';
import { findPackage, packageKey } from '../../domain/update.ts';
import { numberAt, objectsAt, parseHostJson, textAt } from '../contract/json.ts';
import { formatStatus, readSoftwareLists, type ListFormat } from './software-lists.ts';

/** How one package went, as the job reports it. */
interface ItemResult {
  readonly outcome: string;
  readonly message: string;
}

/** Versions by the name in lower case; undefined where the lists after the job are not whole. */
type Versions = ReadonlyMap<string, string> | undefined;

/**
 * What went in, read back from the list of installed packages after the job: one that reports success and stands at
 * another version did not. Where there is no such list the job is believed.
 */
export function readSoftwareInstall(
  result: JobResult,
  format: ListFormat,
  planned: readonly PlannedUpdate[],
  attempted: readonly PlannedUpdate[],
): readonly UpdateResult[] {
  const report = result.sections['results'];
  if (report === undefined) throw new FettleError('parse', 'the result of the install has no list of packages');
  const items = readItems(report);
  const versions = readVersions(result.sections['after'], format);
  const tried = new Set(attempted.map(packageKey));
  return planned.map((item) => {
    const update = findPackage(attempted, packageKey(item)) ?? item;
    return toResult(update, tried.has(packageKey(item)) ? items.get(update.name.toLowerCase()) : undefined, versions);
  });
}

function readItems(report: string): ReadonlyMap<string, ItemResult> {
  const items = objectsAt(parseHostJson(report, 'list of results'), 'items').map((item) => {
    const [outcome, words] = [textAt(item, 'outcome'), textAt(item, 'words')];
    const status = outcome === 'failed' ? `status ${formatStatus(numberAt(item, 'code') ?? 0)}` : '';
    return [textAt(item, 'name').toLowerCase(), { outcome, message: words === '' ? status : words }] as const;
  });
  return new Map(items);
}

function readVersions(text: string | undefined, format: ListFormat): Versions {
  if (text === undefined) return undefined;
  try {
    const { packages, warnings } = readSoftwareLists(text, format);
    return warnings.length > 0 ? undefined : new Map(packages.map((item) => [item.name.toLowerCase(), item.version]));
  } catch (error) {
    if (error instanceof FettleError && error.code === 'timeout') return undefined;
    throw error;
  }
}

function toResult(update: PlannedUpdate, item: ItemResult | undefined, versions: Versions): UpdateResult {
  const { manager, name, arch, from, to } = update;
  const found = versions?.get(name.toLowerCase()) ?? null;
  const state = stateOf(item, versions === undefined ? undefined : found === to);
  const now = state === 'installed' || state === 'already' ? to : found;
  const message = messageOf(item, state, now);
  return { manager, name, arch, from, to, now, state, ...(message === undefined ? {} : { message }) };
}

/** `isIn`: undefined where it cannot be read back. */
function stateOf(item: ItemResult | undefined, isIn: boolean | undefined): UpdateState {
  switch (item?.outcome) {
    case 'installed':
      return isIn === false ? 'failed' : 'installed';
    case 'failed':
      return isIn === true ? 'installed' : 'failed';
    default:
      return isIn === true ? 'already' : 'not-installed';
  }
}

function messageOf(item: ItemResult | undefined, state: UpdateState, now: string | null): string | undefined {
  if (state === 'installed' || state === 'already') return undefined;
  if (item?.outcome === 'installed') return `it reported success and is at ${now ?? 'no version'}`;
  return item === undefined || item.message === '' ? undefined : item.message;
}
