import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CommandSpec } from '../../../src/commands/invocation/command.ts';
import { commonOptions, optionTable, type OptionName } from '../../../src/commands/invocation/options.ts';
import { commands } from '../../../src/commands/registry.ts';
import { verbRows } from './own.ts';
import { optionsRead, readWords } from './read-words.ts';
import type { Row } from './row.ts';
import { commonRows, outputRows, sharedRows } from './shared.ts';

/** Every flag of a verb, with those that every verb takes. */
function flagsOf(spec: CommandSpec): readonly OptionName[] {
  return [...new Set([...spec.options, ...commonOptions])];
}

function rowsOf(verb: string, flag: OptionName): readonly Row[] {
  return verbRows[verb]?.flags?.[flag] ?? sharedRows[flag] ?? commonRows[flag] ?? [];
}

/** Flags whose text is judged by nobody before the work begins. */
const anyText: readonly OptionName[] = [
  ...(['inventory', 'limit', 'extraVars', 'privateKey', 'passwordFile', 'becomePasswordFile'] as const),
  ...(['ledger', 'out', 'ticket', 'reason', 'update', 'run', 'allowedSigners', 'ok'] as const),
];

async function check(spec: CommandSpec, row: Row): Promise<void> {
  const given = row.arguments ?? verbRows[spec.name]?.arguments ?? [];
  // What follows `--` is no flag.
  const isLast = given[0] === '--';
  const words = [...spec.name.split(' '), ...(isLast ? [...row.words, ...given] : [...given, ...row.words])];
  const answer = await readWords(words, row);
  const line = words.join(' ');
  if ('refused' in row) {
    assert.ok('refused' in answer, `${line} is not refused`);
    assert.match(answer.refused, row.refused, line);
    return;
  }
  assert.ok(!('refused' in answer), `${line}: ${'refused' in answer ? answer.refused : ''}`);
  for (const [name, value] of Object.entries(row.request ?? {})) {
    assert.ok(name in answer.request, `${line}: the request has no ${name}`);
    assert.deepEqual(answer.request[name], value, `${line}: ${name}`);
  }
  for (const [name, value] of Object.entries(row.options ?? {})) {
    assert.deepEqual(answer.options[name], value, `${line}: ${name}`);
  }
}

describe('each flag becomes the request of its table', () => {
  for (const spec of commands) {
    const { argumentRows = [], combinations = [] } = verbRows[spec.name] ?? {};
    test(`${spec.name}, for its arguments and what may not stand together`, async () => {
      for (const row of [...argumentRows, ...combinations]) await check(spec, row);
    });

    test(`${spec.name}, for each of its flags`, async () => {
      for (const flag of flagsOf(spec)) for (const row of rowsOf(spec.name, flag)) await check(spec, row);
      if (spec.options.includes('json')) for (const row of outputRows) await check(spec, row);
    });
  }
});

describe('the tables are complete', () => {
  test('every flag of every verb has a row without it and a row with it', () => {
    for (const spec of commands) {
      for (const flag of flagsOf(spec)) {
        const { flags, negation } = optionTable[flag];
        const names = [flags, negation?.flag ?? ''].flatMap(
          (text) => text.match(/(?<![\w-])--?[a-zA-Z][a-z-]*/g) ?? [],
        );
        const isGiven = ({ words }: Row): boolean =>
          words.some((word) =>
            names.some((name) => word === name || word.startsWith(`${name}=`) || isCounted(word, name)),
          );
        const rows = rowsOf(spec.name, flag);
        assert.ok(
          rows.some((row) => !isGiven(row)),
          `${spec.name} ${flags}: no row for its default`,
        );
        assert.ok(
          rows.some((row) => isGiven(row)),
          `${spec.name} ${flags}: no row that gives it`,
        );
      }
    }
  });

  test('every flag that takes a value is refused some value, unless any text will do', () => {
    for (const spec of commands) {
      for (const flag of flagsOf(spec)) {
        if (!/[<[]/.test(optionTable[flag].flags) || anyText.includes(flag)) continue;
        const isRefused = rowsOf(spec.name, flag).some((row) => 'refused' in row);
        assert.ok(isRefused, `${spec.name} ${optionTable[flag].flags}: no row with a wrong value`);
      }
    }
  });

  test('no verb takes a flag that it does not read', async () => {
    // `--no-input` is obeyed by the prompt, the others by the process itself.
    const obeyedElsewhere: readonly OptionName[] = ['input', ...commonOptions];
    for (const spec of commands) {
      const taken = await optionsRead(
        spec,
        (verbRows[spec.name]?.arguments ?? []).filter((word) => word !== '--'),
      );
      const ignored = spec.options.filter((name) => !taken.has(name) && !obeyedElsewhere.includes(name));
      assert.deepEqual(ignored, [], spec.name);
    }
  });

  test('every verb with an argument has a row for it', () => {
    for (const { name, argument } of commands) {
      assert.equal((verbRows[name]?.argumentRows ?? []).length > 0, argument !== undefined, name);
    }
  });

  test('no table is about a verb or a flag that does not exist', () => {
    for (const [name, { flags = {} }] of Object.entries(verbRows)) {
      const spec = commands.find((command) => command.name === name);
      assert.ok(spec !== undefined, name);
      for (const flag of Object.keys(flags)) {
        assert.ok(spec.options.includes(flag as OptionName), `${name} does not take ${flag}`);
      }
    }
    const taken = new Set(commands.flatMap(flagsOf));
    const unused = (Object.keys(optionTable) as OptionName[]).filter((flag) => !taken.has(flag));
    assert.deepEqual(unused, [], 'options that no verb takes');
  });
});

/** `-vv`, `-ib.yaml`. */
function isCounted(word: string, name: string): boolean {
  return /^-[a-zA-Z]$/.test(name) && new RegExp(`^${name}+$`).test(word);
}
