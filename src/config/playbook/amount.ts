import type { Amount } from '../../domain/playbook.ts';

/** `3`, `25%` or `rest`; undefined for anything else. A count is at least 1, a share more than 0 and at most 100 %. */
export function parseAmount(written: string | number): Amount | undefined {
  const text = String(written).trim();
  if (text === 'rest') return { kind: 'rest' };
  const percent = parsePercent(text);
  if (percent !== undefined) return percent > 0 ? { kind: 'percent', percent } : undefined;
  if (!/^\d{1,7}$/.test(text) || Number(text) === 0) return undefined;
  return { kind: 'count', count: Number(text) };
}

/** `3%` → 3, from 0 to 100. */
export function parsePercent(text: string): number | undefined {
  const [, digits] = /^\s*(\d{1,3}(?:\.\d+)?)\s*%\s*$/.exec(text) ?? [];
  const percent = Number(digits ?? Number.NaN);
  return percent >= 0 && percent <= 100 ? percent : undefined;
}
