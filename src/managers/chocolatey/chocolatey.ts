import { fewEnough } from '../../domain/limits.ts';
import { linesIn } from '../contract/sections.ts';

/** A package of a manager beside Windows Update. */
export interface ThirdPartyPackage {
  readonly manager: 'chocolatey' | 'winget';
  readonly name: string;
  readonly title?: string;
  readonly version: string;
  /** The newer version that its source has. */
  readonly available?: string;
  readonly isPinned: boolean;
}

/** Characters of ids and versions; what has others is not touched. */
export const thirdPartyWord = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,199}$/;

/**
 * `choco list --limit-output` (`name|version`) and `choco outdated --limit-output` (`name|current|available|pinned`),
 * as docs.chocolatey.org describes them. Every other line is a message and is left out.
 */
export function readChocolatey(installed: string, outdated: string): readonly ThirdPartyPackage[] {
  const newer = new Map<string, { available: string; isPinned: boolean }>();
  for (const line of lines(outdated)) {
    const [name = '', , available = '', pinned = '', ...more] = line.split('|', 6);
    if (more.length > 0 || !thirdPartyWord.test(name) || !thirdPartyWord.test(available)) continue;
    newer.set(name.toLowerCase(), { available, isPinned: pinned.toLowerCase() === 'true' });
  }
  return lines(installed).flatMap((line): ThirdPartyPackage[] => {
    const [name = '', version = '', ...more] = line.split('|', 4);
    if (more.length > 0 || !thirdPartyWord.test(name) || !thirdPartyWord.test(version)) return [];
    const offer = newer.get(name.toLowerCase());
    const base = { manager: 'chocolatey', name, version, isPinned: offer?.isPinned ?? false } as const;
    return [offer === undefined || offer.available === version ? base : { ...base, available: offer.available }];
  });
}

function lines(text: string): readonly string[] {
  return fewEnough([...linesIn(text, 'list of Chocolatey')], 'lines in the list of Chocolatey').map((line) =>
    line.trim(),
  );
}
