// fettle as it is, but before each request leaves for a host it names it in a system call of its own, for strace to see:
// node test/lab/synced/marking-fettle.ts ARGUMENTS...
import { openSync, writeSync } from 'node:fs';
import { main } from '../../../src/app.ts';
import { openTransports, type TransportEnvironment, type Transports } from '../../../src/transport/registry.ts';
import type { ExecRequest, Session } from '../../../src/transport/session.ts';
import { markOf } from './mark.ts';

const nowhere = openSync('/dev/null', 'w');

/** Nothing of the request has been given to the connection yet: whatever the socket carries of it comes later. */
function mark(session: Session, request: ExecRequest): void {
  const line = String(request.stdin ?? '').split('\n', 1)[0] ?? '';
  const [, verb] = /^v1 \S+ (\S+) /.exec(line) ?? [];
  const [, job] = /\bjob=(\S+)/.exec(line) ?? [];
  writeSync(nowhere, markOf({ host: session.hostName, verb: verb ?? 'command', job: job ?? '-' }));
}

function marking(session: Session): Session {
  return {
    hostName: session.hostName,
    transport: session.transport,
    shell: session.shell,
    get isAlive() {
      return session.isAlive;
    },
    ...(session.credentials === undefined ? {} : { credentials: session.credentials }),
    exec: (request) => {
      mark(session, request);
      return session.exec(request);
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

function markingTransports(environment: TransportEnvironment): Transports {
  const transports = openTransports(environment);
  return {
    get: (name) => {
      const transport = transports.get(name);
      if (transport === undefined) return undefined;
      return { name, open: async (host, options) => marking(await transport.open(host, options)) };
    },
    [Symbol.asyncDispose]: () => transports[Symbol.asyncDispose](),
  };
}

process.exitCode = await main({ argv: process.argv.slice(2), openTransports: markingTransports });
