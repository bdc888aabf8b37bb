// Names of an Ansible inventory: `web[01:24:2].example.com`, `db-[a:c]`, `host:2223`, `[2001:db8::10]:2200`.
import { isIPv6 } from 'node:net';
import { inventoryNameProblem } from '../../domain/plain-name.ts';
import { splitAddress } from './host-address.ts';

export type HostNames =
  | { readonly ok: true; readonly names: readonly string[]; readonly port?: number }
  | { readonly ok: false; readonly message: string };

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const namesLimit = 100_000;
/** With its ranges; RFC 1035 has 255 octets for a name. */
const longestName = 500;

/** The names that one key under `hosts` means. Bounds are inclusive; a leading zero fixes the width. */
export function expandHosts(key: string): HostNames {
  const text = key.trim();
  if (text === '') return { ok: false, message: 'a host needs a name' };
  if (text.length > longestName) return { ok: false, message: `a host name has at most ${longestName} characters` };
  // Ansible takes brackets for a range here; an address in them can mean nothing else.
  const inner = /^\[([^\]]+)\]$/.exec(text)?.[1];
  if (inner !== undefined && isIPv6(inner)) return { ok: true, names: [inner] };
  const { host = text, port } = splitAddress(text) ?? {};
  const names: string[] = [];
  const problem = expandInto(names, '', host);
  if (problem !== undefined) return { ok: false, message: `${problem} in "${key}"` };
  const strange = names.find((item) => inventoryNameProblem(item) !== undefined && !isIPv6(item));
  if (strange !== undefined) {
    return { ok: false, message: `"${strange}" is not a host name: it ${inventoryNameProblem(strange) ?? ''}` };
  }
  return withPort(names, port);
}

function withPort(names: readonly string[], port: string | undefined): HostNames {
  if (port === undefined) return { ok: true, names };
  const number = Number(port);
  if (number < 1 || number > 65_535) return { ok: false, message: `${port} is not a port` };
  return { ok: true, names, port: number };
}

/** Appends to `names` what `rest` means behind `head`; returns the problem, if there is one. */
function expandInto(names: string[], head: string, rest: string): string | undefined {
  const open = rest.indexOf('[');
  if (open < 0) {
    if (rest.includes(']')) return 'a ] has no matching [';
    names.push(head + rest);
    return names.length > namesLimit ? `there are more than ${namesLimit} hosts` : undefined;
  }
  const close = rest.indexOf(']', open);
  if (close < 0) return 'a [ has no matching ]';
  const steps = stepsOf(rest.slice(open + 1, close));
  if (typeof steps === 'string') return steps;
  for (const step of steps) {
    const problem = expandInto(names, head + rest.slice(0, open) + step, rest.slice(close + 1));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The steps of `begin:end` or `begin:end:step`, or what is wrong with it. */
function stepsOf(range: string): readonly string[] | string {
  const parts = range.split(':');
  if (parts.length < 2 || parts.length > 3) return `the range [${range}] is not begin:end or begin:end:step`;
  const [begin = '', end = '', stepText = '1'] = parts;
  if (end === '') return `the range [${range}] has no end`;
  if (!/^\d+$/.test(stepText) || Number(stepText) < 1)
    return `the step of the range [${range}] is not a positive number`;
  const first = begin === '' ? '0' : begin;
  const step = Number(stepText);
  if (/^[a-zA-Z]$/.test(first) && /^[a-zA-Z]$/.test(end)) return letterSteps(range, [first, end], step);
  if (!/^\d+$/.test(first) || !/^\d+$/.test(end)) return `the range [${range}] needs two numbers or two letters`;
  const isPadded = first.length > 1 && first.startsWith('0');
  if (isPadded && first.length !== end.length) return `the ends of the range [${range}] differ in length`;
  const [from, to] = [Number(first), Number(end)];
  // As in Ansible, it means no host at all.
  if (from > to) return [];
  if ((to - from) / step >= namesLimit) return `the range [${range}] has more than ${namesLimit} hosts`;
  const steps: string[] = [];
  for (let at = from; at <= to; at += step) steps.push(String(at).padStart(isPadded ? first.length : 1, '0'));
  return steps;
}

function letterSteps(range: string, [first, end]: readonly [string, string], step: number): readonly string[] | string {
  const [from, to] = [letters.indexOf(first), letters.indexOf(end)];
  if (from > to) return `the range [${range}] starts after its end`;
  const steps: string[] = [];
  for (let at = from; at <= to; at += step) steps.push(letters.charAt(at));
  return steps;
}
