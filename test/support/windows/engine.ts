import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const powershell = join(root, 'test', 'powershell');
const cache = join(root, 'node_modules', '.cache', 'fettle-powershell');

/** Whether the .NET SDK is here; without it the tests of the Windows scripts skip, and say so. */
export function hasDotnet(): boolean {
  return spawnSync('dotnet', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** For `{ skip: … }` of node:test: false, or the reason. */
export const skipWithoutDotnet: string | false = hasDotnet() ? false : 'needs the .NET SDK 10 (`dotnet`)';

/**
 * The PowerShell engine (`test/powershell/engine`) as an executable file: built once for its sources and kept in
 * `node_modules/.cache`. Takes half a minute the first time, and a few seconds after a change.
 */
export function buildEngine(): string {
  return join(build('engine'), 'engine');
}

/** The static checks of scripts (`test/powershell/checks`), likewise. */
export function buildChecks(): string {
  return join(build('checks'), 'checks');
}

function build(project: 'engine' | 'checks'): string {
  const target = join(cache, `${project}-${hashOf(join(powershell, project))}`);
  if (existsSync(join(target, project))) return target;
  mkdirSync(cache, { recursive: true });
  // flock(1): test files run as processes of their own and would all build.
  const words = [
    '-x',
    join(cache, `${project}.lock`),
    process.execPath,
    fileURLToPath(import.meta.url),
    project,
    target,
  ];
  execFileSync('flock', words, { stdio: ['ignore', 'ignore', 'inherit'] });
  return target;
}

function hashOf(folder: string): string {
  const hash = createHash('sha256');
  for (const name of sources(folder)) {
    hash.update(`${name}\0`);
    hash.update(readFileSync(join(folder, name)));
  }
  return hash.digest('hex').slice(0, 16);
}

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:cs|csproj|txt|ps1)$/.test(name))
    .toSorted();
}

function publish(project: string, target: string): void {
  if (existsSync(join(target, project))) return;
  rmSync(target, { recursive: true, force: true });
  const common = ['-c', 'Release', '-o', `${target}.new`, '-v', 'quiet', '--nologo'];
  // Intermediate files stay, so that the engine's own library is compiled to machine code once.
  const intermediate = ['Intermediate', ''].map(
    (kind) => `-p:Base${kind}OutputPath=${join(cache, `${project}-obj`, kind)}/`,
  );
  const path = join(powershell, project, `${project}.csproj`);
  const runtime = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64';
  // Compiling to machine code takes a minute: it pays for the engine, which each test file starts.
  const words = [
    'publish',
    path,
    ...common,
    ...intermediate,
    '-r',
    runtime,
    '--no-self-contained',
    `-p:PublishReadyToRun=${project === 'engine'}`,
  ];
  rmSync(`${target}.new`, { recursive: true, force: true });
  const env = { ...process.env, DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_NOLOGO: '1' };
  const done = spawnSync('dotnet', words, { env, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`cannot build ${project}:\n${done.stdout}\n${done.stderr}`);
  forgetOld(project);
  execFileSync('mv', ['-T', `${target}.new`, target]);
}

/** What was built from earlier sources, except the two newest, which another test run may be using. */
function forgetOld(project: string): void {
  const old = readdirSync(cache).filter((name) => new RegExp(`^${project}-[0-9a-f]{16}$`).test(name));
  const byAge = old.toSorted((a, b) => ageOf(join(cache, a)) - ageOf(join(cache, b)));
  for (const name of byAge.slice(2)) rmSync(join(cache, name), { recursive: true, force: true });
}

function ageOf(path: string): number {
  return -Number(execFileSync('stat', ['-c', '%Y', path], { encoding: 'utf8' }));
}

/**
 * Code that is compiled quickly and once, memory of code that is not mapped twice, and no threads for debuggers, telemetry
 * or idle work: cheaper, and what the fork server depends on. Named in clrconfignames.h of the .NET runtime, except for
 * those of PowerShell.
 */
const lean = {
  DOTNET_TieredCompilation: '0',
  DOTNET_JITMinOpts: '1',
  DOTNET_EnableWriteXorExecute: '0',
  DOTNET_EnableDiagnostics: '0',
  DOTNET_ThreadPool_ThreadTimeoutMs: '50',
  POWERSHELL_TELEMETRY_OPTOUT: '1',
  POWERSHELL_DIAGNOSTICS_OPTOUT: '1',
};

/** What .NET itself needs of the environment. */
export function bareEnvironment(): Record<string, string> {
  const env: Record<string, string> = { ...lean };
  for (const name of ['PATH', 'HOME', 'DOTNET_ROOT', 'LANG']) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [project = '', target = ''] = process.argv.slice(2);
  publish(project, target);
}
