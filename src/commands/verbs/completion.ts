import { FettleError } from '../../domain/error.ts';
import type { ExitName } from '../../domain/exit.ts';
import type { Invocation } from '../invocation/command.ts';
import type { Context, ReadContext } from '../invocation/context.ts';
import { commonOptions, optionTable, type CommandOutline } from '../invocation/options.ts';

/** `--limit` from `-l, --limit <pattern>`. */
function longFlag(flags: string): string {
  return /--[a-z-]+/.exec(flags)?.[0] ?? flags;
}

function words(commands: readonly CommandOutline[]): readonly { path: string; next: string }[] {
  const byPath = new Map<string, Set<string>>();
  const add = (path: string, word: string): void => {
    byPath.set(path, (byPath.get(path) ?? new Set()).add(word));
  };
  for (const command of commands) {
    const parts = command.name.split(' ');
    for (const [index, part] of parts.entries()) add(parts.slice(0, index).join(' '), part);
    for (const name of [...command.options, ...commonOptions]) add(command.name, longFlag(optionTable[name].flags));
  }
  return [...byPath].map(([path, next]) => ({ path, next: [...next].join(' ') }));
}

function bash(commands: readonly CommandOutline[]): string {
  const cases = words(commands).map(({ path, next }) => `    "${path}") words="${next}" ;;`);
  return `_fettle() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" words="" index word
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case "$word" in -*) continue ;; esac
    case "$path" in "" | ${nounPattern(commands)}) path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ "\${#COMPREPLY[@]}" -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -o filenames -F _fettle fettle
`;
}

function nounPattern(commands: readonly CommandOutline[]): string {
  return [...new Set(commands.filter(({ name }) => name.includes(' ')).map(({ name }) => name.split(' ')[0]))].join(
    ' | ',
  );
}

function zsh(commands: readonly CommandOutline[]): string {
  return `#compdef fettle\nautoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;
}

function fish(commands: readonly CommandOutline[]): string {
  const lines = ['complete -c fettle -f'];
  for (const command of commands) {
    const [first = '', second] = command.name.split(' ');
    const summary = command.summary.replaceAll("'", "\\'");
    if (second === undefined) {
      lines.push(`complete -c fettle -n __fish_use_subcommand -a ${first} -d '${summary}'`);
    } else {
      lines.push(`complete -c fettle -n __fish_use_subcommand -a ${first}`);
      lines.push(`complete -c fettle -n '__fish_seen_subcommand_from ${first}' -a ${second} -d '${summary}'`);
    }
    for (const name of command.options) {
      const flag = longFlag(optionTable[name].flags).slice(2);
      lines.push(`complete -c fettle -n '__fish_seen_subcommand_from ${second ?? first}' -l ${flag}`);
    }
  }
  return `${[...new Set(lines)].join('\n')}\n`;
}

const shells: Readonly<Record<string, (commands: readonly CommandOutline[]) => string>> = { bash, zsh, fish };

interface CompletionRequest {
  readonly script: string;
}

export function read({ arguments: [name = ''] }: Invocation, { commands }: ReadContext): CompletionRequest {
  const shell = Object.hasOwn(shells, name) ? shells[name] : undefined;
  if (shell !== undefined) return { script: shell(commands) };
  throw new FettleError('usage', `there is no completion for "${name}"`, {
    hint: `one of ${Object.keys(shells).join(', ')}`,
  });
}

export async function run({ script }: CompletionRequest, context: Context): Promise<ExitName> {
  context.console.print(script);
  return 'ok';
}
