import { readChocolatey } from '../chocolatey/chocolatey.ts';
import type { ThirdPartyPackage } from '../chocolatey/chocolatey.ts';
import { isAt, numberAt, objectAt, rawTextAt, textAt, textsAt } from '../contract/json.ts';
import type { HostObject } from '../contract/json.ts';
import { readWinget } from '../winget/winget.ts';

/**
 * Exit codes of lists that are whole: Chocolatey ends with 2 where a list is empty or something is outdated, if its
 * feature useEnhancedExitCodes is on (github.com/chocolatey/choco/issues/1758); winget with
 * APPINSTALLER_CLI_ERROR_NO_APPLICATIONS_FOUND or _UPDATE_NOT_APPLICABLE where there is nothing to list (its
 * returnCodes.md).
 */
const wholeLists: Readonly<Record<string, readonly number[]>> = {
  chocolatey: [0, 2],
  winget: [0, 0x8a15_0014, 0x8a15_002b],
};

/** The `thirdParty` part of a scan as packages; of a list that failed nothing is taken. */
export function readThirdParty(record: HostObject): readonly ThirdPartyPackage[] {
  const [chocolatey, winget] = [objectAt(record, 'chocolatey'), objectAt(record, 'winget')];
  return [
    ...readChocolatey(rawTextAt(chocolatey, 'installed'), rawTextAt(chocolatey, 'outdated')),
    ...readWinget(rawTextAt(winget, 'installed'), rawTextAt(winget, 'outdated')),
  ];
}

/** Why software beside Windows Update may be missing from a scan. */
export function thirdPartyWarnings(record: HostObject): readonly string[] {
  return [
    ...textsAt(record, 'failures').map((words) => `software beside Windows Update: ${words}`),
    ...Object.keys(wholeLists).flatMap((name) => listWarnings(name, objectAt(record, name))),
  ];
}

function listWarnings(name: string, state: HostObject): string[] {
  if (Object.keys(state).length === 0) return [];
  return [
    ...listWarning(name, state, { key: 'list', what: 'its list of installed software', output: 'installed' }),
    ...listWarning(name, state, { key: 'outdated', what: 'its list of newer versions', output: 'outdated' }),
  ];
}

interface ListOf {
  readonly key: 'list' | 'outdated';
  readonly what: string;
  readonly output: string;
}

function listWarning(name: string, state: HostObject, { key, what, output }: ListOf): string[] {
  if (isAt(state, `${key}TimedOut`)) {
    const limit = numberAt(state, 'limit');
    return [`${name} did not finish ${what}${limit === undefined ? '' : ` within ${limit} s`}`];
  }
  const code = numberAt(state, `${key}Code`);
  if (code !== undefined && wholeLists[name]?.includes(code >>> 0) === true) return [];
  const said = textAt(state, output).slice(0, 200);
  const status = code === undefined ? 'no status' : `status ${formatStatus(code)}`;
  return [`${name} could not make ${what} (${status})${said === '' ? '' : `: ${said}`}`];
}

/** Small ones as they are, HRESULTs as such. */
function formatStatus(code: number): string {
  const unsigned = code >>> 0;
  return unsigned < 0x1_0000 ? String(unsigned) : `0x${unsigned.toString(16).toUpperCase()}`;
}
