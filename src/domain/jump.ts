import type { Host } from './host.ts';
import type { HostPlan } from './plan.ts';

/** Hosts named by `-J`, `-o ProxyJump=…` or `-o ProxyCommand=ssh -W … jump`, without user and port. `none` is none. */
export function jumpsOf(sshArguments: readonly string[]): string[] {
  const jumps: string[] = [];
  for (let at = 0; at < sshArguments.length; at += 1) {
    const word = sshArguments[at] ?? '';
    const flag = /^-([Jo])/.exec(word)?.[1];
    if (flag === undefined) continue;
    const value = word.length > 2 ? word.slice(2) : (sshArguments[(at += 1)] ?? '');
    if (flag === 'J') jumps.push(...jumpList(value));
    else jumps.push(...jumpsOfOption(value));
  }
  return jumps;
}

function jumpsOfOption(option: string): string[] {
  const [, key = '', value = ''] = /^\s*(\w+)(?:\s*=\s*|\s+)(.*)/s.exec(option) ?? [];
  if (key.toLowerCase() === 'proxyjump') return jumpList(value);
  if (key.toLowerCase() !== 'proxycommand' || !/(^|\/)ssh\s/.test(value) || !/\s-W\s/.test(value)) return [];
  const words = value.trim().split(/\s+/);
  const inner = words.slice(1);
  return [...jumpsOf(inner), ...jumpList(lastOperand(inner) ?? '')];
}

/** The destination of an `ssh` command line: its only word that is neither an option nor an option's value. */
function lastOperand(words: readonly string[]): string | undefined {
  let operand: string | undefined;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (/^-[BbcDEeFIiJLlmOopQRSWw]$/.test(word)) at += 1;
    else if (!word.startsWith('-')) operand ??= word;
  }
  return operand;
}

function jumpList(value: string): string[] {
  return value
    .replace(/^"(.*)"$/, '$1')
    .split(',')
    .map((item) => hostPart(item.trim()))
    .filter((item) => item !== '' && item.toLowerCase() !== 'none');
}

/** `ssh://user@[::1]:22` → `::1`. */
function hostPart(destination: string): string {
  const bare = destination.replace(/^ssh:\/\//, '').replace(/^.*@/, '');
  const bracketed = /^\[([^\]]*)\]/.exec(bare)?.[1];
  if (bracketed !== undefined) return bracketed;
  return /^[^:]*:\d+$/.test(bare) ? bare.slice(0, bare.indexOf(':')) : bare;
}

/** The part of a host's plan that keeps its jump hosts. */
export function viaOf(via: ReadonlyMap<string, readonly string[]>, host: string): Pick<HostPlan, 'via'> {
  const names = via.get(host);
  return names === undefined ? {} : { via: names };
}

/** Host → hosts its connection passes through, as the plan froze it. */
export function plannedRoutes(hosts: readonly Pick<HostPlan, 'host' | 'via'>[]): Map<string, readonly string[]> {
  return new Map(hosts.flatMap(({ host, via }) => (via === undefined ? [] : [[host, via] as const])));
}

/**
 * Host → other hosts of the list that its connection passes through, matched by name or address. `configured` adds
 * what `~/.ssh/config` sets, where it was read.
 */
export function reachedThrough(
  hosts: readonly Pick<Host, 'name' | 'connection'>[],
  configured: (host: string) => readonly string[] = () => [],
): Map<string, readonly string[]> {
  const byAddress = new Map<string, string[]>();
  for (const { name, connection } of hosts) {
    for (const key of new Set([name, connection.address])) byAddress.set(key, [...(byAddress.get(key) ?? []), name]);
  }
  const reached = new Map<string, readonly string[]>();
  for (const { name, connection } of hosts) {
    const jumps = [...jumpsOf(connection.sshArguments), ...configured(name)];
    const names = jumps.flatMap((jump) => byAddress.get(jump) ?? []).filter((jump) => jump !== name);
    if (names.length > 0) reached.set(name, [...new Set(names)]);
  }
  return reached;
}
