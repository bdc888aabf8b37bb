import { FettleError } from '../domain/error.ts';
import type { Elevation } from '../domain/host.ts';
import type { Secret } from '../domain/secret.ts';
import type { CredentialGuard, Offer } from '../transport/credential-guard.ts';
import type { Dialogue, DialogueAnswer } from '../transport/session.ts';

export interface ElevationDialogueOptions {
  readonly host: string;
  readonly elevation: Elevation;
  readonly mark: string;
  readonly credentials: CredentialGuard | undefined;
  readonly signal: AbortSignal | undefined;
}

export function promptOf(mark: string): string {
  return `fettle-${mark}-password:`;
}

/** Printed by the login shell before anything else: without it, no command of fettle has run. */
export function begunOf(mark: string): string {
  return `fettle-${mark}-begun`;
}

export function readyOf(mark: string): string {
  return `fettle-${mark}-ready`;
}

/** Where the words end; -1 where they are not. */
function endOf(text: string, words: string): number {
  const at = text.indexOf(words);
  return at < 0 ? -1 : at + words.length;
}

/** Longer than any prompt; a question stands in the last characters. */
const promptLength = 1_000;

/** su(1) cannot be given a prompt: only an unfinished last line counts as its prompt. */
function suPromptEnd(stderr: string): number {
  const line = stderr.slice(Math.max(stderr.lastIndexOf('\n') + 1, stderr.length - promptLength)).toLowerCase();
  const isQuestion = line.endsWith(':') || line.endsWith(': ');
  return isQuestion && line.includes('password') ? stderr.length : -1;
}

/** Directories behind PAM may be slow; a program that waits for something else must not be waited for. */
const elevationLimitMs = 60_000;

/** The output between the start of sudo, doas or su and the first output of the elevated shell. */
export class ElevationDialogue implements Dialogue, Disposable {
  readonly limitMs = elevationLimitMs;
  readonly #options: ElevationDialogueOptions;
  readonly #findPrompt: (stderr: string) => number;
  readonly #ready: string;
  /** Undefined until the guard was asked; null where it does not want the password to be sent. */
  #offer: Offer | null | undefined;
  #wasSent = false;
  #isOver = false;
  #received = '';
  #hasBegun = false;
  isThrough = false;

  constructor(options: ElevationDialogueOptions) {
    const { mark, elevation } = options;
    this.#options = options;
    this.#ready = `${readyOf(mark)}\n`;
    this.#findPrompt = elevation.method === 'su' ? suPromptEnd : (stderr) => endOf(stderr, promptOf(mark));
  }

