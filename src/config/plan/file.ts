// A plan as a file: canonical JSON whose bytes are what is hashed, signed and applied.
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { encodeWellFormed } from '../../base/well-formed.ts';
import { FettleError } from '../../domain/error.ts';
import { currentPlan } from '../../domain/former-records.ts';
import { hookSha256 } from '../../domain/hook-hash.ts';
import type { Plan } from '../../domain/plan.ts';
import { planSchema } from './schema.ts';

/** More than any fleet's plan; what is larger is not read. */
export const planFileLimitBytes = 256 * 1024 * 1024;

/** RFC 8785 canonical JSON and one newline; `sha256sum` of the file is the plan's hash. */
export function encodePlan(plan: Plan): Buffer {
  return encodeCanonical(plan);
}

function encodeCanonical(plan: unknown): Buffer {
  const text = encodeWellFormed(canonicalize, plan);
  if (text === undefined) throw new FettleError('internal', 'the plan has no canonical form');
  return Buffer.from(`${text}\n`);
}

/** SHA-256 of the file's bytes, hex. */
export function planSha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * The approved hash of a plan in lower-case hex; a line of sha256sum(1) will do.
 * @throws FettleError `usage` for text that is not a SHA-256.
 */
export function readPlanHash(text: string): string {
  const hash = /^([0-9a-f]{64})(\s|$)/.exec(text.trim().toLowerCase())?.[1];
  if (hash !== undefined) return hash;
  throw new FettleError('usage', `"${text}" is not a SHA-256 hash: 64 hexadecimal digits`, {
    hint: 'pass the hash that `fettle plan` printed',
  });
}

/**
 * Compares the hash of a plan's bytes with the one that was approved, both in lower-case hex.
 * @throws FettleError `approval` where they differ.
 */
export function checkPlanHash(found: string, approved: string): void {
  if (found === approved) return;
  throw new FettleError('approval', `the plan file has SHA-256 ${found}, but ${approved} was approved`, {
    hint: 'apply the approved file, or have this one approved',
    details: { found, approved },
  });
}

/**
 * Reads the bytes of a plan file. Everything it does not know, and everything that does not fit together, is refused:
 * what was approved must mean what is done. `FettleError('config')` for what is no plan of this version,
 * `FettleError('approval')` for a plan that is not as `fettle plan` wrote it.
 */
export function decodePlan(bytes: Uint8Array): Plan {
  if (bytes.length > planFileLimitBytes) {
    throw refused(`it has ${Math.round(bytes.length / 1024 / 1024)} MiB; no plan is that large`);
  }
  const raw = parseJson(bytes);
  checkKind(raw);
  const read = planSchema.safeParse(currentPlan(raw));
  if (!read.success) {
    const [issue] = read.error.issues;
    throw altered(`${describePath(issue?.path ?? [])}: ${issue?.message ?? 'not as expected'}`, read.error);
  }
  const plan = read.data;
  if (!encodeCanonical(raw).equals(bytes)) throw altered('it is not in canonical form: it was edited or reformatted');
  checkWaves(plan);
  checkHooks(plan);
  return plan;
}

function refused(what: string, cause?: unknown): FettleError {
  return new FettleError('config', `this plan cannot be applied: ${what}`, {
    hint: 'use the file as `fettle plan` wrote it, or make a new plan',
    ...(cause === undefined ? {} : { cause }),
  });
}

function altered(what: string, cause?: unknown): FettleError {
  return new FettleError('approval', `this plan was altered: ${what}`, {
    hint: 'apply the file as `fettle plan` wrote it, or make a new plan',
    ...(cause === undefined ? {} : { cause }),
  });
}

function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) throw refused('the file is empty');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw refused('it is not UTF-8 text', error);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    if (isPlanText(text)) throw altered('it is truncated, or was edited', error);
    throw refused(text.endsWith('}\n') ? 'it is not JSON' : 'it is not JSON, or is truncated', error);
  }
}

/** How every plan begins: canonical JSON sorts the keys. */
const planBeginning = '{"absent":[';

/** True for the beginning of a file that `fettle plan` wrote, whole or not. */
export function isPlanText(text: string): boolean {
  return text.startsWith(planBeginning);
}

/** Checked before the shape, so that the message is about the actual mistake. */
function checkKind(raw: unknown): void {
  if (typeof raw !== 'object' || raw === null || !('kind' in raw) || raw.kind !== 'plan') {
    throw refused('its kind is not `plan`');
  }
  const version = 'version' in raw ? raw.version : undefined;
  if (version === 1 || version === 2) return;
  throw refused(`it has format version ${JSON.stringify(version)}; this fettle reads versions 1 and 2`);
}

function describePath(path: readonly PropertyKey[]): string {
  const text = path.reduce<string>(
    (so, key) => (typeof key === 'number' ? `${so}[${key}]` : `${so}.${String(key)}`),
    '',
  );
  return text.replace(/^\./, '') || 'the file';
}

/** Each host once; each wave names exactly the hosts that name it. */
function checkWaves(plan: Plan): void {
  const names = [...plan.hosts, ...plan.absent].map((item) => item.host);
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined) throw altered(`host ${twice} appears twice`);
  const waveOf = new Map<string, number>();
  for (const [index, wave] of plan.waves.entries()) {
    for (const host of wave.hosts) {
      if (waveOf.has(host)) throw altered(`host ${host} is in two waves`);
      waveOf.set(host, index);
    }
  }
  const wrong = plan.hosts.find((host) => (waveOf.get(host.host) ?? -1) !== host.wave);
  if (wrong !== undefined) throw altered(`host ${wrong.host} and its wave do not match`);
  const known = new Set(plan.hosts.map((host) => host.host));
  const stray = [...waveOf.keys()].find((host) => !known.has(host));
  if (stray !== undefined) throw altered(`a wave lists ${stray}, which is not in the plan`);
  const forgotten = plan.hosts.find((host) => host.wave < 0 && host.updates.length + host.removals.length > 0);
  if (forgotten !== undefined) throw altered(`host ${forgotten.host} has updates but no wave`);
}

function checkHooks(plan: Plan): void {
  for (const hook of Object.values(plan.hooks).flat()) {
    if ((hook.local === undefined) === (hook.remote === undefined)) {
      throw altered(`hook ${hook.name} must be either local or remote`);
    }
    if (hookSha256(hook) !== hook.sha256)
      throw altered(`hook ${hook.name} does not have the SHA-256 it is listed with`);
  }
}
