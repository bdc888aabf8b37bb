import { randomBytes } from 'node:crypto';
import { FettleError } from '../domain/error.ts';
import type { Elevation } from '../domain/host.ts';
import type { Dialogue, DialogueAnswer, ExecRequest, ExecResult, Session } from '../transport/session.ts';

/** POSIX single quotes; the only place where a value enters command text, and only the inventory's own words do. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Runs every command of a session as another account. A password is written only after the elevation program asked for
 * it with a marker that nobody else knows, and stdin is let through only after the elevated shell said it is there:
 * sent blind, a password would reach the script where none is asked for.
 */
export function elevate(session: Session, elevation: Elevation): Session {
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
    exec: (request) => execElevated(session, elevation, request),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

async function execElevated(session: Session, elevation: Elevation, request: ExecRequest): Promise<ExecResult> {
  const mark = randomBytes(8).toString('hex');
  const dialogue = new ElevationDialogue(session.hostName, elevation, mark);
  const result = await session.exec({ ...request, command: commandLine(elevation, mark, request.command), dialogue });
  if (!dialogue.isThrough) throw dialogue.refused(result.stderr.toString('utf8'));
  return result;
}

function prompt(mark: string): string {
  return `fettle-${mark}-password:`;
}

function ready(mark: string): string {
  return `fettle-${mark}-ready`;
}

/** sudo(8), doas(1) and su(1); the marker of readiness goes to stderr, where prompts go. */
function commandLine(elevation: Elevation, mark: string, command: string): string {
  const exe = quote(elevation.exe ?? elevation.method);
  const flags = elevation.flags.map(quote).join(' ');
  const user = quote(elevation.user);
  const inner = quote(`printf '%s\\n' ${ready(mark)} >&2; ${command}`);
  switch (elevation.method) {
    case 'sudo': {
      const asking = elevation.password === undefined ? '-n' : `-S -p ${quote(prompt(mark))}`;
      return `exec ${exe} -H ${asking} -u ${user} ${flags} -- sh -c ${inner}`;
    }
    case 'doas':
      return `exec ${exe} -n -u ${user} ${flags} sh -c ${inner}`;
    case 'su':
      return `exec ${exe} ${flags} ${user} -s /bin/sh -c ${inner}`;
  }
}

class ElevationDialogue implements Dialogue {
  readonly #host: string;
  readonly #elevation: Elevation;
  readonly #prompt: RegExp;
  readonly #ready: string;
  #wasAsked = false;
  isThrough = false;

  constructor(host: string, elevation: Elevation, mark: string) {
    this.#host = host;
    this.#elevation = elevation;
    this.#ready = `${ready(mark)}\n`;
    this.#prompt = elevation.method === 'su' ? /[Pp]assword: ?|: $/ : new RegExp(prompt(mark));
  }

  next(stderr: string): DialogueAnswer {
    const readyAt = stderr.indexOf(this.#ready);
    if (readyAt >= 0) {
      this.isThrough = true;
      return { kind: 'go', consumed: readyAt + this.#ready.length };
    }
    const asked = this.#prompt.exec(stderr);
    if (asked === null) return { kind: 'wait' };
    const { password } = this.#elevation;
    if (password === undefined) return { kind: 'fail', error: this.#error('wants a password', passwordHint) };
    if (this.#wasAsked)
      return { kind: 'fail', error: this.#error('refuses the password', 'check -K or ansible_become_password') };
    this.#wasAsked = true;
    return { kind: 'send', bytes: Buffer.from(`${password.reveal()}\n`), consumed: asked.index + asked[0].length };
  }

  /** The program ended before our shell began. */
  refused(stderr: string): FettleError {
    const said =
      stderr
        .trim()
        .split('\n')
        .filter((line) => line !== '')
        .at(-1) ?? 'it said nothing';
    const known = reasons.find(({ pattern }) => pattern.test(stderr));
    return this.#error(known?.what ?? `does not let us through: ${said}`, known?.hint ?? 'try it there by hand');
  }

  #error(what: string, hint: string): FettleError {
    const { method, user } = this.#elevation;
    return new FettleError('elevate', `${method} to ${user} on ${this.#host} ${what}`, { hint });
  }
}

const passwordHint = 'give it with -K or --become-password-file, or allow it without one in sudoers';

const reasons: readonly { readonly pattern: RegExp; readonly what: string; readonly hint: string }[] = [
  {
    pattern: /a password is required|Authentication required|no tty present/i,
    what: 'wants a password',
    hint: passwordHint,
  },
  {
    pattern: /incorrect password|Authentication failure|Authentication failed|Sorry, try again/i,
    what: 'refuses the password',
    hint: 'check -K or ansible_become_password',
  },
  {
    pattern: /not in the sudoers file|not allowed to (execute|run)|Operation not permitted/i,
    what: 'is not allowed for this account',
    hint: 'fettle needs to run sh; add a rule to sudoers or doas.conf there',
  },
  {
    pattern: /must have a tty|requiretty/i,
    what: 'wants a terminal (requiretty)',
    hint: 'set "Defaults:USER !requiretty" in sudoers there',
  },
  { pattern: /not found|No such file/i, what: 'is not there', hint: 'install it, or set ansible_become_method' },
  {
    pattern: /expired|not available/i,
    what: 'meets an account that may not be used',
    hint: 'look at the account there',
  },
];
