import { FettleError } from '../../domain/error.ts';
import type { JobResult } from '../../domain/job.ts';
import type { UpdateResult, UpdateState } from '../../domain/outcome.ts';
import type { PlannedUpdate } from '../../domain/plan.ts';
import { findPackage, packageKey } from '../../domain/update.ts';
import { describeHResult } from './hresult.ts';
import { numberAt, objectsAt, parseHostJson, textAt } from '../contract/json.ts';
import type { HostObject } from '../contract/json.ts';
import { readWindowsUpdateScan } from './records.ts';
import type { WindowsUpdateRecord, WindowsUpdateScan } from './records.ts';

/** How one update went, as the job reports it, by `id.revision`. */
interface ItemResult {
  readonly outcome: string;
  readonly words: string;
  /** HRESULT of the download or the installation that failed; empty where none did. */
  readonly code: string;
}

/**
 * What was installed, from a search after the installation: an update that reports success and is still offered
 * without waiting for a restart did not.
 */
export function readWindowsInstall(
  result: JobResult,
  planned: readonly PlannedUpdate[],
  attempted: readonly PlannedUpdate[],
): readonly UpdateResult[] {
  const report = result.sections['results'];
  if (report === undefined) throw new FettleError('parse', 'the result of the install has no list of updates');
  const items = readItems(parseHostJson(report, 'list of results'));
  const after = readAfter(result.sections['after']);
  const tried = new Set(attempted.map(packageKey));
  return planned.map((item) => {
    const update = findPackage(attempted, packageKey(item)) ?? item;
    return toResult(update, tried.has(packageKey(item)) ? items.get(`${update.arch}.${update.to}`) : undefined, after);
  });
}

/** A search that fails right after an installation, often because a restart is due, takes nothing from its result. */
function readAfter(text: string | undefined): WindowsUpdateScan | undefined {
  if (text === undefined) return undefined;
  try {
    return readWindowsUpdateScan(text);
  } catch (error) {
    if (error instanceof FettleError && error.code !== 'parse') return undefined;
    throw error;
  }
}

function readItems(report: HostObject): ReadonlyMap<string, ItemResult> {
  const items = new Map<string, ItemResult>();
  for (const item of objectsAt(report, 'items')) {
    const code = textAt(item, 'installError') || textAt(item, 'downloadError');
    const key = `${textAt(item, 'id').toLowerCase()}.${numberAt(item, 'revision') ?? ''}`;
    items.set(key, { outcome: textAt(item, 'outcome'), words: textAt(item, 'words'), code });
  }
  for (const item of objectsAt(report, 'already')) {
    const key = `${textAt(item, 'id').toLowerCase()}.${numberAt(item, 'revision') ?? ''}`;
    items.set(key, { outcome: 'already', words: '', code: '' });
  }
  for (const item of objectsAt(report, 'renewed')) {
    const key = `${textAt(item, 'id').toLowerCase()}.${numberAt(item, 'revision') ?? ''}`;
    items.set(key, { outcome: 'renewed', words: 'its publisher replaced it before it could be installed', code: '' });
  }
  return items;
}

function toResult(
  update: PlannedUpdate,
  item: ItemResult | undefined,
  after: WindowsUpdateScan | undefined,
): UpdateResult {
  const { manager, name, arch, from, to } = update;
  const state = stateOf(update, item, after);
  const isIn = state === 'installed' || state === 'already';
  const message = isIn ? undefined : messageOf(item, state);
  const base = { manager, name, arch, from, to, now: isIn ? to : nowOf(update, after), state };
  return message === undefined ? base : { ...base, message };
}

function stateOf(
  update: PlannedUpdate,
  item: ItemResult | undefined,
  after: WindowsUpdateScan | undefined,
): UpdateState {
  const isIn = after === undefined ? undefined : isInstalled(update, after);
  switch (item?.outcome) {
    case 'pending-reboot':
      return 'installed';
    case 'installed':
      return isStillOffered(update, after) ? 'failed' : 'installed';
    case 'already':
      return 'already';
    case 'downloaded':
      return isIn === true ? 'already' : 'downloaded';
    case 'not-applicable':
      // Something newer that went in before stands for it.
      return isIn === true ? 'installed' : 'superseded';
    case 'renewed':
      return isIn === true ? 'installed' : 'superseded';
    case 'failed':
      return isIn === true ? 'installed' : 'failed';
    default:
      return isIn === true ? 'already' : 'not-installed';
  }
}

function isInstalled(update: PlannedUpdate, after: WindowsUpdateScan): boolean {
  const isSame = (record: { id: string; revision: number }): boolean =>
    record.id === update.arch && String(record.revision) === update.to;
  const [installed, offered] = [withId(after.installed, update.arch), withId(after.offered, update.arch)];
  return installed.some(isSame) || offered.some((record) => record.isPending && isSame(record));
}

function isStillOffered(update: PlannedUpdate, after: WindowsUpdateScan | undefined): boolean {
  if (after === undefined) return false;
  return withId(after.offered, update.arch).some(
    (record) => !record.isPending && String(record.revision) === update.to,
  );
}

const indexes = new WeakMap<readonly WindowsUpdateRecord[], ReadonlyMap<string, readonly WindowsUpdateRecord[]>>();

/** Records of one update; the list is grouped once, however many updates ask. */
function withId(records: readonly WindowsUpdateRecord[], id: string): readonly WindowsUpdateRecord[] {
  const index = indexes.get(records) ?? Map.groupBy(records, (record) => record.id);
  indexes.set(records, index);
  return index.get(id) ?? [];
}

function nowOf(update: PlannedUpdate, after: WindowsUpdateScan | undefined): string | null {
  if (after === undefined) return null;
  const [found] = withId(after.installed, update.arch);
  return found === undefined ? null : String(found.revision);
}

function messageOf(item: ItemResult | undefined, state: UpdateState): string | undefined {
  if (item === undefined) return undefined;
  if (state === 'failed' && item.outcome === 'installed') return 'it said that it succeeded and is still on offer';
  const known = describeHResult(item.code);
  if (known === undefined) return item.words === '' ? undefined : item.words;
  const name = known.name === '' ? '' : ` ${known.name}`;
  return `${known.code}${name}: ${known.meaning}; ${known.remedy}`;
}
