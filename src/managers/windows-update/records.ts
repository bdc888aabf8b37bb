import { FettleError } from '../../domain/error.ts';
import { describeHResult } from './hresult.ts';
import { isAt, momentAt, numberAt, objectAt, objectsAt, parseHostJson, textAt, textsAt } from '../contract/json.ts';
import type { HostObject } from '../contract/json.ts';
import { readHistory } from './history.ts';
import type { WindowsHistoryEntry } from './history.ts';
import { noAdministrator } from '../family/windows-refusals.ts';

/** One update as the Windows Update Agent reports it; what it does not report is absent. */
export interface WindowsUpdateRecord {
  /** GUID, lower case. */
  readonly id: string;
  readonly revision: number;
  readonly title: string;
  /** Digits only. */
  readonly kb: readonly string[];
  readonly classification: string;
  readonly severity: string;
  readonly cves: readonly string[];
  /** Ids of the updates that it replaces, lower case. */
  readonly supersedes: readonly string[];
  /** 1 software, 2 driver. */
  readonly type: number | undefined;
  /** Bytes at most. */
  readonly sizeMax: number | undefined;
  readonly publishedMs: number | undefined;
  /** DeploymentAction of wuapi.h: 1 installation, 2 uninstallation, 3 detection; 4 optional installation. */
  readonly deploymentAction: number | undefined;
  /** InstallationRebootBehavior: 0 never, 1 always, 2 may. */
  readonly rebootBehavior: number | undefined;
  /** InstallationImpact: 2 goes in alone. */
  readonly impact: number | undefined;
  readonly isDownloaded: boolean;
  readonly isHidden: boolean;
  readonly isBeta: boolean;
  readonly isOptional: boolean;
  readonly isPerUser: boolean;
  readonly asksQuestions: boolean;
  /** Installed already, waits for a restart. */
  readonly isPending: boolean;
  /** Properties that could not be read. */
  readonly readErrors: readonly string[];
}

/** What one search brought. */
export interface WindowsUpdateScan {
  /** When its source was queried; a search on the host alone gives the time of the query before. */
  readonly fetchedMs: number | undefined;
  readonly offered: readonly WindowsUpdateRecord[];
  readonly installed: readonly WindowsUpdateRecord[];
  /** False: the search for installed updates failed, so that the list is no answer. */
  readonly isInstalledKnown: boolean;
  readonly history: readonly WindowsHistoryEntry[];
  /** What the search reports about itself: updates may be missing because of each. */
  readonly warnings: readonly string[];
  /** Why the search ran in the session and not as SYSTEM; absent: it did not. */
  readonly taskProblem?: string;
  /** Updates that could not be identified and are not among the others. */
  readonly dropped: number;
  readonly rebootRequired: boolean;
  readonly agentVersion: string;
  readonly source: { readonly name: string; readonly isOffline: boolean };
}

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** ServerSelection of wuapi.h, and the service that it means. */
const windowsUpdateOnly = 2;
const windowsUpdateService = '9482f4b4-e343-43b6-b170-9a65bc822c77';
/** More than any host is offered; beyond it the answer is refused. */
const mostUpdates = 20_000;

/** What else the probe reports: refused access, and the update source that the policy sets. */
export interface SearchBackground {
  readonly user?: string;
  readonly updateServer?: string;
}

/**
 * The section `windows-update`. A search that failed, or has not ended, is an error: no answer never means no updates.
 * `background` is asked only then.
 */
export function readWindowsUpdateScan(
  text: string,
  background: () => SearchBackground = () => ({}),
): WindowsUpdateScan {
  const record = parseHostJson(text, 'list of updates');
  refuseUnfinished(record, background);
  const offered = objectsAt(record, 'updates');
  const installed = objectsAt(record, 'installed');
  if (offered.length + installed.length > mostUpdates) {
    throw new FettleError('parse', `the host lists ${offered.length + installed.length} updates, which no host has`);
  }
  const [known, there] = [offered.flatMap(readUpdate), installed.flatMap(readUpdate)];
  const warnings = objectsAt(record, 'warnings');
  const agent = objectAt(record, 'agent');
  const taskProblem = textAt(record, 'taskProblem');
  return {
    fetchedMs: momentAt(record, 'fetched'),
    offered: known,
    installed: there,
    isInstalledKnown: numberAt(record, 'resultCode') === 2 && !warnings.some(isAboutInstalled),
    history: objectsAt(record, 'history').flatMap(readHistory),
    warnings: [...resultWarning(record), ...new Set(warnings.map(describeWarning))],
    ...(taskProblem === '' ? {} : { taskProblem }),
    dropped: offered.length - known.length,
    rebootRequired: isAt(agent, 'rebootRequired'),
    agentVersion: textAt(agent, 'version'),
    source: readSource(objectAt(record, 'source')),
  };
}

function refuseUnfinished(record: HostObject, background: () => SearchBackground): void {
  const phase = textAt(record, 'phase');
  switch (phase) {
    case 'done':
      break;
    case 'denied':
      throw noAdministrator(background().user);
    case 'running':
      throw new FettleError('timeout', 'Windows Update is still searching on it', {
        hint: 'scan again in some minutes: the search continues, and the next scan takes its answer',
      });
    default: {
      const why = textAt(record, 'why');
      const said = why === '' ? '' : `: ${why}`;
      throw new FettleError('command', `the search for updates ended without an answer${said}`, {
        hint: why.includes('ScriptContainedMaliciousContent')
          ? 'the antivirus of the host stops it: allow the task fettle-scan'
          : 'check the scheduled task fettle-scan and its history on the host',
      });
    }
  }
  const failure = objectAt(record, 'failure');
  if (Object.keys(failure).length > 0) throw searchFailed(failure, background);
  refuseFailedResult(record, background);
  if (isAt(record, 'isBlind')) {
    throw new FettleError('command', 'Windows Update answers with empty objects, a defect of its agent', {
      hint: 'install the newest cumulative update (KB5040527 or later) by hand once',
    });
  }
}

