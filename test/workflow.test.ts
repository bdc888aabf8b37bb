// Files that only the hosting service reads: they parse, and the workflow runs what `npm test` runs.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseDocument } from 'yaml';
import { z } from 'zod';

const root = join(import.meta.dirname, '..');
const scripts = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).scripts;

function readYaml(path: string): unknown {
  const document = parseDocument(readFileSync(join(root, path), 'utf8'));
  assert.deepEqual([...document.errors, ...document.warnings], [], path);
  return document.toJS();
}

test('an issue form has a name, a description, and fields whose ids and labels are unique', () => {
  const field = z.object({
    type: z.enum(['markdown', 'input', 'textarea', 'dropdown', 'checkboxes']),
    id: z.string().exactOptional(),
    attributes: z.looseObject({ label: z.string().exactOptional() }),
  });
  const form = z.object({ name: z.string(), description: z.string(), body: z.array(field).min(1) });
  const paths = globSync('.github/ISSUE_TEMPLATE/!(config).yml', { cwd: root });
  assert.ok(paths.length >= 2);
  for (const path of paths) {
    const fields = form.parse(readYaml(path)).body.filter(({ type }) => type !== 'markdown');
    assert.equal(new Set(fields.map(({ id }) => id)).size, fields.length, path);
    assert.equal(new Set(fields.map(({ attributes }) => attributes.label)).size, fields.length, path);
  }
});

test('the workflow runs every step of npm test, by scripts that exist', () => {
  const step = z.object({ run: z.string().exactOptional() });
  const workflow = z.object({ jobs: z.record(z.string(), z.object({ steps: z.array(step) })) });
  const { jobs } = workflow.parse(readYaml('.github/workflows/ci.yml'));
  const text = Object.values(jobs).flatMap(({ steps }) => steps.map(({ run = '' }) => run));
  const started = new Set(text.flatMap((run) => [...run.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name)));
  for (const name of started) assert.ok(name in scripts, name);
  const everything = /const everything = \[([^\]]+)\]/.exec(readFileSync(join(root, 'test/run.ts'), 'utf8'))?.[1] ?? '';
  const wanted = [...everything.matchAll(/'([\w:]+)'/g)].map(([, name = '']) => name);
  assert.ok(wanted.length >= 6);
  assert.deepEqual(
    wanted.filter((name) => !started.has(name)),
    [],
  );
});
