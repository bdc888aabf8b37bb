import { Command, InvalidArgumentError, Option } from 'commander';
import type { CommandSpec, Invocation } from './invocation/command.ts';
import { commonOptions, optionTable, type OptionName, type Options } from './invocation/options.ts';
import { commands, nouns } from './registry.ts';

/** Runs one parsed command; the composition root hands it in. */
export type Dispatch = (spec: CommandSpec, invocation: Invocation) => Promise<void>;

export interface ProgramStreams {
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/** The command line as commander knows it. Only declarations: a command's code is loaded when it runs. */
export function createProgram(version: string, streams: ProgramStreams, dispatch: Dispatch): Command {
  const program = new Command('fettle')
    .description('Agentless patch management: scan, plan, apply, reboot and verify over SSH and WinRM.')
    .version(version, '-V, --version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ writeOut: streams.write, writeErr: streams.writeError })
    .addHelpText('after', afterHelp);
  const parents = new Map<string, Command>();
  for (const spec of commands) {
    const [first = '', second] = spec.name.split(' ');
    if (second === undefined) {
      addCommand(program, first, spec, dispatch);
      continue;
    }
    let parent = parents.get(first);
    if (parent === undefined) {
      parent = program
        .command(first)
        .description(nouns[first] ?? '')
        .helpCommand(false);
      parents.set(first, parent);
    }
    addCommand(parent, second, spec, dispatch);
  }
  return program;
}

function addCommand(parent: Command, verb: string, spec: CommandSpec, dispatch: Dispatch): void {
  const command = parent.command(verb).description(spec.summary);
  if (spec.argument !== undefined) command.argument(spec.argument);
  for (const name of new Set([...spec.options, ...commonOptions])) {
    command.addOption(toOption(name));
    const { negation } = optionTable[name];
    if (negation !== undefined) command.addOption(new Option(negation, `not ${optionTable[name].flags}`));
  }
  command.addHelpText('after', `\nExamples:\n${spec.examples.map((example) => `  ${example}`).join('\n')}`);
  command.action(async () => {
    const given = command.processedArgs.flat().filter((value): value is string => typeof value === 'string');
    const afterDashes = countAfterDashes(command);
    await dispatch(spec, {
      arguments: given,
      options: command.opts<Partial<Options>>(),
      ...(afterDashes === undefined ? {} : { afterDashes }),
    });
  });
}

/** commander drops the `--`; only the words of the whole program still have it. */
function countAfterDashes(command: Command): number | undefined {
  const { rawArgs } = rootOf(command) as Command & { readonly rawArgs: readonly string[] };
  const at = rawArgs.indexOf('--');
  return at < 0 ? undefined : rawArgs.length - at - 1;
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}

function toOption(name: OptionName): Option {
  const spec = optionTable[name];
  const option = new Option(spec.flags, spec.description);
  if (spec.choices !== undefined) option.choices([...spec.choices]);
  if (spec.repeats)
    option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
  if (spec.counts) option.argParser((_value: string, before: number | undefined) => (before ?? 0) + 1);
  if (spec.number) option.argParser(positiveInteger(name));
  // Only options with a value: FETTLE_YES=0 must not mean yes.
  if (option.required) option.env(`FETTLE_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`);
  return option;
}

function positiveInteger(name: string): (value: string) => number {
  return (value) => {
    if (!/^[1-9]\d{0,6}$/.test(value)) throw new InvalidArgumentError(`${name} must be a positive number.`);
    return Number(value);
  };
}

const afterHelp = `
Exit codes: 0 ok, 1 internal error, 2 usage, 3 changes pending, 4 partial, 5 unreachable, 6 unverified, 7 stopped by
budget, 8 closed, 9 waiting, 10 refused, 11 locked, 12 authentication, 13 ledger, 130/143 interrupted and resumable.

Start here: fettle init, then fettle ping -i inventory.yaml, then fettle plan playbook.yaml -i inventory.yaml`;
