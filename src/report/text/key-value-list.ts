// `name  value` lines for what has one of each.
import { cleanLine } from '../../base/text.ts';
import type { Output } from './output.ts';
import { fill, widthOf, wrap } from './width.ts';

export type RecordLine = readonly [name: string, value: string | undefined];

/** Names in a column of their own, values wrapped; lines without a value are left out. Piped: `name<TAB>value`. */
export function renderRecord(lines: readonly RecordLine[], { stdout }: Output): string {
  const shown = lines.flatMap(([name, value]) => (value === undefined ? [] : [[name, cleanLine(value)] as const]));
  if (!stdout.isTty) return shown.map(([name, value]) => `${name}\t${value}\n`).join('');
  const width = Math.max(0, ...shown.map(([name]) => widthOf(name)));
  const room = Math.max(20, stdout.columns() - width - 3);
  return shown
    .flatMap(([name, value]) =>
      wrap(value, room).map((line, index) => {
        const label = index === 0 ? stdout.paint.dim(fill(name, width)) : ' '.repeat(width);
        return `${label}  ${line}\n`;
      }),
    )
    .join('');
}
