import type { HeldBack } from '../../domain/held-back.ts';
import type { ScanProblem } from '../../domain/scan.ts';
import { packageKey, type InstalledPackage, type Update } from '../../domain/update.ts';
import { readAnswer } from '../contract/answer.ts';
import type { PackageScan, PackageState } from '../contract/package-manager.ts';
import { linesOf, required, type Sections } from '../contract/sections.ts';
import { excludedSoftware } from '../contract/software.ts';
import { readMasks, type Masks } from './masks.ts';
import { flatpakId, readInstalledRows, readOfferedRows, versionOf, type FlatpakRow } from './refs.ts';

/** What is installed for the whole system; none where flatpak did not answer, which is a problem of the scan. */
export function readInstalled(sections: Sections): readonly FlatpakRow[] {
  return listProblem(sections) === undefined ? readInstalledRows(required(sections, 'flatpak-installed')) : [];
}

export function listProblem(sections: Sections): string | undefined {
  const { exitCode, words } = readAnswer(sections, 'flatpak-installed', 'it');
  return exitCode === 0 ? undefined : `flatpak does not list what is installed: ${words}`;
}

export function readState(sections: Sections): PackageState {
  const problem = listProblem(sections);
  return {
    packages: readInstalled(sections).map(toPackage),
    problems: problem === undefined ? [] : [gap(problem)],
  };
}

export function readScan(sections: Sections): PackageScan {
  const state = readState(sections);
  const masks = readMasks(sections);
  const installed = readInstalled(sections);
  const refs = refsOf(installed);
  const known = new Map(installed.map((row) => [packageKey(flatpakId(row)), row]));
  const updates = readOffers(sections).flatMap((offer): Update[] => {
    const current = known.get(packageKey(flatpakId(offer)));
    // Removed or updated between the two lists.
    if (current === undefined || current.commit === offer.commit || current.remote !== offer.remote) return [];
    return [toUpdate(current, offer, heldBackOf(offer, refs, masks))];
  });
  return {
    packages: state.packages.map((item, at) => {
      const row = installed[at];
      return row !== undefined && masks(row) ? { ...item, isHeld: true } : item;
    }),
    updates: updates.toSorted((left, right) => (packageKey(left) < packageKey(right) ? -1 : 1)),
    problems: [...state.problems, ...remoteProblems(sections)],
  };
}

/** `NAME/ARCH/BRANCH` of each. */
export function refsOf(rows: readonly FlatpakRow[]): ReadonlySet<string> {
  return new Set(rows.map(({ name, arch, branch }) => `${name}/${arch}/${branch}`));
}

export function readOffers(sections: Sections): readonly FlatpakRow[] {
  return listProblem(sections) === undefined ? readOfferedRows(required(sections, 'flatpak-pending')) : [];
}

/** A remote that did not answer: what it has is not known. */
export function remoteProblems(sections: Sections): ScanProblem[] {
  if (listProblem(sections) !== undefined) return [];
  required(sections, 'flatpak-remotes');
  return linesOf(sections, 'flatpak-remotes').flatMap((line) => {
    const [remote = '', code = '', words = ''] = line.split('\t', 3);
    return code === '0' ? [] : [gap(`the remote ${remote} of flatpak does not answer: ${words || `status ${code}`}`)];
  });
}

function gap(message: string): ScanProblem {
  return { code: 'flatpak', message: message.slice(0, longestMessage), isIncomplete: true };
}

const longestMessage = 2_000;

function toPackage(row: FlatpakRow): InstalledPackage {
  const version = versionOf(row);
  return { ...flatpakId(row), version, state: 'installed', source: row.name, sourceVersion: row.version || row.commit };
}

function toUpdate(current: FlatpakRow, offer: FlatpakRow, heldBack: HeldBack): Update {
  return {
    ...flatpakId(offer),
    from: versionOf(current),
    to: versionOf(offer),
    origins: [offer.remote],
    class: 'unknown',
    heldBack,
    isKernel: false,
    ...(offer.sizeBytes === undefined ? {} : { sizeBytes: offer.sizeBytes }),
  };
}

function heldBackOf(offer: FlatpakRow, installed: ReadonlySet<string>, masks: Masks): HeldBack {
  return obstacleOf(offer, installed, masks) ?? excludedSoftware('flatpak');
}

/** Why flatpak would not do exactly this update, and nothing else. */
export function obstacleOf(offer: FlatpakRow, installed: ReadonlySet<string>, masks: Masks): HeldBack | undefined {
  if (masks(offer)) return { kind: 'held' };
  // flatpak uninstalls such an app and installs the other one.
  if (offer.options.some((option) => option.startsWith('eol-rebase='))) {
    return { kind: 'needs-removal', packages: [offer.name] };
  }
  if (offer.runtime === '' || installed.has(offer.runtime)) return undefined;
  const reason = `needs the runtime ${offer.runtime}, which is not installed`;
  return { kind: 'excluded', reason, unless: 'id' };
}
