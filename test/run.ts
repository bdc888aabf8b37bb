// npm test: every check, the quick ones first. npm test -- --changed [BASE]: what differs from BASE (HEAD), and no more.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { affectedTests, changedFiles, ofKind, readSources } from './changed.ts';

const root = join(import.meta.dirname, '..');

interface Step {
  readonly name: string;
  readonly words: readonly string[];
}

const everything = ['format:check', 'typecheck', 'lint', 'test:unit', 'test:integration', 'test:lab'];

function script(name: string, ...words: readonly string[]): Step {
  return { name, words: ['npm', 'run', name, ...(words.length === 0 ? [] : ['--', ...words])] };
}

/** Lab tests are named, not run: each starts a fleet, and nearly every change to `src` reaches them. */
function stepsFor(base: string): readonly Step[] {
  const changed = changedFiles(root, base);
  const tests = affectedTests(changed, readSources(root));
  const [lab, others] = [tests.filter(isLab), tests.filter((path) => !isLab(path))];
  print(`${changed.length} changed files since ${base}: ${others.length} test files to run`);
  if (lab.length > 0) print(`left out, run with: npm run test:lab -- ${lab.join(' ')}`);
  const formatted = ofKind(root, changed, ['.ts', '.json', '.md', '.yaml']);
  return [
    ...(formatted.length === 0 ? [] : [{ name: 'format', words: ['npx', 'prettier', '--check', ...formatted] }]),
    ...(ofKind(root, changed, ['.ts']).length === 0 ? [] : [script('typecheck'), script('lint')]),
    ...(others.length === 0 ? [] : [{ name: 'tests', words: [process.execPath, '--test', ...others] }]),
  ];
}

function isLab(path: string): boolean {
  return path.startsWith('test/lab/');
}

function print(line: string): void {
  process.stdout.write(`ℹ ${line}\n`);
}

/** The program as it is published, apart from `dist`, which tests of the package build anew while others run. */
function buildForTests(): string {
  const directory = join(root, 'node_modules/.cache/fettle-test');
  const built = join(directory, 'dist');
  execFileSync(process.execPath, [join(root, 'scripts/build.ts'), built], { stdio: 'inherit' });
  cpSync(join(root, 'package.json'), join(directory, 'package.json'));
  return join(built, 'cli.js');
}

/** A signal goes on to the step, which is waited for. */
async function run({ words: [program = '', ...words] }: Step, cli: string): Promise<number> {
  const child = spawn(program, words, { cwd: root, env: { ...process.env, FETTLE_TEST_CLI: cli }, stdio: 'inherit' });
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, pass);
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  for (const name of signals) process.off(name, pass);
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

async function main(words: readonly string[]): Promise<number> {
  const [flag, base = 'HEAD', ...rest] = words;
  if ((flag !== undefined && flag !== '--changed') || rest.length > 0) {
    process.stderr.write('usage: npm test [-- --changed [BASE]]\n');
    return 2;
  }
  const steps = flag === undefined ? everything.map((name) => script(name)) : stepsFor(base);
  const cli = buildForTests();
  const seconds: string[] = [];
  for (const step of steps) {
    const startedMs = performance.now();
    const code = await run(step, cli);
    seconds.push(`${step.name} ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
    if (code === 0) continue;
    print(`${step.name} failed with exit code ${code}`);
    return code;
  }
  print(`all passed: ${seconds.join(', ')}`);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
