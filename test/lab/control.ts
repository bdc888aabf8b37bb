import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Answer, HostStatus, Request } from './spec.ts';

/** Serves requests on a socket: one JSON request a connection, ended by the client, and one JSON answer. */
export async function serveControl(path: string, answer: (request: Request) => Promise<Answer>): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    void respond(socket, answer);
  });
  server.listen(path);
  await once(server, 'listening');
  return server;
}

async function respond(socket: Socket, answer: (request: Request) => Promise<Answer>): Promise<void> {
  try {
    const request: unknown = JSON.parse(await text(socket));
    if (!isRequest(request)) throw new Error('this is no request');
    socket.end(JSON.stringify(await answer(request)));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    socket.end(JSON.stringify({ ok: false, message } satisfies Answer));
  }
}

/** Asks a supervisor. @throws Error when it refuses or is not there. */
export async function ask(path: string, request: Request): Promise<readonly HostStatus[]> {
  const socket = connect({ path, allowHalfOpen: true });
  socket.end(JSON.stringify(request));
  const answer: unknown = JSON.parse(await text(socket));
  if (!isAnswer(answer)) throw new Error(`the lab gave no answer to ${request.verb}`);
  if (!answer.ok) throw new Error(`the lab could not ${request.verb}: ${answer.message}`);
  return answer.hosts;
}

function isRequest(value: unknown): value is Request {
  return typeof value === 'object' && value !== null && 'verb' in value && typeof value.verb === 'string';
}

function isAnswer(value: unknown): value is Answer {
  return typeof value === 'object' && value !== null && 'ok' in value && typeof value.ok === 'boolean';
}
