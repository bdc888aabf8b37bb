// A job's command is run whatever signals its runner gets: the end of the session that started it is one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { scriptFile } from '../../src/remote/scripts.ts';
import { noLinux } from '../support/hook-job.ts';
import { shellIsMissing } from '../support/shell-session.ts';

const rounds = 30;
const [lib, job, runner] = ['lib.sh', 'job.sh', 'job-run.sh'].map((file) => scriptFile('posix', file));
/** The functions of a runner, and a command run again and again. */
const text = `${lib}
base=$FETTLE_BASE jobs_dir=$FETTLE_BASE
${job}
${runner}
mkdir -p "$dir" && : >"$dir/log"
trap : HUP
echo ready
round=0 failed=0
while [ "$round" -lt ${rounds} ]; do
  round=$((round + 1))
  logged echo "round $round"
  [ "$code" = 0 ] || failed=$((failed + 1))
done
echo "failed $failed"
grep -c '^round' "$dir/log"`;

for (const shell of ['dash', 'busybox'] as const) {
  const skip = shellIsMissing(shell) ?? noLinux ?? false;
  describe(`the runner of a job under ${shell}`, { skip }, () => {
    test('runs its command although signals come while it begins', async () => {
      const home = mkdtempSync(join(tmpdir(), 'fettle-test-'));
      const [program, ...args] = shell === 'dash' ? ['dash'] : ['busybox', 'sh'];
      const env = { PATH: process.env['PATH'], FETTLE_REQUEST: 'v1 ab run job=r1-a-1 --', FETTLE_BASE: home };
      const child = spawn(program, [...args, '-c', text], { env, stdio: ['ignore', 'pipe', 'inherit'] });
      let printed = '';
      child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
      const closed = once(child, 'close');
      await once(child.stdout, 'data');
      while (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGHUP');
        await sleep(1);
      }
      await closed;
      rmSync(home, { recursive: true, force: true });
      assert.equal(printed, `ready\nfailed 0\n${rounds}\n`);
    });
  });
}
