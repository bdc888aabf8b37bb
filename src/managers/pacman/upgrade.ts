import { conflictsOf, isNamed, nameIn, type Party } from './relations.ts';
import { readOffers, readSteps, type AlpmPackage, type Offer, type Step } from './answer.ts';
import { linesOf, type Sections } from '../contract/sections.ts';

/** The one upgrade that pacman can make: of everything, or none. */
export interface WholeUpgrade {
  readonly steps: readonly Step[];
  readonly offers: ReadonlyMap<string, Offer>;
  /** Installed packages that others of another name would replace, each with the one that comes. */
  readonly replaced: readonly { readonly old: AlpmPackage; readonly by: Offer }[];
  /** What comes, and what it cannot be installed together with. */
  readonly conflicts: readonly (readonly [Party, Party])[];
  /** Why the upgrade cannot be made, in words; none: it can. */
  readonly troubles: readonly string[];
}

/** `pacman -Sup` checks neither conflicts nor replacements, so both are worked out here as alpm does it. */
export function readUpgrade(sections: Sections, installed: ReadonlyMap<string, AlpmPackage>): WholeUpgrade {
  const { steps, troubles } = readSteps(sections);
  const offers = readOffers(sections);
  const order = linesOf(sections, 'pacman-repositories').map((line) => line.split('\t', 1)[0] ?? '');
  const coming = steps.flatMap(({ name, version }): Offer[] => {
    const offer = offers.get(name);
    return offer === undefined ? [] : [{ ...offer, version }];
  });
  const replaced = coming.flatMap((by) =>
    by.replaces.flatMap((text) => {
      const old = installed.get(nameIn(text));
      if (old === undefined || old.name === by.name || !isNamed(old, text)) return [];
      // Not where a repository before that one, or it itself, still has it under its own name.
      const own = order.indexOf(offers.get(old.name)?.repository ?? '');
      return own >= 0 && own <= order.indexOf(by.repository) ? [] : [{ old, by }];
    }),
  );
  const gone = new Set([...coming.map(({ name }) => name), ...replaced.map(({ old }) => old.name)]);
  const conflicts = conflictsOf(
    coming,
    [...installed.values()].filter(({ name }) => !gone.has(name)),
  );
  const clashes = conflicts.map(
    ([left, right]) => `${left.name} ${left.version} and ${right.name} ${right.version} are in conflict`,
  );
  return { steps, offers, replaced, conflicts, troubles: [...troubles, ...clashes] };
}
