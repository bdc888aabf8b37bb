// How a command reaches hosts: transports, elevation, scripts and managers put together for the engine.
import { engineLimits, type RunContext } from '../../engine/context.ts';
import { EventLog } from '../../engine/event-log.ts';
import type { HostPort } from '../../engine/connection/host-port.ts';
import { HostSession } from '../../engine/connection/host-session.ts';
import { pacedReading } from '../../engine/connection/paced-reading.ts';
import { ManagedHost } from '../../engine/connection/managed-host.ts';
import { localSpawner } from '../../engine/local-command.ts';
import { countedHostNames } from '../../base/host-names.ts';
import { FettleError } from '../../domain/error.ts';
import type { EventSink } from '../../domain/event.ts';
import type { Host } from '../../domain/host.ts';
import type { RunRecord } from '../../domain/record.ts';
import { packageManagerNamed } from '../../managers/registry.ts';
import { elevate } from '../../remote/elevation.ts';
import { transportNames, type Transports } from '../../transport/registry.ts';
import type { Context } from '../invocation/context.ts';
import type { HostsRequest } from '../invocation/request.ts';
import { loginsUntil } from './early-login.ts';
import { checkDescriptors, fittingAtOnce, oneSession, type SessionUse } from './descriptors.ts';

type OpenRemote = (host: Host) => HostPort;
type HostKnowledge = Pick<RunRecord, 'knownManagers'>;

/** The way to the hosts of a command; what was opened is closed with it. */
export interface HostConnections extends AsyncDisposable {
  /** Names and addresses of the jump hosts on the way to each host. */
  readonly routes: ReadonlyMap<string, readonly string[]>;
  /**
   * `record` has the package managers that a host is known to have: it is sent the scripts of no others. Until `begun`, a
   * host is logged in to and no more; where that fails, the login ends with its error.
   */
  readonly remote: (record: HostKnowledge, begun?: Promise<void>) => OpenRemote;
  /** Hosts at once: as many as were wanted, or as this process has descriptors for. */
  readonly atOnce: number;
}

type ConnectionRequest = Partial<Pick<HostsRequest, 'hostKey'>>;

/** How many hosts go at once, and with how many sessions each. */
export interface ConnectionUse {
  readonly wanted: number;
  readonly use?: SessionUse;
}

/**
 * Checks all that can be checked before any host is contacted: descriptors, and the settings of the way to each host.
 * @throws FettleError `config` where they do not do.
 */
export async function openConnections(
  hosts: readonly Host[],
  request: ConnectionRequest,
  { wanted, use = oneSession }: ConnectionUse,
  context: Context,
): Promise<HostConnections> {
  checkDescriptors(context);
  await using opened = new AsyncDisposableStack();
  const transports = opened.use(openTransports(request, context));
  const routes = await resolveRoutes(hosts, transports);
  const atOnce = await fittingAtOnce(wanted, { hosts, transports, use }, context);
  const kept = opened.move();
  return {
    routes,
    atOnce,
    remote: (record, begun) => remoteOpener({ transports, record, begun }, context),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function openTransports({ hostKey }: ConnectionRequest, context: Context): Transports {
  const { env, homeDir, operator, clock } = context;
  return context.openTransports({
    env,
    clock,
    homeDir,
    userName: operator.user,
    uid: context.uid,
    warn: (message) => context.console.warn(message),
    ...(hostKey === undefined ? {} : { hostKeyPolicy: hostKey }),
  });
}

/**
 * The way to each host, from its transport, before any host is contacted. Throws `config` for settings of hosts that are
 * wrong: the message quotes the first and names the others.
 */
async function resolveRoutes(
  hosts: readonly Host[],
  transports: Transports,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const routes = new Map<string, readonly string[]>();
  const wrong: { readonly host: string; readonly error: FettleError }[] = [];
  const ask = async (host: Host): Promise<void> => {
    try {
      routes.set(host.name, (await transports.get(host.connection.transport)?.route?.(host)) ?? []);
    } catch (error) {
      if (!(error instanceof FettleError) || error.code !== 'config') throw error;
      wrong.push({ host: host.name, error });
    }
  };
  await Promise.all(hosts.map(ask));
  const [first] = wrong;
  if (first === undefined) return routes;
  const { message, hint } = first.error;
  const others = wrong.length === 1 ? '' : `; in all: ${countedHostNames(wrong.map(({ host }) => host))}`;
  throw new FettleError('config', `${first.host}: ${message}${others}`, {
    hint: hint ?? 'correct the inventory or ~/.ssh/config; no host was contacted',
    cause: first.error,
  });
}

interface RemoteParts {
  readonly transports: Transports;
  readonly record: HostKnowledge;
  readonly begun: Promise<void> | undefined;
}

/** One connection a host, opened when it is first needed. */
function remoteOpener({ transports, record, begun }: RemoteParts, context: Context): OpenRemote {
  const { clock } = context;
  const logIn = loginsUntil(begun ?? Promise.resolve());
  const readPaced = pacedReading(clock);
  return (host) => {
    const link = new HostSession(host, {
      open: async (wanted, signal) => {
        const transport = transports.get(wanted.connection.transport);
        if (transport === undefined) {
          throw new FettleError('config', `${wanted.name}: there is no transport "${wanted.connection.transport}"`, {
            hint: `use one of ${transportNames.join(', ')}`,
          });
        }
        return logIn((until) => transport.open(wanted, until === undefined ? {} : { signal: until }), signal);
      },
      elevate,
    });
    const knownManagers = ({ id }: Host): ReturnType<HostKnowledge['knownManagers']> => record.knownManagers(id);
    return new ManagedHost(link, { clock, packageManager: packageManagerNamed, knownManagers, readPaced });
  };
}

export interface RunContextParts {
  readonly run: string;
  readonly record: RunRecord;
  readonly sink: EventSink;
}

export function runContext({ run, record, sink }: RunContextParts, context: Context): RunContext {
  const { operator, clock, env, interruptions } = context;
  const { stop, detach } = interruptions;
  return {
    run,
    record,
    log: new EventLog(record, sink),
    operator,
    clock,
    stop,
    detach,
    packageManager: packageManagerNamed,
    spawnLocal: localSpawner(env),
    limits: engineLimits,
  };
}

/** A run that changes nothing detaches at the first Ctrl-C: there is nothing to bring to a safe point. */
export function readOnlyContext(parts: RunContextParts, context: Context): RunContext {
  return { ...runContext(parts, context), detach: context.interruptions.stop };
}
