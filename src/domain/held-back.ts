// Why an available version is held back, in the words of every table, plan and report.

/** Why an available version would not be installed by itself. */
export type HeldBack =
  | { readonly kind: 'held' }
  | { readonly kind: 'phased'; readonly percent?: number }
  | { readonly kind: 'needs-new'; readonly packages: readonly string[] }
  | { readonly kind: 'needs-removal'; readonly packages: readonly string[] }
  | { readonly kind: 'pinned' }
  /** A stream of a module decides which versions are offered: `nodejs:18`. */
  | { readonly kind: 'module'; readonly module: string }
  /** The host's preferences require an older version than the installed one. */
  | { readonly kind: 'downgrade' }
  /** Not offered by default; installed where the playbook names it: by a pattern, its exact name, or only its id. */
  | { readonly kind: 'excluded'; readonly reason: string; readonly unless: 'pattern' | 'name' | 'id' }
  | { readonly kind: 'unknown' };

/** The stable word of the ledger and of `report updates --json`: the kind, and how far a phased update has come. */
export function heldBackWord(heldBack: HeldBack): string {
  return heldBack.kind === 'phased' ? phased(heldBack.percent) : heldBack.kind;
}

/** The reason as a table has room for it. */
export function heldBackText(heldBack: HeldBack): string {
  switch (heldBack.kind) {
    case 'held':
      return 'held on the host';
    case 'phased':
      return phased(heldBack.percent);
    case 'needs-new':
      return `needs new packages (${heldBack.packages.join(', ')})`;
    case 'needs-removal':
      return `would remove ${heldBack.packages.join(', ')}`;
    case 'pinned':
      return 'pinned by the package preferences of the host';
    case 'module':
      return `hidden by the module stream ${heldBack.module} of the host`;
    case 'downgrade':
      return 'the package preferences of the host require an older version than is installed';
    case 'excluded':
      return heldBack.reason;
    case 'unknown':
      return 'kept back by the package manager, which gives no reason';
  }
}

/** The reason with the rule by which a plan leaves the update out. */
export function heldBackRefusal(heldBack: HeldBack): string {
  const rule = rules[heldBack.kind];
  return rule === undefined ? heldBackText(heldBack) : `${heldBackText(heldBack)}; ${rule}`;
}

const rules: Readonly<Partial<Record<HeldBack['kind'], string>>> = {
  phased: 'the playbook does not include phased updates',
  'needs-new': 'the playbook refuses new packages',
  'needs-removal': 'removals are refused',
  downgrade: 'fettle makes no downgrades',
  excluded: 'the playbook does not name it',
};

function phased(percent: number | undefined): string {
  return percent === undefined ? 'phased' : `phased ${percent} %`;
}
