/**
 * A record whose keys are names from outside. It has no prototype, so that `__proto__`, `constructor` and `toString` are
 * keys like any other: absent where nobody set them, and kept where somebody did.
 */
export function recordOf<Value>(entries: Iterable<readonly [string, Value]>): Record<string, Value> {
  const record = Object.create(null) as Record<string, Value>;
  for (const [key, value] of entries) record[key] = value;
  return record;
}
