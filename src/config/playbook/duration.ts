const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `90s`, `10m`, `6h`, `7d`, `2w` in milliseconds; undefined for anything else. At most ten years. */
export function parseDurationMs(text: string): number | undefined {
  const [, digits, unit = ''] = /^\s*(\d{1,9})\s*([smhdw])\s*$/.exec(text) ?? [];
  const factor = unitMs[unit];
  if (digits === undefined || factor === undefined) return undefined;
  const ms = Number(digits) * factor;
  return ms <= 3653 * 86_400_000 ? ms : undefined;
}
