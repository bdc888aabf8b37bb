import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { access, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { execFileSync } from 'node:child_process';
import { z } from 'zod';
import { hostScripts } from '../../src/remote/host-scripts.ts';
import { Rig } from './rig.ts';

const root = join(import.meta.dirname, '../..');

/** A Node.js on the machine that is too old, if there is one. */
function oldNode(): string | undefined {
  for (const path of ['/usr/bin/node', '/usr/local/bin/node']) {
    try {
      const version = execFileSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' });
      if (Number(version.split('.')[0]) < 24) return path;
    } catch {
      // Not there.
    }
  }
  return undefined;
}

describe('the package', { concurrency: false }, () => {
  test('packs what is needed, runs from there, and its host scripts are the same to the byte', async () => {
    await using rig = await Rig.make();
    const packed = await rig.start(['npm', 'pack', root, '--pack-destination', rig.directory, '--json'], {
      npm_config_cache: rig.path('npm'),
    });
    assert.equal(packed.code, 0, packed.stderr);
    const file = /fettle-[\d.]+\.tgz/.exec(packed.stdout)?.[0] ?? '';
    assert.equal((await rig.start(['tar', '-xzf', rig.path(file)])).code, 0);
    const [pack] = z
      .tuple([z.object({ files: z.array(z.object({ path: z.string() })) })])
      .parse(JSON.parse(packed.stdout));
    const files = pack.files.map(({ path }) => path);
    const shipped = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'LICENSE'];
    shipped.push('package.json', 'dist', 'docs', 'inventories', 'playbooks');
    assert.deepEqual(new Set(files.map((path) => path.split('/')[0])), new Set(shipped));
    for (const path of globSync('docs/**/*.md', { cwd: root })) assert.ok(files.includes(path), path);
    // The dependencies are those of the checkout: what is tested here is what the tarball brings itself.
    await symlink(join(root, 'node_modules'), rig.path('package/node_modules'));
    const { code, stdout, stderr } = await rig.start([
      process.execPath,
      rig.path('package/dist/cli.js'),
      'version',
      '--json',
    ]);
    assert.equal(code, 0, stderr);
    const { scripts } = JSON.parse(stdout) as { scripts: unknown };
    assert.deepEqual(scripts, hostScripts());
    const listed = (await rig.start(['tar', '-tzf', rig.path(file)])).stdout.split('\n');
    assert.ok(listed.includes('package/dist/LICENSES.txt'), 'the licences of bundled packages are packed');
    const inventory = await rig.write('i.yaml', 'all:\n  hosts:\n    here: { ansible_connection: local }\n');
    const cli = rig.path('package/dist/cli.js');
    const done = await rig.start([process.execPath, cli, 'exec', '-i', inventory, '--', 'echo from the package']);
    assert.equal(done.code, 0, done.stderr);
    const checked = await rig.start([process.execPath, cli, 'ledger', 'verify']);
    assert.equal(checked.code, 0, checked.stderr);
  });

  const node = oldNode();
  test(
    'an old Node.js gets one clear message',
    { skip: node === undefined ? 'no Node.js before 24 is here' : false },
    async () => {
      await using rig = await Rig.make();
      await access(join(root, 'dist/cli.js'));
      const { code, stdout, stderr } = await rig.start([node ?? '', join(root, 'dist/cli.js'), 'scan']);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, /^fettle: needs Node\.js 24 or newer/);
    },
  );

  const node24 = process.execPath;
  const cli = join(root, 'dist/cli.js');

  test('the licence of every package in the bundle is in LICENSES.txt, with its text', async () => {
    const text = await readFile(join(root, 'dist/LICENSES.txt'), 'utf8');
    for (const name of bundledPackages()) {
      const manifest = JSON.parse(await readFile(join(root, name, 'package.json'), 'utf8')) as Record<string, string>;
      assert.ok(text.includes(`\n${manifest['name']} ${manifest['version']} (`), name);
    }
    assert.ok(
      text.includes(await readFile(join(root, 'node_modules/ssh2/LICENSE'), 'utf8').then((words) => words.trim())),
    );
    assert.doesNotMatch(text, /\(\)$/m);
  });

  test('exec loads few files, and none for what it does not do', async () => {
    await using rig = await Rig.make();
    const inventory = await rig.write('i.yaml', 'all:\n  hosts:\n    here: { ansible_connection: local }\n');
    const { code, stderr } = await rig.start([node24, cli, 'exec', '-i', inventory, '--', 'true']);
    assert.equal(code, 0, stderr);
    const parts = (await loadedParts(rig, cli, ['exec', '-i', inventory, '--', 'true'])).join('\n');
    assert.match(parts, /^app\.cjs$/m);
    assert.doesNotMatch(parts, /^(?:ssh|winrm|kerberos|apply|plan|table|schema.*)\.cjs$/m);
    assert.ok(parts.split('\n').length <= 40, parts);
    const help = await loadedParts(rig, cli, ['--help']);
    assert.ok(help.length <= 10, help.join('\n'));
  });

  test('every file is CommonJS in ASCII, which Node.js reads without its loader of modules and at half the size', () => {
    assert.deepEqual(JSON.parse(readFileSync(join(root, 'dist/package.json'), 'utf8')), { type: 'commonjs' });
    for (const name of globSync('**/*.{js,cjs}', { cwd: join(root, 'dist') })) {
      const text = readFileSync(join(root, 'dist', name), 'utf8');
      assert.doesNotMatch(text, /^(?:import|export) /m, name);
      assert.doesNotMatch(text, /[^\0-\x7f]/, name);
    }
  });

  test('compiled code is kept with what ran, and what is not whole is not used', async () => {
    await using rig = await Rig.make();
    const words = [node24, cli, 'version'];
    const cache = { NODE_COMPILE_CACHE: rig.path('cache') };
    const first = await rig.start(words, cache);
    const [tag = ''] = await readdir(rig.path('cache'));
    const entries = (await readdir(join(rig.path('cache'), tag))).filter((name) => name.startsWith('fettle-'));
    assert.ok(entries.length > 0, 'something was kept');
    for (const name of entries) {
      const file = join(rig.path('cache'), tag, name);
      const bytes = await readFile(file);
      bytes.fill(0x41, bytes.length - 1_000);
      await writeFile(file, bytes);
    }
    const second = await rig.start(words, cache);
    assert.deepEqual([second.code, second.stdout, second.stderr], [0, first.stdout, '']);
    for (const name of entries) {
      const bytes = await readFile(join(rig.path('cache'), tag, name));
      const code = bytes.subarray(bytes.indexOf('\n') + 1);
      const { sha256, verbs } = JSON.parse(bytes.toString('utf8', 0, bytes.indexOf('\n'))) as Record<string, unknown>;
      assert.deepEqual([sha256, verbs], [hash('sha256', code), ['version']], 'it was written anew');
    }
  });

  test('--debug shows the places in the sources', async () => {
    await using rig = await Rig.make();
    const inventory = await rig.write('i.yaml', 'no inventory\n');
    const { code, stderr } = await rig.start([node24, cli, 'inventory', 'list', '-i', inventory, '--debug']);
    assert.equal(code, 2);
    assert.match(stderr, /at .*src\/config\/.*\.ts:\d+/);
  });
});

