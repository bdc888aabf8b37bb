// Numbers for people.

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** `850ms`, `4.2s`, `1m05s`, `2h03m`, `3d04h`: two units at most. */
export function formatDuration(ms: number): string {
  const length = Math.max(0, ms);
  if (Math.round(length) < secondMs) return `${Math.round(length)}ms`;
  if (length < 9.95 * secondMs) return `${(length / secondMs).toFixed(1)}s`;
  const seconds = Math.round(length / secondMs);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  if (length < dayMs) return `${Math.floor(length / hourMs)}h${two(Math.floor((length % hourMs) / minuteMs))}m`;
  return `${Math.floor(length / dayMs)}d${two(Math.floor((length % dayMs) / hourMs))}h`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** `17 B`, `4.1 kB`, `120 MB`: decimal units, as apt counts. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const shown = unit === 0 || value >= 9.95 ? String(Math.round(value)) : value.toFixed(1);
  return `${shown} ${units[unit]}`;
}

/** `2026-11-23 19:27 UTC`; epoch milliseconds. */
export function formatTime(ms: number): string {
  return `${isoTime(ms).slice(0, 16).replace('T', ' ')} UTC`;
}

/** `2026-11-23T19:27:04.123Z`; a time outside of the calendar is returned as such. */
export function isoTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? 'invalid time' : date.toISOString();
}

/** `just now`, `5m ago`, `3h ago`, `12d ago`, `in 2h`: one unit, rounded down. */
export function formatAge(ms: number, nowMs: number): string {
  const distance = Math.abs(nowMs - ms);
  if (distance < minuteMs) return 'just now';
  const shown =
    distance < hourMs
      ? `${Math.floor(distance / minuteMs)}m`
      : distance < 2 * dayMs
        ? `${Math.floor(distance / hourMs)}h`
        : `${Math.floor(distance / dayMs)}d`;
  return ms <= nowMs ? `${shown} ago` : `in ${shown}`;
}

/** The first twelve digits of a hash, as people compare them. */
export function shortHash(hex: string): string {
  return hex.slice(0, 12);
}
