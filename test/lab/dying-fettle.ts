// fettle as it is, but it kills itself at a chosen moment of an install job: node test/lab/dying-fettle.ts MOMENT ARGUMENTS...
import { gunzipSync } from 'node:zlib';
import { main } from '../../src/app.ts';
import { decodeAnswer, encodePayload } from '../../src/remote/powershell.ts';
import { openTransports, type TransportEnvironment, type Transports } from '../../src/transport/registry.ts';
import type { ExecRequest, ExecResult, Session } from '../../src/transport/session.ts';

/** The moment is before-start, after-claim, after-result or before-sweep. */
const [moment, ...argv] = process.argv.slice(2);

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('killed');
}

/** What a script is sent: its request line and its text, which are packed for Windows. */
function readSent(session: Session, request: ExecRequest): { readonly line: string; readonly text: string } {
  const sent = String(request.stdin ?? '');
  const [head = '', packed = ''] = sent.split('\n', 2);
  const isPacked = session.shell === 'powershell' && /^v1 \S+ [0-9a-f]{64}$/.test(head);
  const whole = isPacked ? gunzipSync(Buffer.from(packed, 'base64')).toString() : sent;
  const end = whole.indexOf('\n');
  return end < 0 ? { line: whole, text: '' } : { line: whole.slice(0, end), text: whole.slice(end + 1) };
}

/** The same with another request line. */
function sentWith(session: Session, line: string, text: string): string {
  if (session.shell !== 'powershell') return `${line}\n${text}`;
  return encodePayload({ name: 'job', text, sha256: '', files: [] }, { mark: line.split(' ')[1] ?? '', line });
}

/** What a script answered; the frame of Windows is packed. */
function readAnswer(session: Session, { stdout }: ExecResult, line: string): string {
  if (session.shell !== 'powershell') return stdout.toString();
  return String(decodeAnswer(stdout, line.split(' ')[1] ?? '') ?? '');
}

async function execAtMoment(session: Session, request: ExecRequest): Promise<ExecResult> {
  const { line, text } = readSent(session, request);
  if (moment === 'before-sweep' && /^v1 \S+ sweep .*\bover=yes\b/.test(line)) die();
  if (!/^v1 \S+ \S+ .*\bjob=\S+-install-[a-z-]+-\d/.test(line)) return session.exec(request);
  const verb = line.split(' ')[2];
  if (verb === 'start' && moment === 'before-start') die();
  if (verb === 'start' && moment === 'after-claim') {
    await session.exec({ ...request, stdin: sentWith(session, line.replace(' -- ', ' only=claim -- '), text) });
    die();
  }
  const result = await session.exec(request);
  // Where a job ends at once the answer to its start has the result.
  const mayHaveResult = verb === 'follow' || verb === 'start';
  if (mayHaveResult && moment === 'after-result' && readAnswer(session, result, line).includes('phase done')) die();
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
