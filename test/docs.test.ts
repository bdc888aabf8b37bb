// What README.md says is true: its commands parse, its files exist, its exit codes are the program's.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createProgram } from '../src/commands/program.ts';
import { splitWords } from '../src/config/inventory/shell-words.ts';
import { patchNames } from '../src/config/inventory/variable-names.ts';
import { exitCodes } from '../src/domain/exit.ts';

const root = join(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

/** Commands in `sh` blocks, without comments; `a && b` are two. */
function shellCommands(): readonly string[] {
  return [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block
      .split('\n')
      .map((line) => line.replace(/\s+#.*$/, '').trim())
      .flatMap((line) => line.split(' && '))
      .filter((line) => line !== ''),
  );
}

/** Targets of links within the project. */
const linkedFile = /\]\((?!https?:)([^)#]+)\)/g;

async function parse(argv: readonly string[]): Promise<string | undefined> {
  let name: string | undefined;
  const program = createProgram('0', { write: () => undefined, writeError: () => undefined }, async (spec) => {
    name = spec.name;
  });
  await program.parseAsync([...argv], { from: 'user' });
  return name;
}

describe('the README', () => {
  test('has commands, links and exit codes to be checked', () => {
    assert.ok(shellCommands().filter((command) => command.startsWith('fettle ')).length >= 10);
    assert.ok(shellCommands().filter((command) => command.includes('npm ')).length >= 3);
    assert.ok([...readme.matchAll(linkedFile)].length >= 5);
    assert.ok([...patchNames].length >= 10);
  });

  for (const line of shellCommands().filter((command) => command.startsWith('fettle '))) {
    test(`names a command that exists: ${line}`, async () => {
      const words = splitWords(line);
      assert.ok(words !== undefined);
      assert.ok((await parse(words.slice(1))) !== undefined);
    });
  }

  test('names npm scripts that exist', () => {
    for (const line of shellCommands()) {
      const script = /\bnpm (?:run )?(start|test|lab|\S+)/.exec(line)?.[1];
      if (script === undefined || ['ci', 'pack', 'install'].includes(script)) continue;
      assert.ok(script in manifest.scripts, line);
    }
  });

  test('links to files that exist', () => {
    for (const [, target = ''] of readme.matchAll(linkedFile)) {
      assert.ok(existsSync(join(root, target)), target);
    }
  });

  test('has every exit code with its name, and no other', () => {
    const rows = [...readme.matchAll(/^\| *(\d+)(?:, (\d+))? *\| *([a-z]+)(?:, ([a-z]+))? *\|/gm)];
    const told = rows.flatMap(([, code, other, name, otherName]) => [
      [name, Number(code)],
      ...(other === undefined ? [] : [[otherName, Number(other)]]),
    ]);
    assert.deepEqual(Object.fromEntries(told), exitCodes);
  });

  test('explains every patch_ variable', () => {
    for (const name of patchNames) assert.ok(readme.includes(`\`${name}\``), name);
  });
});
