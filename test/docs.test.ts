// What the documents say is true: commands parse, links lead somewhere, exit codes are the program's.
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { createProgram } from '../src/commands/program.ts';
import { splitWords } from '../src/config/inventory/shell-words.ts';
import { patchNames } from '../src/config/inventory/variable-names.ts';
import { exitCodes } from '../src/domain/exit.ts';

const root = join(import.meta.dirname, '..');
const documents = globSync(['*.md', '{docs,test,bench,.github}/**/*.md'], { cwd: root }).sort();
const readme = read('README.md');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Commands in `sh` blocks, without comments; `a && b` are two. */
function shellCommands(text = readme): readonly string[] {
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block
      .split('\n')
      .map((line) => line.replace(/\s+#.*$/, '').trim())
      .flatMap((line) => line.split(' && '))
      .filter((line) => line !== ''),
  );
}

/** Targets of links within the project, and the heading in it. */
const link = /\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g;

/** Headings as links name them: in lower case, without punctuation, words joined by hyphens. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );
}

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
    assert.ok([...readme.matchAll(link)].length >= 5);
    assert.ok([...patchNames].length >= 10);
  });

  for (const line of shellCommands().filter((command) => command.startsWith('fettle '))) {
    test(`names a command that exists: ${line}`, async () => {
      const words = splitWords(line);
      assert.ok(words !== undefined);
      assert.ok((await parse(words.slice(1))) !== undefined);
    });
  }

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

describe('a document', () => {
  test('is found', () => {
    for (const name of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs/trust.md']) {
      assert.ok(documents.includes(name), name);
    }
  });

  for (const path of documents) {
    const text = read(path);
    test(`names npm scripts that exist: ${path}`, () => {
      for (const line of shellCommands(text)) {
        const script = /\bnpm (?:run )?(\S+)/.exec(line)?.[1];
        if (script === undefined || ['ci', 'pack', 'install'].includes(script)) continue;
        assert.ok(script in manifest.scripts, line);
      }
    });

    test(`names files of the project that exist: ${path}`, () => {
      for (const [, named = ''] of text.matchAll(/`((?:src|test|docs|bench|scripts)\/[\w./-]+)`/g)) {
        if (!named.includes('NAME')) assert.ok(existsSync(join(root, named)), named);
      }
    });

    test(`links to files and headings that exist: ${path}`, () => {
      for (const [, file = '', anchor] of text.matchAll(link)) {
        const target = file === '' ? path : join(dirname(path), file);
        assert.ok(existsSync(join(root, target)), target);
        if (anchor !== undefined) assert.ok(anchorsOf(read(target)).includes(anchor), `${target}#${anchor}`);
      }
    });
  }
});
