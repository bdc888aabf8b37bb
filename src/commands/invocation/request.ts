// What several verbs ask for in the same words. A field is named like its option; every default is filled in.
import { isAbsolute, join } from 'node:path';
import { FettleError } from '../../domain/error.ts';
import type { ExitName } from '../../domain/exit.ts';
import { userNameProblem } from '../../domain/plain-name.ts';
import { sealText } from '../../domain/secret-text.ts';
import { checkFields, type FieldChoice, type JsonShape } from '../../report/text/json.ts';
import type { Context, ReadContext } from './context.ts';
import { acceptedExits } from './exit.ts';
import type { Invocation } from './invocation.ts';
import type { Options } from './options.ts';

/** Which hosts of which inventory. */
export interface SelectionRequest {
  /** Absolute paths and host lists; undefined: `inventory.yaml` of the current directory. */
  readonly inventory: readonly string[] | undefined;
  readonly limit: string | undefined;
  readonly allowMissing: boolean;
  readonly extraVars: readonly string[];
}

/** A file (absolute), or the person at the terminal. */
export type PasswordSource = { readonly file: string } | 'prompt';

/** How to log in. What is undefined is left to the inventory. */
export interface LoginRequest {
  readonly user: string | undefined;
  readonly privateKey: string | undefined;
  readonly connection: string | undefined;
  readonly become: boolean | undefined;
  readonly hostKey: Options['hostKey'] | undefined;
  readonly password: PasswordSource | undefined;
  readonly becomePassword: PasswordSource | undefined;
}

/** What is printed on stdout, and how a command that ends so exits. */
export interface OutputRequest {
  readonly json: FieldChoice | undefined;
  readonly jsonl: boolean;
  readonly quiet: boolean;
  readonly verbose: number;
  readonly progress: Options['progress'];
  /** Exit names that exit 0. */
  readonly accepted: ReadonlySet<ExitName>;
}

export interface LedgerRequest {
  /** Absolute; undefined: where this account keeps its ledger. */
  readonly ledger: string | undefined;
  readonly quiet: boolean;
  readonly verbose: number;
}

/** For the record, without the secrets that stood in it. */
export interface NoteRequest {
  readonly ticket: string | undefined;
  readonly reason: string | undefined;
}

/** What a verb asks for that contacts hosts. */
export interface HostsRequest extends SelectionRequest, LoginRequest, OutputRequest {
  /** Hosts at once; undefined: as the plan has it. */
  readonly concurrency: number | undefined;
}

/** What a verb asks for that contacts hosts and records it. */
export interface RunRequest extends HostsRequest, LedgerRequest, NoteRequest {}

/** What `--json` may name: the fields of a shape, or names. */
export type JsonFields = readonly string[] | Pick<JsonShape<never>, 'fields'>;

export function readSelection({ options }: Invocation, context: ReadContext): SelectionRequest {
  const inherited = context.env['ANSIBLE_INVENTORY']?.split(',').filter((path) => path.trim() !== '') ?? [];
  const named = options.inventory ?? (inherited.length === 0 ? undefined : inherited);
  return {
    inventory: named?.map((source) => sourcePath(source, context)),
    limit: options.limit,
    allowMissing: options.allowMissing ?? false,
    extraVars: options.extraVars ?? [],
  };
}

/** A host list (`a,b,`) as it is; of a path that no shell has expanded, `~` is the home directory. */
function sourcePath(source: string, { cwd, env }: Pick<ReadContext, 'cwd' | 'env'>): string {
  if (source.includes(',')) return source;
  return inDirectory(source.replace(/^~(?=\/|$)/, env['HOME'] ?? '~'), { cwd });
}

/** @throws FettleError `usage` for fields that the document does not have, and for `--json` with `--jsonl`. */
export function readOutput({ options }: Invocation, fields: JsonFields): OutputRequest {
  const { json, jsonl = false, quiet = false, verbose = 0, progress = 'auto' } = options;
  if (json !== undefined && jsonl) {
    throw new FettleError('usage', '--json and --jsonl exclude each other', { hint: 'choose one of them' });
  }
  checkFields('fields' in fields ? Object.keys(fields.fields) : fields, json);
  return { json, jsonl, quiet, verbose, progress, accepted: acceptedExits(options.ok) };
}

export function readLedger({ options }: Invocation, context: ReadContext): LedgerRequest {
  const { ledger, quiet = false, verbose = 0 } = options;
  return { ledger: ledger === undefined ? undefined : inDirectory(ledger, context), quiet, verbose };
}

/** @throws FettleError `usage` for a name no user can have, and for a password that nobody can be asked for. */
export function readHosts(invocation: Invocation, context: ReadContext, fields: JsonFields): HostsRequest {
  const { options } = invocation;
  const { user, privateKey, connection, become, hostKey, concurrency } = options;
  const problem = user === undefined ? undefined : userNameProblem(user);
  if (problem !== undefined) throw new FettleError('usage', `--user ${JSON.stringify(user)} ${problem}`);
  return {
    ...readSelection(invocation, context),
    ...readOutput(invocation, fields),
    user,
    privateKey,
    connection,
    become,
    hostKey,
    concurrency,
    password: passwordSource(options.passwordFile, options.askPass, 'login password', context),
    becomePassword: passwordSource(options.becomePasswordFile, options.askBecomePass, 'elevation password', context),
  };
}

export function readRun(invocation: Invocation, context: ReadContext, fields: JsonFields): RunRequest {
  return {
    ...readHosts(invocation, context, fields),
    ...readLedger(invocation, context),
    ...readNotes(invocation),
  };
}

/** What somebody wrote down may hold a secret by mistake, and the record forgets nothing. */
export function readNotes({ options: { ticket, reason } }: Invocation): NoteRequest {
  return { ticket: sealed(ticket), reason: sealed(reason) };
}

function sealed(text: string | undefined): string | undefined {
  return text === undefined ? undefined : sealText(text);
}

/** The path itself where it is absolute, else below the current directory. */
export function inDirectory(path: string, { cwd }: Pick<Context, 'cwd'>): string {
  return isAbsolute(path) ? path : join(cwd, path);
}

function passwordSource(
  file: string | undefined,
  isAsked: boolean | undefined,
  what: string,
  context: ReadContext,
): PasswordSource | undefined {
  if (file !== undefined) return { file: inDirectory(file, context) };
  if (isAsked !== true) return undefined;
  if (context.prompt.isAvailable) return 'prompt';
  throw new FettleError('usage', `cannot ask for the ${what}: there is no terminal`, {
    hint: 'give it with --password-file or --become-password-file',
  });
}
