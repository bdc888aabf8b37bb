import type { PlannedHost } from './plan-host.ts';

const shownNames = 5;

/** Equal warnings of many hosts become one: `stale package metadata: … (web01, web02 and 3 more)`. */
export function foldWarnings(planned: readonly Pick<PlannedHost, 'host' | 'warnings'>[]): string[] {
  const hostsOf = new Map<string, string[]>();
  for (const { host, warnings } of planned) {
    for (const warning of new Set(warnings)) hostsOf.set(warning, [...(hostsOf.get(warning) ?? []), host.name]);
  }
  return [...hostsOf].map(([warning, names]) => {
    const more = names.length > shownNames ? ` and ${names.length - shownNames} more` : '';
    return `${warning} (${names.slice(0, shownNames).join(', ')}${more})`;
  });
}
