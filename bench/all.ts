// Every measurement, one after the other; each prints its table and writes `bench/results/NAME.json`;
// README.md then has the latest of each. Needs root.
//   node bench/all.ts [NAME…]
import { spawnSync } from 'node:child_process';

const measurements: Readonly<Record<string, readonly string[]>> = {
  'side-by-side': ['side-by-side.ts'],
  rollout: ['rollout.ts'],
  idle: ['--expose-gc', 'idle.ts'],
  scale: ['scale.ts'],
  apply: ['apply.ts'],
  'start-up': ['start-up.ts'],
  'first-command': ['first-command.ts'],
  ledger: ['ledger.ts'],
  synced: ['synced.ts'],
  winrm: ['winrm.ts'],
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => measurements[name] === undefined);
if (unknown.length > 0) {
  process.stderr.write(
    `there is no measurement ${unknown.join(', ')}; there are ${Object.keys(measurements).join(', ')}\n`,
  );
  process.exitCode = 2;
} else {
  const missed = Object.entries(measurements)
    .filter(([name]) => asked.length === 0 || asked.includes(name))
    .filter(([name, words]) => {
      process.stderr.write(`bench: ${name}\n`);
      return spawnSync(process.execPath, words, { cwd: import.meta.dirname, stdio: 'inherit' }).status !== 0;
    })
    .map(([name]) => name);
  spawnSync(process.execPath, ['readme.ts'], { cwd: import.meta.dirname, stdio: 'inherit' });
  if (missed.length > 0) process.stderr.write(`bench: bounds missed or failed: ${missed.join(', ')}\n`);
  process.exitCode = missed.length === 0 ? 0 : 1;
}