/** Folders of the packages whose code is in dist/, by the source maps. */
function bundledPackages(): readonly string[] {
  const maps = globSync('dist/**/*.map', { cwd: root });
  const sources = maps.flatMap(
    (file) => (JSON.parse(readFileSync(join(root, file), 'utf8')) as { sources: string[] }).sources,
  );
  const folders = sources.flatMap(
    (source) =>
      /node_modules\/.*node_modules\/(?:@[^/]+\/)?[^/]+|node_modules\/(?:@[^/]+\/)?[^/]+/.exec(source)?.[0] ?? [],
  );
  assert.ok(folders.length > 0);
  return [...new Set(folders)];
}

/** Names of the bundled files that a command opens, by what it keeps of each in an empty cache. */
async function loadedParts(rig: Rig, cli: string, words: readonly string[]): Promise<readonly string[]> {
  const cache = rig.path(`cache-${words[0]}`);
  const { code, stderr } = await rig.start([process.execPath, cli, ...words], { NODE_COMPILE_CACHE: cache });
  assert.equal(code, 0, stderr);
  const [tag = ''] = await readdir(cache);
  const kept = new Set(await readdir(join(cache, tag)));
  return globSync('*.cjs', { cwd: join(root, 'dist') }).filter((name) =>
    kept.has(`fettle-${hash('sha256', readFileSync(join(root, 'dist', name), 'utf8'))}`),
  );
}
