// Faults between the moment at which a job is asked for and the one at which it works.
import { steps } from '../fault.ts';
import type { Fault, Step } from '../fault.ts';
import type { Trial } from '../trial.ts';

/** Steps that are jobs on the host. */
const jobSteps: readonly Step[] = steps.filter((step) => !['connect', 'preflight', 'verify'].includes(step));
/** What a starter and the runner call, in the order in which they first do: each is a line at which it can be held up. */
const programs = [
  'ls',
  'sort',
  'tail',
  'cat',
  'rm',
  'mkdir',
  'sha256sum',
  'touch',
  'sync',
  'mv',
  'setsid',
  'wc',
  'sed',
];
const flag = '/run/lab-slow';

/** One of the programs is slow once, when the flag is there: the first call takes the flag away and waits. */
async function makeSlow({ victim, random }: Trial, program = random.oneOf(programs)): Promise<void> {
  const script = `real=$(command -v ${program}) && cp "$real" "$real.real" && cat >"$real.new" <<'END' && chmod 755 "$real.new" && mv "$real.new" "$real"
#!/bin/sh
if [ -d ${flag} ] && rmdir ${flag} 2>/dev/null; then sleep 4; fi
END
printf 'exec %s.real "$@"\\n' "$real" >>"$real"`;
  const { code, stderr } = await victim.inside(script);
  if (code !== 0) throw new Error(`${program} cannot be made slow: ${stderr}`);
}

async function holdUp({ victim }: Trial): Promise<void> {
  await victim.inside(`mkdir -p ${flag}`);
}

export const startingFaults: readonly Fault[] = [
  {
    name: 'a starter is held up, and another one starts',
    at: jobSteps,
    beforeApply: (trial) => makeSlow(trial),
    strike: async (trial) => {
      await holdUp(trial);
      const second = trial.random.next() < 0.5 ? trial.apply() : trial.resume();
      await Promise.all([trial.fettle.endsWithin(120_000), second.endsWithin(120_000)]);
      return {};
    },
  },
  {
    name: 'a starter is held up, and fettle is killed',
    at: jobSteps,
    beforeApply: (trial) => makeSlow(trial),
    strike: async (trial) => {
      await holdUp(trial);
      const { victim } = trial;
      await victim.inside(`for i in $(seq 50); do [ -d ${flag} ] || break; sleep 0.1; done`);
      trial.fettle.kill('SIGKILL');
      return {};
    },
  },
  {
    name: 'power cut of a claim, with what was not on the disk lost',
    at: jobSteps,
    beforeApply: (trial) => makeSlow(trial, 'setsid'),
    strike: async (trial) => {
      await holdUp(trial);
      const { victim, random } = trial;
      const lost = random.oneOf(['script', 'request', 'claimed']);
      await victim.inside(`for i in $(seq 100); do for job in /var/lib/fettle-jobs/jobs/*; do
        if [ -e "$job/${lost}" ] && [ ! -e "$job/started" ]; then : >"$job/${lost}"; exit; fi
      done; sleep 0.05; done`);
      await victim.powerOff();
      return { heal: () => victim.powerOn(), afterMs: 3_000 };
    },
  },
  {
    name: 'no flock on the host',
    at: ['refresh', 'install'],
    beforeApply: async ({ victim }) => void (await victim.inside('rm -f /usr/bin/flock')),
    strike: async (trial) => {
      trial.fettle.kill('SIGKILL');
      await trial.fettle.done();
      return {};
    },
  },
];
