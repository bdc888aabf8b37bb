import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { sweep } from './cleanup.ts';
import { placesOf } from './places.ts';

test('a lab leaves nothing behind, even when the process that started it is killed', async () => {
  const script = `const { startLab } = await import(${JSON.stringify(join(import.meta.dirname, 'lab.ts'))});
    const lab = await startLab({ name: 'orphan', hosts: [{ name: 'one' }, { name: 'two', flavour: 'systemd' }] });
    console.log(lab.name); setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [name] = (await once(child.stdout, 'data')) as unknown[];
  const places = placesOf(String(name).trim());
  assert.ok(existsSync(places.stateDir) && existsSync(places.cgroup));
  child.kill('SIGKILL');
  await once(child, 'exit');
  await sweep();
  assert.ok(!existsSync(places.stateDir), 'its directory is gone');
  assert.ok(!existsSync(places.cgroup), 'its control group is gone');
  assert.deepEqual(
    (await readdir('/run/netns')).filter((item) => item.startsWith(places.netns)),
    [],
  );
  assert.ok(!(await readFile('/proc/self/mountinfo', 'utf8')).includes(places.stateDir), 'nothing of it is mounted');
});
