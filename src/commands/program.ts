import { Command, InvalidArgumentError, Option, type Help } from 'commander';
import { exitCodes } from '../domain/exit.ts';
import type { CommandSpec, Invocation } from './invocation/command.ts';
import { commonOptions, optionGroups, optionTable, type OptionName, type Options } from './invocation/options.ts';
import { commands, nouns } from './registry.ts';

/** Runs one parsed command; the composition root hands it in. */
export type Dispatch = (spec: CommandSpec, invocation: Invocation) => Promise<void>;

export interface ProgramStreams {
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/**
 * The command line as commander knows it, to read one. Only declarations: a command's code is loaded when it runs, and its
 * options are declared when it is the one that is called.
 */
export function createProgram(version: string, streams: ProgramStreams, dispatch: Dispatch): Command {
  const program = new Command('fettle')
    .description('Agentless patch management: scan, plan, apply, reboot and verify over SSH and WinRM.')
    .version(version, '-V, --version', 'print the version number')
    .helpOption('-h, --help', 'show help')
    .configureHelp(helpStyle)
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ writeOut: streams.write, writeErr: streams.writeError })
    .addHelpText('after', afterHelp)
    .hook('preSubcommand', declareOptions);
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
        .helpCommand(false)
        .hook('preSubcommand', declareOptions);
      parents.set(first, parent);
    }
    addCommand(parent, second, spec, dispatch);
  }
  return program;
}

/** In 80 columns: no `[options]` in lists, and the variable of each option is not repeated with it. */
const helpStyle: Partial<Help> = {
  subcommandTerm: (command) => [command.name(), ...command.registeredArguments.map(argumentTerm)].join(' '),
  optionDescription: ({ description, argChoices }) =>
    argChoices === undefined ? description : `${description} (${argChoices.join(', ')})`,
};

function argumentTerm(argument: Command['registeredArguments'][number]): string {
  const text = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${text}>` : `[${text}]`;
}

function addCommand(parent: Command, verb: string, spec: CommandSpec, dispatch: Dispatch): void {
  const command = parent.command(verb).description(spec.summary);
  if (spec.argument !== undefined) command.argument(spec.argument);
  undeclared.set(command, spec);
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

/** Commands by their options, which only the command that is called has to know. */
const undeclared = new WeakMap<Command, CommandSpec>();

/** A hook of commander, called before a command reads its words. */
function declareOptions(_parent: Command, command: Command): void {
  const spec = undeclared.get(command);
  if (spec === undefined || !undeclared.delete(command)) return;
  for (const option of optionsOf(spec)) command.addOption(option);
  command.addHelpText('after', commandHelp(spec));
}

/** Group by group; what is special to the command comes first. */
function optionsOf({ options, meanings = {} }: CommandSpec): readonly Option[] {
  const names = [...new Set([...options, ...commonOptions])];
  const place = (name: OptionName): number => optionGroups.indexOf(optionTable[name].group);
  const inGroups = names.toSorted((one, other) => place(one) - place(other));
  return inGroups.flatMap((name) => {
    const { group, negation } = optionTable[name];
    const made = [toOption(name, meanings[name])];
    if (negation !== undefined) made.push(new Option(negation.flag, negation.description));
    return made.map((option) => (group === undefined ? option : option.helpGroup(`${group}:`)));
  });
}

function commandHelp({ examples, options }: CommandSpec): string {
  const example = options.includes('limit') ? '--limit web as FETTLE_LIMIT=web' : '--ok changes as FETTLE_OK=changes';
  return `
Each option with a value can also be set in the environment:
  ${example}

Examples:
${examples.map((line) => `  ${line}`).join('\n')}`;
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

function toOption(name: OptionName, meaning: string | undefined): Option {
  const spec = optionTable[name];
  const option = new Option(spec.flags, meaning ?? spec.description);
  // Its value where it is not given; commander sets that itself only for options that are declared before any word is read.
  if (option.negate) option.default(true);
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

/** Four columns, the codes in order from the top down. */
function exitCodeTable(): string {
  const cells = Object.entries(exitCodes).map(([name, code]) => `${String(code).padStart(5)} ${name.padEnd(12)}`);
  const rows = Math.ceil(cells.length / 4);
  const row = (index: number): string => cells.filter((_, at) => at % rows === index).join('');
  return Array.from({ length: rows }, (_, index) => row(index).trimEnd()).join('\n');
}

const afterHelp = `
Exit codes, with the names that --ok accepts:
${exitCodeTable()}

Get started:
  fettle init
  fettle ping -i inventory.yaml
  fettle plan playbook.yaml -i inventory.yaml

Help for a command: fettle COMMAND --help`;
