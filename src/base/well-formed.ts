/**
 * Encodes a value that may hold texts from outside. RFC 8785 has no form for half a surrogate pair, which JSON and YAML
 * escapes can carry and a cut can leave, nor for numbers that are not finite: the halves become U+FFFD, the numbers text.
 */
export function encodeWellFormed<Encoded>(encode: (value: unknown) => Encoded, value: unknown): Encoded {
  try {
    return encode(value);
  } catch {
    // What is in order is not copied first: nearly everything is.
    return encode(wellFormed(value));
  }
}

function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null) return value;
  if (hasJson(value)) return wellFormed(value.toJSON());
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toWellFormed(), wellFormed(item)]));
}

function hasJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}
