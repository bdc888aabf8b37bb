// Heads of the chain, kept beside the ledger: one line each, the latest last. None is ever written over.
import { appendFile, readFile } from 'node:fs/promises';
import type { Head } from './chain.ts';

/** `SEQ:HASH`, and what it was saved for behind a blank. */
function headFile(path: string): string {
  return `${path}.head`;
}

/** The beginning of a line; what stands behind the first blank is for people. */
export function parseHead(text: string): Head | undefined {
  const match = /^(\d{1,15}):([0-9a-f]{64})(?:\s|$)/.exec(text.trim());
  return match === null ? undefined : { seq: Number(match[1]), hash: match[2] ?? '' };
}

export function formatHead({ seq, hash }: Head): string {
  return `${seq}:${hash}`;
}

/** In the order they were saved; none where there is no file. */
export async function readSavedHeads(path: string): Promise<readonly Head[]> {
  const text = await readFile(headFile(path), 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => parseHead(line) ?? []);
}

/** Adds a line; the caller has checked that the chain holds the latest of those before. */
export async function addSavedHead(path: string, head: Head, occasion: string): Promise<void> {
  await appendFile(headFile(path), `${formatHead(head)} ${occasion}\n`, { mode: 0o600, flush: true });
}
