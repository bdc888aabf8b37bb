import type { Diagnostic } from '../yaml/diagnostic.ts';
import type { InventoryDraft } from './draft.ts';

/** An error for every edge of `children` that closes a circle. */
export function loopsIn(draft: InventoryDraft): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const state = new Map<string, 'open' | 'closed'>();
  const path: string[] = [];
  const visit = (name: string): void => {
    state.set(name, 'open');
    path.push(name);
    for (const [child, place] of draft.group(name).children) {
      if (state.get(child) === 'open') {
        const circle = [...path.slice(path.indexOf(child)), child].join(' > ');
        const where = place ?? { file: 'inventory', line: 1, column: 1, excerpt: '' };
        diagnostics.push({
          severity: 'error',
          ...where,
          message: `the children of group ${child} form a loop: ${circle}`,
        });
      } else if (state.get(child) === undefined) visit(child);
    }
    path.pop();
    state.set(name, 'closed');
  };
  for (const name of draft.groups.keys()) if (state.get(name) === undefined) visit(name);
  return diagnostics;
}
