// Builds dist/: compiles src/, then copies the scripts that run on hosts byte for byte (tsc drops them).
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, globSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
rmSync(join(root, 'dist'), { recursive: true, force: true });
const compiled = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (compiled.status !== 0) process.exit(compiled.status ?? 1);
for (const file of globSync('src/remote/**/*.{sh,ps1}', { cwd: root })) {
  const copy = join(root, file.replace(/^src/, 'dist'));
  mkdirSync(dirname(copy), { recursive: true });
  cpSync(join(root, file), copy);
}
chmodSync(join(root, 'dist/cli.js'), 0o755);
