// The job script with places at which a starter can be held up: a slow disk, a swapping host, a suspended machine.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RemoteScript } from '../../src/remote/script.ts';
import { jobScript } from '../../src/remote/scripts.ts';
import type { ShellSession } from './shell-session.ts';

/** Functions in which a start is decided and made. */
const functionsOfAStart = ['start_job', 'claim_job', 'launch', 'enter_gate'];

/** Lines of the script before which a command may stand, inside of the functions of a start. */
export function placesOfAStart(): readonly number[] {
  const lines = jobScript().text.split('\n');
  const places: number[] = [];
  let name = '';
  for (const [index, line] of lines.entries()) {
    const opened = /^([a-z_]+)\(\) \{$/.exec(line);
    if (opened !== null) name = opened[1] ?? '';
    else if (line.startsWith('}')) name = '';
    else if (functionsOfAStart.includes(name) && isPlace(lines, index)) places.push(index);
  }
  return places;
}

/** Not in the middle of a command, of a pattern list or of a text in quotes: the shell itself decides. */
function isPlace(lines: readonly string[], index: number): boolean {
  const [before = '', line = ''] = [lines[index - 1], lines[index]];
  if (line.trim() === '' || line.trim().startsWith('#')) return false;
  if (
    /(\\|&&|\|\||\||\bin)$/.test(before.trimEnd()) ||
    /^\s*(guard=|systemd-inhibit|sh -c "\$3"|\[ -d "\$1\/started)/.test(line)
  )
    return false;
  const text = [...lines.slice(0, index), ': a place', ...lines.slice(index)].join('\n');
  return spawnSync('dash', ['-n'], { input: text }).status === 0;
}

export interface Hold {
  readonly script: RemoteScript;
  /** Resolves when the starter has come to the place: whether it holds the lock there; undefined where it never came. */
  reached(over: Promise<unknown>): Promise<{ readonly hasLock: boolean } | undefined>;
  release(): void;
}

/** The script that stops once at a place until it is released. */
export function heldAt(session: ShellSession, place: number): Hold {
  const [stopped, go] = ['stopped', 'go'].map((name) => join(session.home, `${name}-${place}`)) as [string, string];
  const lines = jobScript().text.split('\n');
  const hold = `if ( set -C; : >'${stopped}' ) 2>/dev/null; then
  ls -a "$base" >'${stopped}.list' 2>/dev/null; mv '${stopped}.list' '${stopped}.seen'
  until [ -e '${go}' ]; do sleep 0.02; done
fi`;
  const text = [...lines.slice(0, place), hold, ...lines.slice(place)].join('\n');
  return {
    script: { ...jobScript(), text },
    reached: async (over) => {
      let isOver = false;
      void over.finally(() => (isOver = true)).catch(() => undefined);
      while (!existsSync(`${stopped}.seen`)) {
        if (isOver) return undefined;
        await sleep(10);
      }
      return { hasLock: readFileSync(`${stopped}.seen`, 'utf8').includes('.lock.') };
    },
    release: () => writeFileSync(go, ''),
  };
}
