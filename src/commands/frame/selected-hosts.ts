// From options to resolved hosts: what every command that names hosts begins with.
import { access } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { formatDiagnostic, throwOnErrors, type Diagnostic } from '../../config/yaml/diagnostic.ts';
import { loadInventory, type Inventory } from '../../config/inventory/inventory.ts';
import { resolveHosts, type HostOverrides } from '../../config/host/host-settings.ts';
import { readSecret } from '../../config/host/secret-source.ts';
import { selectHosts } from '../../config/inventory/selector.ts';
import { FettleError } from '../../domain/error.ts';
import type { Host } from '../../domain/host.ts';
import { userNameProblem } from '../../domain/plain-name.ts';
import type { Secret } from '../../domain/secret.ts';
import { distrustOfFile } from '../../trust/trusted-path.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context } from '../invocation/context.ts';
import type { Options } from '../invocation/options.ts';

export interface Fleet {
  readonly inventory: Inventory;
  readonly hosts: readonly Host[];
}

/** The files of `-i`, else FETTLE_INVENTORY, else ANSIBLE_INVENTORY, else `inventory.yaml` here. */
export async function inventorySources(options: Partial<Options>, context: Context): Promise<readonly string[]> {
  const named = options.inventory ?? context.env['ANSIBLE_INVENTORY']?.split(',');
  if (named !== undefined) return named.map((file) => (isAbsolute(file) ? file : join(context.cwd, file)));
  for (const name of ['inventory.yaml', 'inventory.yml']) {
    const file = join(context.cwd, name);
    if (!(await exists(file))) continue;
    refuseForeignInventory(file, context);
    return [file];
  }
  throw new FettleError('usage', 'no inventory is named and there is no inventory.yaml here', {
    hint: 'use -i FILE, set FETTLE_INVENTORY, or write a starter with: fettle init',
  });
}

/** One that was named is the operator's word; one that merely lies here may be anybody's, and it names commands to run. */
function refuseForeignInventory(file: string, { uid, env }: Context): void {
  const sudoer = uid === 0 && /^\d+$/.test(env['SUDO_UID'] ?? '') ? [Number(env['SUDO_UID'])] : [];
  const distrust = distrustOfFile(file, { owners: [uid ?? 0, ...sudoer], groupMayWrite: true });
  if (distrust === undefined) return;
  throw new FettleError('usage', `${file} is not used: ${distrust.path} ${distrust.reason}`, {
    hint: `if you trust what it says, name it: -i ${basename(file)}`,
  });
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** Warnings go to stderr; errors stop the command before any host is contacted. */
export function reportDiagnostics(diagnostics: readonly Diagnostic[], context: Context): void {
  throwOnErrors(diagnostics);
  for (const diagnostic of diagnostics) context.console.warn(formatDiagnostic(diagnostic));
}

export async function openInventory(options: Partial<Options>, context: Context): Promise<Inventory> {
  const sources = await inventorySources(options, context);
  const { inventory, diagnostics } = await loadInventory({ sources, extraVars: options.extraVars ?? [] });
  reportDiagnostics(diagnostics, context);
  return inventory;
}

/** Resolved hosts of a pattern (default `all`), narrowed by `--limit`. */
export async function loadFleet({ options }: Invocation, context: Context, select = 'all'): Promise<Fleet> {
  const inventory = await openInventory(options, context);
  const names = selectHosts(inventory, {
    select,
    ...(options.limit === undefined ? {} : { limit: options.limit }),
    allowMissing: options.allowMissing ?? false,
  });
  return { inventory, hosts: await resolveFleet(inventory, names, options, context) };
}

export async function resolveFleet(
  inventory: Inventory,
  names: readonly string[],
  options: Partial<Options>,
  context: Context,
): Promise<readonly Host[]> {
  const { hosts, diagnostics } = resolveHosts(inventory, names, await hostOverrides(options, context));
  reportDiagnostics(diagnostics, context);
  return hosts;
}

async function hostOverrides(options: Partial<Options>, context: Context): Promise<HostOverrides> {
  const password = await secretFrom(options.passwordFile, options.askPass, 'login password', context);
  const becomePassword = await secretFrom(
    options.becomePasswordFile,
    options.askBecomePass,
    'elevation password',
    context,
  );
  const problem = options.user === undefined ? undefined : userNameProblem(options.user);
  if (problem !== undefined) throw new FettleError('usage', `--user ${JSON.stringify(options.user)} ${problem}`);
  return {
    homeDir: context.homeDir,
    ...(options.user === undefined ? {} : { user: options.user }),
    ...(options.privateKey === undefined ? {} : { privateKeyFile: options.privateKey }),
    ...(options.connection === undefined ? {} : { connection: options.connection }),
    ...(options.become === undefined ? {} : { become: options.become }),
    ...(options.hostKey === undefined ? {} : { hostKeyPolicy: options.hostKey }),
    ...(password === undefined ? {} : { password }),
    ...(becomePassword === undefined ? {} : { becomePassword }),
  };
}

async function secretFrom(
  file: string | undefined,
  ask: boolean | undefined,
  what: string,
  context: Context,
): Promise<Secret | undefined> {
  if (file !== undefined) {
    return readSecret(isAbsolute(file) ? file : join(context.cwd, file), {
      owners: [context.uid ?? 0],
      env: context.env,
    });
  }
  if (ask !== true) return undefined;
  if (!context.prompt.isAvailable) {
    throw new FettleError('usage', `cannot ask for the ${what}: there is no terminal`, {
      hint: 'give it with --password-file or --become-password-file',
    });
  }
  return context.prompt.password(`${what}: `);
}