function searchFailed(failure: HostObject, background: () => SearchBackground): FettleError {
  const known = describeHResult(textAt(failure, 'code'));
  const said = textAt(failure, 'message');
  const what = known === undefined ? `${textAt(failure, 'code')} ${said}` : `${known.code} ${known.meaning}`;
  return new FettleError('command', `the search for updates failed: ${what}`, {
    hint: `${known?.class === 'network' ? ask(background().updateServer) : ''}${known?.remedy ?? 'check the log with Get-WindowsUpdateLog on the host'}`,
    details: { hresult: textAt(failure, 'code'), said },
  });
}

/** OperationResultCode of wuapi.h, of results that are none; 2 succeeded, 3 succeeded with errors. */
const failedResults: Readonly<Record<number, string>> = {
  0: 'was not started',
  1: 'is still in progress',
  4: 'failed',
  5: 'was aborted',
};

/** A search that failed finds nothing, and nothing found then never means that nothing is missing. */
function refuseFailedResult(record: HostObject, background: () => SearchBackground): void {
  const code = numberAt(record, 'resultCode');
  const how = code === undefined ? undefined : failedResults[code];
  if (how === undefined) return;
  const first = objectsAt(record, 'warnings').find((warning) => describeHResult(textAt(warning, 'code')));
  if (first !== undefined) throw searchFailed(first, background);
  throw new FettleError('command', `the search for updates ${how} (result ${code})`, {
    hint: 'check the log with Get-WindowsUpdateLog on the host, then scan it again',
    details: { resultCode: code },
  });
}

function resultWarning(record: HostObject): string[] {
  const code = numberAt(record, 'resultCode');
  if (code === 2) return [];
  if (code === 3) return ['the search for updates succeeded with errors (result 3): updates may be missing'];
  return ['the search for updates reports no result code: updates may be missing'];
}

function isAboutInstalled(warning: HostObject): boolean {
  return textAt(warning, 'context') === 'installed';
}

function ask(server: string | undefined): string {
  return server === undefined ? '' : `can the host reach its update server ${server} (policy WUServer)? Otherwise `;
}

/** Nothing without an identity can be installed; such an object is counted, not listed as an update. */
function readUpdate(record: HostObject): WindowsUpdateRecord[] {
  const [id, revision] = [textAt(record, 'id').toLowerCase(), numberAt(record, 'revision')];
  if (!guid.test(id) || revision === undefined || !Number.isSafeInteger(revision) || revision < 0) return [];
  const sizeMax = numberAt(record, 'sizeMax');
  return [
    {
      id,
      revision,
      title: textAt(record, 'title'),
      kb: textsAt(record, 'kb')
        .map((text) => text.replace(/^KB/i, ''))
        .filter((text) => /^[0-9]{4,9}$/.test(text)),
      classification: textAt(record, 'classification'),
      severity: textAt(record, 'severity'),
      cves: textsAt(record, 'cves').filter((text) => /^CVE-\d{4}-\d{4,9}$/i.test(text)),
      supersedes: textsAt(record, 'supersedes').map((one) => one.toLowerCase()),
      type: numberAt(record, 'type'),
      sizeMax: sizeMax === undefined || sizeMax < 0 ? undefined : Math.floor(sizeMax),
      publishedMs: momentAt(record, 'published'),
      deploymentAction: numberAt(record, 'deploymentAction'),
      rebootBehavior: numberAt(record, 'rebootBehavior'),
      impact: numberAt(record, 'impact'),
      isDownloaded: isAt(record, 'isDownloaded'),
      isHidden: isAt(record, 'isHidden'),
      isBeta: isAt(record, 'isBeta'),
      isOptional: isAt(record, 'browseOnly'),
      isPerUser: isAt(record, 'perUser'),
      asksQuestions: isAt(record, 'canRequestUserInput'),
      isPending: isAt(record, 'rebootRequired'),
      readErrors: textsAt(record, 'readErrors'),
    },
  ];
}

function describeWarning(warning: HostObject): string {
  const code = textAt(warning, 'code');
  const meaning = describeHResult(code)?.meaning;
  const words = [code, meaning ?? textAt(warning, 'message')].filter((word) => word !== '').join(' ');
  const context = textAt(warning, 'context');
  return `search${context === '' ? '' : ` (${context})`}: ${words}`;
}

function readSource(source: HostObject): WindowsUpdateScan['source'] {
  if (textAt(source, 'cab') !== '') return { name: 'offline catalogue', isOffline: true };
  const services = objectsAt(source, 'services');
  // Asked for past the server of a policy the searcher names no service of its own.
  const isDirect = numberAt(source, 'selection') === windowsUpdateOnly;
  const id = isDirect ? windowsUpdateService : textAt(source, 'serviceId');
  const own = services.find((item) => textAt(item, 'id') === id && id.replace(/[0{}-]/g, '') !== '');
  const usual = services.find((item) => isAt(item, 'isDefault')) ?? services.find((item) => isAt(item, 'isManaged'));
  const used = own ?? (isDirect ? undefined : usual);
  const name = used === undefined ? '' : textAt(used, 'name');
  return { name: name === '' ? 'Windows Update' : name, isOffline: false };
}
