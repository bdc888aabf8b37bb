/** A part of a script, or those of the package managers that it is about. */
type WindowsPart = string | ((managers: readonly string[]) => readonly string[]);

interface ManagerParts {
  /** What lists its packages and updates. */
  readonly scan: readonly string[];
  /** What its jobs need besides. */
  readonly job: readonly string[];
}

/** Names of files below `src/remote/windows/`, without their ending. How each package manager is found is in `managers`. */
const managerParts: Readonly<Record<string, ManagerParts>> = {
  'windows-update': { scan: ['wua', 'wua-scan'], job: ['wua-select', 'wua-install', 'wua-jobs'] },
  chocolatey: { scan: ['software', 'chocolatey'], job: ['software-install'] },
  winget: { scan: ['software', 'winget'], job: ['software-install'] },
};

/** Package managers of Windows hosts. */
export const windowsManagers: readonly string[] = Object.keys(managerParts);

const scanning = partsFor('scan');
/** A job that installs nothing is about no package manager, and needs none of this. */
const working: WindowsPart = (managers) =>
  managers.length === 0
    ? []
    : ['values', 'managers', 'scan-task', 'ready', ...scanning(managers), ...partsFor('job')(managers)];

const asking = ['lib', 'json', 'values', 'job-log', 'boot', 'task', 'managers', 'scan-task', scanning] as const;
const state = ['claim', 'ready', 'pending-reboot', 'facts', 'summary'] as const;
const watching = ['lib', 'boot', 'task', 'claim', 'job', 'job-watch', 'job-main'] as const;

/**
 * By script and verb; `*` stands for all verbs that have no line of their own. What is asked again and again has no need
 * of the rest, which the host would read and its logs might keep each time.
 */
export const windowsScripts: Readonly<Record<string, readonly WindowsPart[]>> = {
  'probe boot': ['lib', 'boot', 'probe-main'],
  'probe summary': ['lib', 'json', 'values', 'boot', 'managers', ...state, 'probe-main'],
  'probe simulate': [...asking, 'simulate', 'probe-main'],
  'probe *': [...asking, ...state, 'inventory', 'simulate', 'probe', 'probe-main'],
  'job follow': watching,
  'job stat': watching,
  'job collect': watching,
  'job sweep': watching,
  'job *': [
    ...['lib', 'json', 'job-log', 'boot', 'task', 'claim', working],
    ...['text', 'work', 'reboot', 'job', 'job-watch', 'job-run', 'job-main'],
  ],
};

/**
 * The files of a script for Windows, in the order in which they are sent; empty where there is no such script.
 * `managers` absent: all.
 */
export function windowsFiles(
  name: string,
  { verb = '*', managers = windowsManagers }: { readonly verb?: string; readonly managers?: readonly string[] },
): readonly string[] {
  const known = windowsManagers.filter((manager) => managers.includes(manager));
  const parts = windowsScripts[`${name} ${verb}`] ?? windowsScripts[`${name} *`] ?? [];
  return parts.flatMap((part) => (typeof part === 'string' ? [part] : part(known))).map((part) => `${part}.ps1`);
}

/** Each part once, in the order of the table. */
function partsFor(use: keyof ManagerParts): (managers: readonly string[]) => readonly string[] {
  return (managers) => [...new Set(managers.flatMap((manager) => managerParts[manager]?.[use] ?? []))];
}