  next(stderr: string): DialogueAnswer {
    this.#received = this.#afterBegun(stderr);
    const readyAt = stderr.indexOf(this.#ready);
    if (readyAt >= 0) {
      this.isThrough = true;
      if (this.#wasSent) this.#offer?.accepted();
      return { kind: 'go', consumed: readyAt + this.#ready.length };
    }
    const askedTo = this.#findPrompt(stderr);
    return askedTo < 0 ? { kind: 'wait' } : this.#answer(askedTo);
  }

  /** Earlier output of a profile of the account is not output of the elevation program. */
  #afterBegun(stderr: string): string {
    const begun = `${begunOf(this.#options.mark)}\n`;
    const at = stderr.indexOf(begun);
    this.#hasBegun ||= at >= 0;
    return at < 0 ? stderr : stderr.slice(at + begun.length);
  }

  #answer(consumed: number): DialogueAnswer {
    const { password } = this.#options.elevation;
    if (password === undefined) return { kind: 'fail', error: this.#error(wantsPassword) };
    if (this.#wasSent) {
      this.#offer?.refused();
      return { kind: 'fail', error: this.#error(refusesPassword) };
    }
    if (this.#offer === undefined && this.#options.credentials !== undefined) {
      return { kind: 'later', until: this.#askGuard(this.#options.credentials, password) };
    }
    if (this.#offer === null) return { kind: 'fail', error: this.#error(withheld) };
    this.#wasSent = true;
    this.#received = '';
    return { kind: 'send', bytes: Buffer.from(`${password.reveal()}\n`), consumed };
  }

  async #askGuard(guard: CredentialGuard, password: Secret): Promise<void> {
    const { elevation, signal } = this.#options;
    const offer = await guard.offer(`${elevation.method} ${elevation.user}`, password, signal);
    if (this.#isOver) offer?.withdrawn();
    this.#offer = offer ?? null;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#offer?.withdrawn();
  }

  /** The program ended before our shell began. */
  refusal(exitCode: number | null): FettleError {
    const text = Buffer.from(this.#received, 'latin1').toString('utf8');
    if (!this.#hasBegun) return this.#noShell(text, exitCode);
    const known = reasons.find(({ pattern }) => pattern.test(text));
    const lines = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
    const telling = lines.findLast((line) => known?.pattern.test(line)) ?? lines.at(-1);
    const detail = telling ?? `it ended with status ${exitCode ?? 'none'}`;
    const isUnasked = known === wantsPassword && this.#options.elevation.method === 'doas';
    const reason = isUnasked ? doasWantsPassword : known;
    if (this.#wasSent && (reason === refusesPassword || reason === undefined)) this.#offer?.refused();
    return this.#error(
      reason ?? { what: 'refuses the elevation', hint: 'run it on the host by hand to check' },
      detail,
    );
  }

  /** The login shell ended, or became another program, before it ran any command of fettle. */
  #noShell(text: string, exitCode: number | null): FettleError {
    const detail = text.trim().split('\n').at(-1)?.trim() ?? '';
    const words = detail === '' ? '' : `; its last output was: ${detail.slice(0, 200)}`;
    const message = `the login shell on ${this.#options.host} ran no command: it ended with status ${exitCode ?? 'none'}${words}`;
    return new FettleError('elevate', message, {
      hint: 'a start-up file of the account (.bashrc, .profile, config.fish) exits or starts another program; try: ssh HOST true',
    });
  }

  #error({ what, hint }: Pick<Reason, 'what' | 'hint'>, detail?: string): FettleError {
    const { elevation, host } = this.#options;
    const words = detail === undefined ? '' : ` (${detail.slice(0, 200)})`;
    return new FettleError('elevate', `${elevation.method} to ${elevation.user} on ${host} ${what}${words}`, { hint });
  }
}

interface Reason {
  readonly pattern: RegExp;
  readonly what: string;
  readonly hint: string;
}

const wantsPassword: Reason = {
  pattern: /a password is required|Authentication required|no password was provided/i,
  what: 'requires a password',
  hint: 'pass it with -K or --become-password-file, or allow sudo without a password in sudoers',
};

const doasWantsPassword: Reason = {
  ...wantsPassword,
  hint: 'doas reads passwords only from a terminal: allow it with "permit nopass" in doas.conf, or use sudo',
};

const refusesPassword: Reason = {
  pattern: /incorrect password|Authentication failure|Authentication failed|Sorry, try again|su: incorrect|Sorry$/im,
  what: 'refuses the password',
  hint: 'check -K or ansible_become_password',
};

const withheld: Pick<Reason, 'what' | 'hint'> = {
  what: 'was not tried: the password was refused twice before',
  hint: 'the password is probably wrong; it was not sent again so that the account is not locked',
};

/** Messages of sudo 1.8-1.9, opendoas, util-linux and busybox su, the most specific first. */
const reasons: readonly Reason[] = [
  {
    pattern: /must have a tty|requiretty|no tty present/i,
    what: 'requires a terminal (requiretty)',
    hint: 'set "Defaults:USER !requiretty" in sudoers on the host',
  },
  {
    pattern: /not in the sudoers file|may not run sudo|not allowed to (execute|run)|Operation not permitted/i,
    what: 'is not allowed for this account',
    hint: 'fettle needs to run sh; add a rule to sudoers or doas.conf on the host',
  },
  {
    pattern:
      /account (has )?expired|password (has )?expired|Password change required|not available|account is locked|account validation failure/i,
    what: 'failed: the account has expired or must not be used',
    hint: 'check the account on the host (chage -l)',
  },
  {
    pattern: /unknown user|(user|User) \S+ does not exist|no passwd entry/i,
    what: 'failed: there is no such account',
    hint: 'check ansible_become_user',
  },
  wantsPassword,
  refusesPassword,
  {
    pattern: /must be suid|effective uid is not 0|setuid/i,
    what: 'has no set-user-id rights on the host',
    hint: 'its file must belong to root with the set-user-id bit, on a file system without nosuid',
  },
  {
    pattern: /not found|No such file|Permission denied/i,
    what: 'cannot be run on the host',
    hint: 'install it, or set ansible_become_method or ansible_become_exe',
  },
];
