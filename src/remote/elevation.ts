import { randomBytes } from 'node:crypto';
import type { Elevation } from '../domain/host.ts';
import type { ExecRequest, ExecResult, Session } from '../transport/session.ts';
import { ElevationDialogue, promptOf, readyOf } from './elevation-dialogue.ts';

export interface ElevationOptions {
  /** What nobody on the host can guess; hex digits. */
  readonly randomMarker?: () => string;
}

/**
 * Runs every command of a session as another account; where the login is that account already nothing stands between.
 * A password is written only after the elevation program asked for it with a marker that nobody else knows, and stdin
 * is let through only after the elevated shell said it is there: sent blind, a password would reach the script where
 * none is asked for. Throws `elevate` when it is refused; a password is never tried twice on one host, and one that
 * two hosts refused is not sent to a third.
 */
export function elevate(session: Session, elevation: Elevation, options: ElevationOptions = {}): Session {
  const randomMarker = options.randomMarker ?? (() => randomBytes(8).toString('hex'));
  return {
    get hostName() {
      return session.hostName;
    },
    get transport() {
      return session.transport;
    },
    get shell() {
      return session.shell;
    },
    get isAlive() {
      return session.isAlive;
    },
    exec: (request) => execElevated(session, { elevation, mark: randomMarker() }, request),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

interface Ascent {
  readonly elevation: Elevation;
  readonly mark: string;
}

async function execElevated(session: Session, { elevation, mark }: Ascent, request: ExecRequest): Promise<ExecResult> {
  const { hostName: host, credentials } = session;
  using dialogue = new ElevationDialogue({ host, elevation, mark, credentials, signal: request.signal });
  const result = await session.exec({ ...request, command: commandLine(elevation, mark, request.command), dialogue });
  if (!dialogue.isThrough) throw dialogue.refusal(result.exitCode);
  return result;
}

/** POSIX single quotes; the only place where values enter command text, and only the inventory's own words do. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * sudo(8), doas(1) and su(1), in `sh` whatever the login shell is. Messages are asked for in English, so that they can
 * be told apart; the command itself gets its own language back. The mark of readiness goes to stderr, where prompts go.
 */
export function commandLine(elevation: Elevation, mark: string, command: string): string {
  const ready = `printf '%s\\n' ${readyOf(mark)} >&2`;
  const isThere = elevation.user === 'root' ? '[ "$(id -u)" = 0 ]' : `[ "$(id -un)" = ${quote(elevation.user)} ]`;
  return `exec sh -c ${quote(`if ${isThere}; then ${ready}; ${command}; else ${ascend(elevation, mark, { ready, command })}; fi`)}`;
}

function ascend(elevation: Elevation, mark: string, { ready, command }: { ready: string; command: string }): string {
  const exe = quote(elevation.exe ?? elevation.method);
  const user = quote(elevation.user);
  const flags = elevation.flags.filter((flag) => elevation.password === undefined || !isNeverAsk(flag));
  const words = flags.map((flag) => `${quote(flag)} `).join('');
  const english = 'LC_ALL=C; export LC_ALL';
  switch (elevation.method) {
    case 'sudo': {
      const asking = elevation.password === undefined ? '-n' : `-S -p ${quote(promptOf(mark))}`;
      return `${english}; exec ${exe} -H ${asking} ${words}-u ${user} -- sh -c ${quote(`unset LC_ALL; ${ready}; ${command}`)}`;
    }
    case 'doas':
      return `${english}; exec ${exe} -n ${words}-u ${user} sh -c ${quote(`unset LC_ALL; ${ready}; ${command}`)}`;
    case 'su': {
      // Some ask on stdout: it is joined to stderr until the command itself begins.
      const inner = `unset LC_ALL; ${ready}; exec 1>&3 3>&-; ${command}`;
      return `${english}; exec ${exe} ${words}-s /bin/sh -c ${quote(inner)} ${user} 3>&1 1>&2`;
    }
  }
}

/** Ansible's default flags have `-n`, which would refuse the password that is given. */
function isNeverAsk(flag: string): boolean {
  return flag === '-n' || flag === '--non-interactive';
}
