import { randomBytes } from 'node:crypto';
import type { Elevation } from '../domain/host.ts';
import type { ExecRequest, ExecResult, Session } from '../transport/session.ts';
import { begunOf, ElevationDialogue, promptOf, readyOf } from './elevation-dialogue.ts';

export interface ElevationOptions {
  /** What nobody on the host can guess; hex digits. */
  readonly randomMarker?: () => string;
}

/**
 * Runs every command of a session as another account; where the login is that account already nothing stands between.
 * A password is written only after the elevation program asked for it with a marker that nobody else knows, and stdin
 * is passed on only after the elevated shell has reported itself: sent blind, a password would reach the script where
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
 * A command line that every login shell reads alike: sh, bash, ksh, zsh, csh, tcsh and fish disagree about `\` and `'`
 * inside quotes. The script travels as three octal digits a byte, and `sh` alone reads it.
 */
function forAnyShell(script: string): string {
  const octal = Array.from(Buffer.from(script), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  return `exec sh -c 'eval "$(printf "$1")"' sh '${octal}'`;
}

/**
 * sudo(8), doas(1) and su(1), in `sh` whatever the login shell is. Messages are asked for in English, so that they can
 * be distinguished; the command itself gets its own language back. The marks go to stderr, where prompts go: one where the
 * login shell has run anything at all, one where the elevated shell is ready.
 */
function commandLine(elevation: Elevation, mark: string, command: string): string {
  const ready = `printf '%s\\n' ${readyOf(mark)} >&2`;
  const isThere = elevation.user === 'root' ? '[ "$(id -u)" = 0 ]' : `[ "$(id -un)" = ${quote(elevation.user)} ]`;
  const ascent = ascend(elevation, mark, `${ready}; ${command}`);
  return forAnyShell(
    `printf '%s\\n' ${begunOf(mark)} >&2; if ${isThere}; then ${ready}; ${command}; else ${ascent}; fi`,
  );
}

function ascend(elevation: Elevation, mark: string, command: string): string {
  const exe = quote(elevation.exe ?? elevation.method);
  const user = quote(elevation.user);
  const flags = elevation.flags.filter((flag) => elevation.password === undefined || !isNeverAsk(flag));
  const words = flags.map((flag) => `${quote(flag)} `).join('');
  const english = 'LC_ALL=C; export LC_ALL';
  switch (elevation.method) {
    case 'sudo': {
      const asking = elevation.password === undefined ? '-n' : `-S -p ${quote(promptOf(mark))}`;
      const inner = inOwnEnvironment(command, [...keptVariables, ...policyVariables]);
      return `${english}; exec ${exe} -H ${asking} ${words}-u ${user} -- sh -c ${quote(inner)}`;
    }
    case 'doas': {
      const inner = inOwnEnvironment(command, [...keptVariables, ...policyVariables]);
      return `${english}; exec ${exe} -n ${words}-u ${user} sh -c ${quote(inner)}`;
    }
    case 'su': {
      // Some ask on stdout: it is joined to stderr until the command itself begins.
      const inner = `${inOwnEnvironment(command, keptVariables)} 1>&3 3>&-`;
      return `${english}; exec ${exe} ${words}-s /bin/sh -c ${quote(inner)} ${user} 3>&1 1>&2`;
    }
  }
}

/** Directories that only root writes to: the login account's own PATH may lead anywhere. */
const ownPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin:/run/current-system/sw/bin';

/** Who and where the elevated account is, and its language. */
const keptVariables = ['HOME', 'USER', 'LOGNAME', 'SHELL', 'TERM', 'LANG', 'LC_CTYPE'] as const;

/** What sudoers and doas.conf let through on purpose; su lets everything through and is believed none of it. */
const policyVariables = [
  'SUDO_USER',
  'SUDO_UID',
  'SUDO_GID',
  'DOAS_USER',
  'http_proxy',
  'https_proxy',
  'ftp_proxy',
  'no_proxy',
] as const;

/**
 * Nothing of the login account's environment (PATH, TMPDIR, APT_CONFIG, PERL5LIB) reaches what runs elevated: su without
 * `-` would hand all of it on, see su(1).
 */
function inOwnEnvironment(command: string, kept: readonly string[]): string {
  const words = kept.map((name) => `\${${name}:+"${name}=$${name}"}`).join(' ');
  return `PATH=${ownPath}; export PATH; exec env -i "PATH=$PATH" ${words} sh -c ${quote(command)}`;
}

/** Ansible's default flags have `-n`, which would refuse the password that is given. */
function isNeverAsk(flag: string): boolean {
  return flag === '-n' || flag === '--non-interactive';
}
