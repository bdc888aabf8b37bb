// How many hosts go at once on this machine: each open session takes file descriptors of this process.
import { plural } from '../../base/text.ts';
import { FettleError } from '../../domain/error.ts';
import type { Host } from '../../domain/host.ts';
import type { Transports } from '../../transport/registry.ts';
import type { Context, Descriptors } from '../invocation/context.ts';

/** For the ledger, for a process that is being started, for files and name lookups. */
const reserve = 20;
/** A proxy command and an agent: no session holds more. */
const mostOfSession = 4;

/** What a command does with the sessions of its hosts. */
export interface SessionUse {
  /** Sessions that one host of those that go at once may account for. */
  readonly sessions: number;
  /** Descriptors besides. */
  readonly besides: number;
}

export const oneSession: SessionUse = { sessions: 1, besides: 0 };
/** The first hosts stay connected while others are checked; a hook on this machine has two pipes. */
export const rolloutSessions: SessionUse = { sessions: 2, besides: 2 };

/** Throws `config` where this process may not open enough files for even one host. Contacts none. */
export function checkDescriptors(context: Pick<Context, 'descriptors'>): void {
  const found = context.descriptors();
  if (found !== undefined && roomOf(found) < mostOfSession) throw tooFew(found);
}

/**
 * `wanted` hosts at once, or as many as this process has descriptors for, with one warning. Throws `config` where there
 * are too few for one host.
 */
export async function fittingAtOnce(
  wanted: number,
  {
    hosts,
    transports,
    use,
  }: { readonly hosts: readonly Host[]; readonly transports: Transports; readonly use: SessionUse },
  context: Pick<Context, 'descriptors'> & { readonly console: Pick<Context['console'], 'warn'> },
): Promise<number> {
  const found = context.descriptors();
  const atOnce = Math.min(wanted, hosts.length);
  if (found === undefined || roomOf(found) >= atOnce * perHost(mostOfSession, use)) return wanted;
  const fitting = Math.floor(roomOf(found) / perHost(await mostOf(hosts, transports), use));
  if (fitting >= atOnce) return wanted;
  if (fitting < 1) throw tooFew(found);
  context.console.warn(
    `warning: ${plural(fitting, 'host')} at once instead of ${atOnce}: this process may open ${found.limit} files\n` +
      'hint: raise the limit: ulimit -n 4096',
  );
  return fitting;
}

function roomOf({ limit, open }: Descriptors): number {
  return limit - open - reserve;
}

function perHost(session: number, { sessions, besides }: SessionUse): number {
  return session * sessions + besides;
}

async function mostOf(hosts: readonly Host[], transports: Transports): Promise<number> {
  return Math.max(1, ...(await Promise.all(hosts.map((host) => ofSession(host, transports)))));
}

async function ofSession(host: Host, transports: Transports): Promise<number> {
  return (await transports.get(host.connection.transport)?.descriptors?.(host)) ?? 1;
}

function tooFew({ limit, open }: Descriptors): FettleError {
  return new FettleError(
    'config',
    `this process may open ${limit} files and has ${open} open, which leaves too few for one host; none was contacted`,
    { hint: 'raise the limit: ulimit -n 4096' },
  );
}
