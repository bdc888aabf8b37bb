// Builds what a lab needs, under a lock: two labs that start at once must not build the same layer twice.
//   node test/lab/prepare.ts < PROFILES   reads a JSON list of profiles, writes what was prepared as JSON
import { text } from 'node:stream/consumers';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Flavour } from './base.ts';
import { prepareLayers } from './layer.ts';
import type { Prepared, Profile } from './layer.ts';
import { cacheRoot } from './places.ts';
import { run } from './shell.ts';

const waitSec = 900;

/** Prepares the layers of these profiles, waiting for any other process that is at it. */
export async function prepare(profiles: readonly Profile[]): Promise<Prepared> {
  await mkdir(cacheRoot(), { recursive: true });
  const lock = ['flock', '--wait', String(waitSec), join(cacheRoot(), 'lock')];
  const words = [...lock, process.execPath, import.meta.filename];
  return readPrepared(await run(words, { input: JSON.stringify(profiles) }));
}

/** Why the base of a flavour cannot be built on this machine today; undefined: it can. */
export async function whyNotBuilt(flavour: Flavour): Promise<string | undefined> {
  try {
    await prepare([{ flavour, packages: [] }]);
    return undefined;
  } catch (error) {
    // What fails behind that is ours.
    if (!(error instanceof Error) || !error.message.includes('debootstrap ')) throw error;
    return `no host with ${flavour} can be built: ${error.message.slice(-300)}`;
  }
}

function readPrepared(json: string): Prepared {
  const value: unknown = JSON.parse(json);
  if (!isPrepared(value)) throw new Error('the layers were not prepared');
  return value;
}

function isPrepared(value: unknown): value is Prepared {
  return typeof value === 'object' && value !== null && 'archiveDir' in value && 'layers' in value;
}

function isProfiles(value: unknown): value is Profile[] {
  return Array.isArray(value) && value.every((item: unknown) => typeof item === 'object' && item !== null);
}

if (import.meta.main) {
  const profiles: unknown = JSON.parse(await text(process.stdin));
  if (!isProfiles(profiles)) throw new Error('a JSON list of profiles is expected on standard input');
  process.stdout.write(JSON.stringify(await prepareLayers(profiles)));
}
