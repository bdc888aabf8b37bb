// From options to resolved hosts: what every command that names hosts begins with.
import { access } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { formatDiagnostic, throwOnErrors, type Diagnostic } from '../../config/yaml/diagnostic.ts';
import { loadInventory, type Inventory } from '../../config/inventory/inventory.ts';
import { resolveHosts, type HostOverrides } from '../../config/host/host-settings.ts';
import { readSecret } from '../../config/host/secret-source.ts';
import { selectHosts } from '../../config/inventory/selector.ts';
import { FettleError } from '../../domain/error.ts';
import type { Host } from '../../domain/host.ts';
import type { Secret } from '../../domain/secret.ts';
import { distrustOfFile } from '../../trust/trusted-path.ts';
import type { Context } from '../invocation/context.ts';
import type { LoginRequest, PasswordSource, SelectionRequest } from '../invocation/request.ts';

export interface Fleet {
  readonly inventory: Inventory;
  readonly hosts: readonly Host[];
}

/** What a verb asks for that names hosts; how to log in only where it contacts them. */
type FleetRequest = SelectionRequest & Partial<LoginRequest>;

/** The files that are named, else `inventory.yaml` of the current directory. */
export async function inventorySources({ inventory }: SelectionRequest, context: Context): Promise<readonly string[]> {
  if (inventory !== undefined) return inventory;
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

/** The operator vouches for a file that is named; one that merely lies here may be anybody's, and it names commands to run. */
function refuseForeignInventory(file: string, { uid, env }: Context): void {
  const sudoer = uid === 0 && /^\d+$/.test(env['SUDO_UID'] ?? '') ? [Number(env['SUDO_UID'])] : [];
  const distrust = distrustOfFile(file, { owners: [uid ?? 0, ...sudoer], groupMayWrite: true });
  if (distrust === undefined) return;
  throw new FettleError('usage', `${file} is not used: ${distrust.path} ${distrust.reason}`, {
    hint: `if you trust its content, name it: -i ${basename(file)}`,
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
  const said = diagnostics.filter(({ lintOnly }) => lintOnly !== true);
  for (const diagnostic of said) context.console.warn(formatDiagnostic(diagnostic));
}

export async function openInventory(request: SelectionRequest, context: Context): Promise<Inventory> {
  const sources = await inventorySources(request, context);
  const { inventory, diagnostics } = await loadInventory({ sources, extraVars: request.extraVars });
  reportDiagnostics(diagnostics, context);
  return inventory;
}

/** Resolved hosts of a pattern (default `all`), narrowed by `--limit`. */
export async function loadFleet(request: FleetRequest, context: Context, select = 'all'): Promise<Fleet> {
  const inventory = await openInventory(request, context);
  const names = selectedNames(inventory, request, select);
  return { inventory, hosts: await resolveFleet(inventory, names, request, context) };
}

/** @throws FettleError `usage` where no host is left, and for a part of a pattern without a host. */
export function selectedNames(
  inventory: Inventory,
  { limit, allowMissing }: SelectionRequest,
  select = 'all',
): readonly string[] {
  return selectHosts(inventory, { select, allowMissing, ...(limit === undefined ? {} : { limit }) });
}

export async function resolveFleet(
  inventory: Inventory,
  names: readonly string[],
  request: Partial<LoginRequest>,
  context: Context,
): Promise<readonly Host[]> {
  const { hosts, diagnostics } = resolveHosts(inventory, names, await hostOverrides(request, context));
  reportDiagnostics(diagnostics, context);
  return hosts;
}

async function hostOverrides(request: Partial<LoginRequest>, context: Context): Promise<HostOverrides> {
  const { user, privateKey, connection, become, hostKey } = request;
  // Who only lists hosts does not say how to log in, and needs no key.
  const connects = 'privateKey' in request;
  const password = await passwordFrom(request.password, 'login password', context);
  const becomePassword = await passwordFrom(request.becomePassword, 'elevation password', context);
  return {
    homeDir: context.homeDir,
    connects,
    ...(user === undefined ? {} : { user }),
    ...(privateKey === undefined ? {} : { privateKeyFile: privateKey }),
    ...(connection === undefined ? {} : { connection }),
    ...(become === undefined ? {} : { become }),
    ...(hostKey === undefined ? {} : { hostKeyPolicy: hostKey }),
    ...(password === undefined ? {} : { password }),
    ...(becomePassword === undefined ? {} : { becomePassword }),
  };
}

async function passwordFrom(
  source: PasswordSource | undefined,
  what: string,
  { prompt, uid, env }: Context,
): Promise<Secret | undefined> {
  if (source === undefined) return undefined;
  if (source === 'prompt') return prompt.password(`${what}: `);
  return readSecret(source.file, { owners: [uid ?? 0], env });
}
