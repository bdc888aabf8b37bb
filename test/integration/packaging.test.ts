import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { access, symlink } from 'node:fs/promises';
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
});
