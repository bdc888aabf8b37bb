// What the client of snapd prints: releases 2.57.6, 2.68.3 and 2.77.1, and 2.32 by its source.

/** `snap list --unicode=never --color=never` of 2.68 and 2.77; that of 2.57 has no note `held`. */
export const list = `Name       Version         Rev    Tracking       Publisher    Notes
core22     20251105        2163   latest/stable  canonical**  base
firefox    145.0-2         7298   latest/stable  mozilla**    -
hello_two  2.10            42     latest/edge    canonical**  broken
lxd        5.21.4-9eb1368  35819  5.21/stable/…  canonical**  held
own-tool   1               x3     -              -            devmode
pc-kernel  6.8.0-87.88     2774   24/stable      canonical**  kernel
snapd      2.72            25577  latest/stable  canonical**  snapd
`;

/** `snap refresh --list` of 2.57 and 2.68: sizes are rounded down. */
export const pending = `Name       Version         Rev    Size   Publisher    Notes
firefox    146.0-1         7355   293MB  mozilla**    -
lxd        5.21.4-1a2b3c4  36558  900B   canonical**  -
pc-kernel  6.8.0-88.89     2801   1GB    canonical**  kernel
snapd      2.73            25935  50MB   canonical**  snapd
`;

/** The same list from 2.77: sizes are rounded to three digits. */
export const pending277 = pending.replace('293MB', '294MB').replace('50MB ', '50.4MB ');

/** `snap refresh --list` of 2.32: no sizes, and a developer instead of a publisher. */
export const pending232 = `Name     Version  Rev   Developer  Notes
firefox  146.0-1  7355  mozilla    -
`;

/** `snap refresh --time --abs-time`. */
const times = `timer: 00:00~24:00/4
last: 2026-11-29T22:14:00Z
hold: 2026-12-24T08:00:00Z
next: 2026-11-30T18:37:00Z (but held)
`;

/** The same from 2.77 after `snap refresh --hold`. */
export const timesForever = times.replace('2026-12-24T08:00:00Z', 'forever');

/** Standard error of `snap refresh --list` of 2.77 where the store is out of reach, wrapped as it came. */
export const noStore = `error: cannot list updates: persistent network error: Post
       "https://api.snapcraft.io/v2/snaps/refresh": dial tcp: lookup
       api.snapcraft.io: no such host`;

export interface Answers {
  readonly list?: string;
  readonly listStatus?: string;
  readonly pending?: string;
  readonly pendingStatus?: string;
  readonly times?: string;
  readonly asked?: string;
}

/** An answer to the probe as the script puts it together. */
export function sectionsOf(answers: Answers = {}): Map<string, string> {
  const sections = new Map([
    ['snap-installed', answers.list ?? list],
    ['snap-installed-status', answers.listStatus ?? '0\n\n'],
    ['snap-pending', answers.pending ?? pending],
    ['snap-pending-status', answers.pendingStatus ?? '0\n\n'],
    ['snap-times', answers.times ?? times],
  ]);
  if (answers.asked !== undefined) sections.set('snap-asked', answers.asked);
  return sections;
}
