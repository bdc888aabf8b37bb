// node scripts/build.ts [DIRECTORY]: builds dist/, or that directory: src/ and the packages it uses, bundled; the scripts that run on hosts, byte for byte; the licences of
// what is bundled. Types are checked by `npm run typecheck`, not here.
import { chmodSync, cpSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { bundle } from './bundle.ts';
import { licences } from './licences.ts';

const root = join(import.meta.dirname, '..');
const dist = resolve(process.argv[2] ?? join(root, 'dist'));

rmSync(dist, { recursive: true, force: true });
const bundledFiles = await bundle(root, dist);
writeFileSync(join(dist, 'LICENSES.txt'), licences(bundledFiles));
for (const file of globSync('src/remote/**/*.{sh,ps1}', { cwd: root })) {
  const copy = join(dist, relative('src', file));
  mkdirSync(dirname(copy), { recursive: true });
  cpSync(join(root, file), copy);
}
chmodSync(join(dist, 'cli.js'), 0o755);
