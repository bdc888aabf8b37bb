// fettle as it is, but it kills itself at a chosen moment of an install job: node test/lab/dying-fettle.ts MOMENT ARGUMENTS...
import { main } from '../../src/app.ts';
import { openTransports, type TransportEnvironment, type Transports } from '../../src/transport/registry.ts';
import type { ExecRequest, ExecResult, Session } from '../../src/transport/session.ts';

export type Moment = 'before-start' | 'after-claim' | 'after-result' | 'before-collect';

const [moment, ...argv] = process.argv.slice(2);

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('killed');
}

/** The request line of a script, where the job is an install. */
function installRequest(request: ExecRequest): string | undefined {
  const line = String(request.stdin ?? '').split('\n', 1)[0] ?? '';
  return /^v1 \S+ \S+ .*\bjob=\S+-install-\d/.test(line) ? line : undefined;
}

async function execAtMoment(session: Session, request: ExecRequest): Promise<ExecResult> {
  const line = installRequest(request);
  const verb = line?.split(' ')[2];
  if (verb === 'start' && moment === 'before-start') die();
  if (verb === 'start' && moment === 'after-claim') {
    const stdin = String(request.stdin).replace(line ?? '', (line ?? '').replace(' -- ', ' only=claim -- '));
    await session.exec({ ...request, stdin });
    die();
  }
  if (verb === 'collect' && moment === 'before-collect') die();
  const result = await session.exec(request);
  if (verb === 'follow' && moment === 'after-result' && result.stdout.includes('phase done')) die();
  return result;
}

function mortal(session: Session): Session {
  return {
    hostName: session.hostName,
    transport: session.transport,
    shell: session.shell,
    get isAlive() {
      return session.isAlive;
    },
    exec: (request) => execAtMoment(session, request),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

function mortalTransports(environment: TransportEnvironment): Transports {
  const transports = openTransports(environment);
  return {
    get: (name) => {
      const transport = transports.get(name);
      if (transport === undefined) return undefined;
      return { name, open: async (host, options) => mortal(await transport.open(host, options)) };
    },
    [Symbol.asyncDispose]: () => transports[Symbol.asyncDispose](),
  };
}

process.exitCode = await main({ argv, openTransports: mortalTransports });
