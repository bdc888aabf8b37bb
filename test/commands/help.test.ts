import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommanderError, type Command } from 'commander';
import { commonOptions, optionTable } from '../../src/commands/invocation/options.ts';
import { createProgram } from '../../src/commands/program.ts';
import { commands, nouns } from '../../src/commands/registry.ts';

const columns = 80;

/** Help as a terminal of 80 columns gets it. */
async function helpOf(words: readonly string[]): Promise<string> {
  const printed: string[] = [];
  const print = (text: string): void => void printed.push(text);
  const program = createProgram('1', { write: print, writeError: print }, () => Promise.resolve());
  setWidth(program);
  const ended: unknown = await program
    .parseAsync([...words, '--help'], { from: 'user' })
    .catch((error: unknown) => error);
  assert.ok(ended instanceof CommanderError && ended.exitCode === 0, words.join(' '));
  return printed.join('');
}

function assertFits(help: string): void {
  for (const line of help.split('\n')) assert.ok(line.length <= columns, `more than ${columns} columns: ${line}`);
}

function setWidth(command: Command): void {
  command.configureHelp({ ...command.configureHelp(), helpWidth: columns });
  command.commands.forEach(setWidth);
}

for (const { name, options, examples, summary } of commands) {
  test(`help of ${name} has its purpose, every option and every example`, async () => {
    const help = await helpOf(name.split(' '));
    for (const option of [...options, ...commonOptions]) {
      const flag = /--[a-z-]+/.exec(optionTable[option].flags)?.[0] ?? '';
      assert.ok(help.includes(flag), `${flag} in\n${help}`);
    }
    for (const example of examples) assert.ok(help.includes(`  ${example}\n`), `${example} in\n${help}`);
    assert.ok(help.replaceAll(/\s+/g, ' ').includes(summary), help);
    assertFits(help);
  });
}

test('the program and each noun list their commands with their purpose', async () => {
  const outlines = new Map(Object.keys(nouns).map((noun) => [noun, [noun]]));
  for (const words of [[], ...outlines.values()]) {
    assertFits(await helpOf(words));
    const help = (await helpOf(words)).replaceAll(/\s+/g, ' ');
    for (const { name, summary } of commands) {
      const isListed = words.length === 0 ? !name.includes(' ') : name.startsWith(`${words[0]} `);
      assert.equal(help.includes(` ${summary} `) || help.endsWith(` ${summary}`), isListed, `${name} in\n${help}`);
    }
  }
});

test('only the command that is called declares its options', async () => {
  const called: string[] = [];
  const program = createProgram('1', { write: () => undefined, writeError: () => undefined }, async ({ name }) => {
    called.push(name);
  });
  await program.parseAsync(['run', 'show', '--json'], { from: 'user' });
  assert.deepEqual(called, ['run show']);
  const run = program.commands.find((command) => command.name() === 'run') ?? assert.fail('there is a noun run');
  const declaring = [...program.commands, ...run.commands].filter(({ options }) => options.length > 0);
  assert.deepEqual(
    declaring.map((command) => command.name()),
    ['show'],
  );
});
