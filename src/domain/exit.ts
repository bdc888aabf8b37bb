/** Exit codes; when several apply the first in `precedence` wins. */
export const exitCodes = {
  ok: 0,
  internal: 1,
  usage: 2,
  changes: 3,
  partial: 4,
  unreachable: 5,
  unverified: 6,
  stopped: 7,
  closed: 8,
  waiting: 9,
  refused: 10,
  locked: 11,
  auth: 12,
  ledger: 13,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitName = keyof typeof exitCodes;

const precedence: readonly ExitName[] = [
  'ledger',
  'internal',
  'usage',
  'interrupted',
  'terminated',
  'locked',
  'refused',
  'auth',
  'closed',
  'stopped',
  'unverified',
  'partial',
  'unreachable',
  'waiting',
  'changes',
  'ok',
];

export function worstExit(names: Iterable<ExitName>): ExitName {
  const present = new Set(names);
  return precedence.find((name) => present.has(name)) ?? 'ok';
}
