// The shells of a host and what runs in them.
import { randomUUID } from 'node:crypto';
import { Command } from './command.ts';
import type { CommandHost } from './command-host.ts';
import { duration, OperationFault, type SoapFault, type SoapRequest } from './soap.ts';
import { child } from './xml-tree.ts';

/** Names as `winrm get winrm/config` has them, sizes in bytes and milliseconds. */
export interface Quotas {
  readonly maxShellsPerUser: number;
  /** Counted for each user over the commands of live shells; a command that ended keeps its place. */
  readonly maxOperationsPerUser: number;
  readonly maxEnvelopeBytes: number;
  readonly maxTimeoutMs: number;
}

export const defaultQuotas: Quotas = {
  maxShellsPerUser: 30,
  maxOperationsPerUser: 1500,
  maxEnvelopeBytes: 512_000,
  maxTimeoutMs: 60_000,
};

export interface Shell {
  readonly id: string;
  readonly owner: string;
  readonly name: string;
  readonly options: ReadonlyMap<string, string>;
  readonly idleTimeoutMs: number;
  readonly commands: Map<string, Command>;
  operations: number;
  lastUsed: number;
}

export const notFound: SoapFault = {
  code: 2150858843,
  subcode: 'InvalidSelectors',
  message: 'The request contained invalid selectors for the resource.',
};

export class ShellTable {
  readonly quotas: Quotas;
  readonly #host: CommandHost;
  readonly #shells = new Map<string, Shell>();

  constructor(host: CommandHost, quotas: Quotas) {
    this.#host = host;
    this.quotas = quotas;
  }

  get all(): readonly Shell[] {
    return [...this.#shells.values()];
  }

  create({ body, options }: SoapRequest, owner: string): Shell {
    this.#expire();
    if (this.#of(owner).length >= this.quotas.maxShellsPerUser) {
      const message = 'The maximum number of concurrent shells for this user has been exceeded.';
      throw new OperationFault({ code: 2150859173, subcode: 'QuotaLimit', message });
    }
    const shell: Shell = {
      id: guid(),
      owner,
      name: body?.attributes.get('Name') ?? '',
      options,
      idleTimeoutMs: duration(child(body, 'IdleTimeOut')?.text ?? 'PT7200S'),
      commands: new Map(),
      operations: 0,
      lastUsed: Date.now(),
    };
    this.#shells.set(shell.id, shell);
    return shell;
  }

  find(id: string, owner: string): Shell {
    this.#expire();
    const shell = this.#shells.get(id);
    if (shell?.owner !== owner) throw new OperationFault(notFound);
    shell.lastUsed = Date.now();
    return shell;
  }

  command(shell: Shell, id: string | undefined): Command {
    const command = shell.commands.get((id ?? '').toUpperCase());
    if (command === undefined || !this.#shells.has(shell.id)) throw new OperationFault(notFound);
    return command;
  }

  start(shell: Shell, { body }: SoapRequest): Command {
    const count = this.#of(shell.owner).reduce((sum, { operations }) => sum + operations, 0);
    if (count >= this.quotas.maxOperationsPerUser) {
      const message = 'The maximum number of concurrent operations for this user has been exceeded.';
      throw new OperationFault({ code: 2150859174, message, style: 'wmi' });
    }
    const words = (body?.children ?? []).filter(({ name }) => name === 'Command' || name === 'Arguments');
    const line = words.map(({ text }) => text).join(' ');
    const id = (body?.attributes.get('CommandId') ?? guid()).toUpperCase();
    if (shell.commands.has(id)) throw new OperationFault({ code: 183, message: 'The command id is already in use.' });
    const command = new Command(id, line, this.#host.start(line));
    shell.operations += 1;
    shell.commands.set(id, command);
    return command;
  }

  delete(shell: Shell): void {
    this.#shells.delete(shell.id);
    for (const { process } of shell.commands.values()) process.kill();
  }

  deleteAll(): void {
    for (const shell of this.all) this.delete(shell);
  }

  #of(owner: string): readonly Shell[] {
    return this.all.filter((shell) => shell.owner === owner);
  }

  #expire(): void {
    const now = Date.now();
    for (const shell of this.all) {
      const isBusy = [...shell.commands.values()].some(({ hasEnded }) => !hasEnded);
      if (!isBusy && now - shell.lastUsed > shell.idleTimeoutMs) this.delete(shell);
    }
  }
}

function guid(): string {
  return randomUUID().toUpperCase();
}
