import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RemoteScript } from './script.ts';

const parts = {
  probe: ['lib.sh', 'apt.sh', 'probe.sh'],
  job: ['lib.sh', 'apt.sh', 'apt-job.sh', 'work.sh', 'job.sh', 'job-run.sh', 'job-main.sh'],
} as const;

const made = new Map<keyof typeof parts, RemoteScript>();

/** Looks: facts, pending updates, simulations. Changes nothing. */
export function probeScript(): RemoteScript {
  return script('probe');
}

/** Changes: starts, follows and collects detached jobs, and is what they run. */
export function jobScript(): RemoteScript {
  return script('job');
}

function script(name: keyof typeof parts): RemoteScript {
  const known = made.get(name);
  if (known !== undefined) return known;
  const text = parts[name].map((file) => readFileSync(new URL(`posix/${file}`, import.meta.url), 'utf8')).join('\n');
  const sha256 = createHash('sha256').update(text).digest('hex');
  const assembled = { name, text, sha256 };
  made.set(name, assembled);
  return assembled;
}
