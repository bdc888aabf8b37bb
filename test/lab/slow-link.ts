import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { LabPlaces } from './places.ts';
import { run } from './shell.ts';
import type { HostSpec } from './spec.ts';

export interface SlowLinkOptions {
  /** Of every frame, each way. Milliseconds. */
  readonly delayMs: number;
  /** Of the frames of each way. */
  readonly lossPercent: number;
}

/**
 * Puts a slow and lossy piece of cable between a host and the bridge, by a process of its own: the kernel here need not
 * have netem. Resolves with what takes it out again.
 */
export async function slowLink(
  places: LabPlaces,
  { index }: HostSpec,
  { delayMs, lossPercent }: SlowLinkOptions,
): Promise<() => Promise<void>> {
  const [near, far, bridge, port] = [`n${index}`, `f${index}`, `s${index}`, `h${index}`];
  const program = join(import.meta.dirname, 'host/slow-link.pl');
  const words = ['netns', 'exec', places.netns, 'perl', program, near, far, String(delayMs), String(lossPercent)];
  const child = spawn('ip', words, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as unknown[];
  if (!String(said).includes('ready')) throw new Error(`no slow link: ended with ${String(said)}`);
  await batch(places, [
    `link add ${bridge} type bridge`,
    `link set ${bridge} up`,
    `link set ${near} master br0 up`,
    `link set ${far} master ${bridge} up`,
    `link set ${port} master ${bridge}`,
  ]);
  return async () => {
    await batch(places, [`link set ${port} master br0`, `link del ${bridge}`]);
    child.stdin.end();
    await once(child, 'exit');
  };
}

async function batch(places: LabPlaces, lines: readonly string[]): Promise<void> {
  await run(['ip', '-n', places.netns, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}
