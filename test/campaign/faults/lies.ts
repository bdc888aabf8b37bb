// A host that answers with something else than the truth: its login shell lies.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { steps } from '../fault.ts';
import type { Fault } from '../fault.ts';
import type { Trial } from '../trial.ts';

const shellPath = '/usr/local/bin/lying-shell';
const flag = '/run/lab-lies';

async function installLiar({ victim }: Trial): Promise<void> {
  const text = await readFile(join(import.meta.dirname, 'lying-shell.sh'), 'utf8');
  const script = `cat >${shellPath} <<'END'\n${text}END\nchmod 755 ${shellPath}; usermod -s ${shellPath} patch`;
  const { code, stderr } = await victim.inside(script);
  if (code !== 0) throw new Error(`the lying shell cannot be put in place: ${stderr}`);
}

/** For a while, or for as long as fettle lasts. */
function liar(mode: string, what: string): Fault {
  return {
    name: `host lies: ${what}`,
    at: steps,
    patienceMs: 60_000,
    beforeApply: installLiar,
    strike: async ({ victim, random }) => {
      await victim.inside(`echo ${mode} >${flag}`);
      const heal = async (): Promise<void> => void (await victim.inside(`rm -f ${flag}`));
      return random.next() < 0.7 ? { heal, afterMs: random.between(500, 4_000) } : { heal };
    },
  };
}

export const lies: readonly Fault[] = [
  liar('truncated', 'an answer cut short'),
  liar('interleaved', 'foreign lines in the middle'),
  liar('megabytes', 'megabytes of noise'),
  liar('control', 'control characters'),
  liar('stale', 'the answer to an earlier question'),
  liar('foreign', "somebody else's job id"),
];
