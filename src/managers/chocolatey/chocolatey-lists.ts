import { fewEnough } from '../../domain/limits.ts';
import { linesIn } from '../contract/sections.ts';
import { softwareWord, type SoftwarePackage } from '../windows-software/software-package.ts';

/**
 * `choco list --limit-output` (`name|version`) and `choco outdated --limit-output` (`name|current|available|pinned`),
 * as docs.chocolatey.org describes them. Every other line is a message and is left out.
 */
export function readChocolatey(installed: string, outdated: string): readonly SoftwarePackage[] {
  const newer = new Map<string, { available: string; isPinned: boolean }>();
  for (const line of lines(outdated)) {
    const [name = '', , available = '', pinned = '', ...more] = line.split('|', 6);
    if (more.length > 0 || !softwareWord.test(name) || !softwareWord.test(available)) continue;
    newer.set(name.toLowerCase(), { available, isPinned: pinned.toLowerCase() === 'true' });
  }
  return lines(installed).flatMap((line): SoftwarePackage[] => {
    const [name = '', version = '', ...more] = line.split('|', 4);
    if (more.length > 0 || !softwareWord.test(name) || !softwareWord.test(version)) return [];
    const offer = newer.get(name.toLowerCase());
    const base = { name, version, isPinned: offer?.isPinned ?? false };
    return [offer === undefined || offer.available === version ? base : { ...base, available: offer.available }];
  });
}

function lines(text: string): readonly string[] {
  return fewEnough([...linesIn(text, 'list of Chocolatey')], 'lines in the list of Chocolatey').map((line) =>
    line.trim(),
  );
}
