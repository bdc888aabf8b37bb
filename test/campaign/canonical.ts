/** JSON with sorted keys, so that an event that was printed can be found among those recorded; the envelope's version left out. */
export function canonicalize(value: unknown): string {
  return JSON.stringify(value, (key, item: unknown) => {
    if (key === 'v') return undefined;
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
