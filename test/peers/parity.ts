// `npm run parity`: inventories beside Ansible; `--fuzz [COUNT] [SEED]` makes them by chance.
import { spawnSync } from 'node:child_process';
import { fuzz } from './ansible-fuzz.ts';
import { AnsiblePeer } from './ansible-peer.ts';

const [mode, count = '2000', seed = String(Math.floor(Date.now() / 1000))] = process.argv.slice(2);
if (mode === '--fuzz') {
  await using peer = new AnsiblePeer();
  const { equal, refused, different } = await fuzz(peer, { seed: Number(seed), count: Number(count) });
  for (const one of different) console.log(`${one}\n`);
  console.log(`seed ${seed}: ${equal} equal, ${refused} refused by both, ${Number(count) - equal - refused} different`);
  process.exitCode = different.length > 0 ? 1 : 0;
} else {
  const file = new URL('ansible-inventory.test.ts', import.meta.url).pathname;
  process.exitCode = spawnSync(process.execPath, ['--test', file], { stdio: 'inherit' }).status ?? 1;
}
