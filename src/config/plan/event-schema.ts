// The shape of a line of --jsonl, for those who read it.
import { z } from 'zod';
import { errorCodes } from '../../domain/error.ts';
import type { RunEvent, RunEventType } from '../../domain/event.ts';
import { scanSchema } from './scan-schema.ts';
import { packageIdFields } from './update-schema.ts';

const text = z.string();
const texts = z.array(text);
const whole = z.int().min(0);
const flag = z.boolean();
const epochMs = z.number().describe('Milliseconds since 1970-01-01 UTC.');
const sha256 = text.describe('SHA-256 in hex.');

const run = { run: text };
const ofHost = { run: text, host: text, hostId: text };
const attempt = whole.describe('Number of the attempt on this host in this run, from 1.');

const operator = z.object({
  user: text.describe('User of the process.'),
  loginUid: whole.exactOptional().describe('User id of the login as the kernel keeps it.'),
  loginName: text.exactOptional(),
  sudoUser: text.exactOptional().describe('SUDO_USER of the environment, which any user can set.'),
  loginUser: text.exactOptional(),
  controller: text,
  pid: whole,
});

const error = z.object({
  code: z.enum(errorCodes),
  message: text,
  hint: text.exactOptional(),
  details: z.record(text, z.unknown()).exactOptional(),
});

const step = z.enum([
  'connect',
  'preflight',
  'before_host',
  'refresh',
  'repair',
  'install',
  'restart',
  'before_reboot',
  'reboot',
  'verify',
  'after_host',
  'exec',
]);

const verdict = z.enum([
  'verified',
  'unhealthy',
  'pending-reboot',
  'pending-restart',
  'failed',
  'unreachable',
  'lost',
  'drifted',
  'skipped',
  'detached',
]);

const outcome = z.object({
  verdict,
  change: z.enum(['none', 'partial', 'installed', 'unknown']).describe('What was installed on the host.'),
  reason: text,
  hint: text.exactOptional(),
  error: error.exactOptional(),
  followsFromMode: flag.exactOptional(),
});

const updateResult = z.object({
  ...packageIdFields,
  from: text.nullable(),
  to: text,
  now: text.nullable().describe('The version that is installed now; null where none is.'),
  state: z.enum(['downloaded', 'installed', 'already', 'superseded', 'failed', 'not-installed', 'broken', 'removed']),
  message: text.exactOptional(),
});

const finding = z.object({
  check: z.enum([
    'plan',
    'rolled-back',
    'unplanned',
    'failed-unit',
    'service',
    'listener',
    'kernel',
    'stale-process',
    'broken-package',
    'conffile',
  ]),
  level: z.enum(['fail', 'warn']),
  message: text,
});

/** Hosts of a plan that its run does not touch. */
const others = {
  idle: texts.exactOptional().describe('Hosts of the plan that need no work.'),
  absent: z
    .array(
      z.object({
        host: text,
        kind: z.enum(['unreachable', 'failed', 'disabled', 'duplicate', 'skipped']),
        reason: text,
      }),
    )
    .exactOptional()
    .describe('Hosts that could not be planned.'),
};

const label = z.union([z.string(), z.number(), z.boolean()]);

const labels = z
  .array(
    z.object({
      hosts: texts.describe('Hosts that share these labels.'),
      ids: z.record(z.string(), text).exactOptional().describe('Ids of those whose id is not their name.'),
      groups: texts,
      owner: text.exactOptional(),
      ring: text.exactOptional(),
      labels: z.record(z.string(), z.union([label, z.array(label)])).describe('Other patch_* variables.'),
    }),
  )
  .exactOptional()
  .describe('What the hosts belong to, as the inventory had it when the run began.');

type Schemas = { readonly [Type in RunEventType]: z.ZodType<Extract<RunEvent, { readonly type: Type }>> };

/** Recorded events by type, without the envelope of their line. Fields that they do not know are left out of the result. */
export const eventSchemas = {
  'run.started': z.object({
    type: z.literal('run.started'),
    ...run,
    kind: z.enum(['scan', 'plan', 'apply', 'reboot', 'shutdown', 'verify', 'exec', 'ping', 'wake']),
    operator,
    fettleVersion: text,
    argv: texts.describe('The command line without secret values.'),
    hosts: texts,
    labels,
    ...others,
    limit: text.exactOptional(),
    scriptsSha256: sha256.exactOptional(),
    planSha256: sha256.exactOptional(),
    playbook: text.exactOptional(),
    ticket: text.exactOptional(),
    reason: text.exactOptional(),
    seed: whole.exactOptional(),
  }),
  'run.resumed': z.object({ type: z.literal('run.resumed'), ...run, operator, argv: texts, ...others }),
  'run.stopping': z.object({
    type: z.literal('run.stopping'),
    ...run,
    cause: z.enum(['budget', 'operator', 'signal', 'ledger']),
    message: text,
  }),
  'run.detached': z.object({ type: z.literal('run.detached'), ...run, hosts: texts, message: text }),
  'run.finished': z.object({
    type: z.literal('run.finished'),
    ...run,
    exitCode: whole,
    exitName: text,
    reasons: texts,
    counts: z.record(text, z.number()),
  }),
  'wave.started': z.object({ type: z.literal('wave.started'), ...run, wave: whole, name: text, hosts: texts }),
  'wave.finished': z.object({ type: z.literal('wave.finished'), ...run, wave: whole, name: text }),
  'host.started': z.object({
    type: z.literal('host.started'),
    ...ofHost,
    attempt,
    wave: whole.exactOptional(),
  }),
  'host.scanned': z.object({
    type: z.literal('host.scanned'),
    ...ofHost,
    attempt: attempt.exactOptional(),
    scan: scanSchema,
    purpose: z.enum(['scan', 'before', 'after']).describe('A scan by itself, or before or after an installation.'),
  }),
  'step.started': z.object({
    type: z.literal('step.started'),
    ...ofHost,
    attempt,
    step,
    job: text.exactOptional(),
    jobKind: z.enum(['install', 'refresh', 'repair', 'reboot', 'restart', 'hook']).exactOptional(),
    bootIdBefore: text.exactOptional(),
    name: text.exactOptional(),
  }),
  'step.finished': z.object({
    type: z.literal('step.finished'),
    ...ofHost,
    attempt,
    step,
    job: text.exactOptional(),
    ok: flag,
    exitCode: z.int().exactOptional(),
    message: text.exactOptional(),
    error: error.exactOptional(),
    outputSha256: sha256.exactOptional().describe('SHA-256 of the output; the ledger keeps it.'),
    name: text.exactOptional(),
  }),
  'update.finished': z.object({
    type: z.literal('update.finished'),
    ...ofHost,
    attempt,
    results: z.array(updateResult),
  }),
  'host.rebooted': z.object({
    type: z.literal('host.rebooted'),
    ...ofHost,
    attempt: attempt.exactOptional(),
    bootIdBefore: text,
    bootIdAfter: text,
    reasons: texts,
    downMs: z.number(),
  }),
  'host.verified': z.object({
    type: z.literal('host.verified'),
    ...ofHost,
    attempt: attempt.exactOptional(),
    findings: z.array(finding),
  }),
  'host.finished': z.object({ type: z.literal('host.finished'), ...ofHost, attempt, outcome }),
  'host.abandoned': z.object({ type: z.literal('host.abandoned'), ...ofHost, operator, reason: text }),
  'plan.created': z.object({
    type: z.literal('plan.created'),
    ...run,
    plan: text,
    sha256,
    hosts: whole,
    updates: whole,
    expiresMs: epochMs,
  }),
  note: z.object({
    type: z.literal('note'),
    run: text.exactOptional(),
    host: text.exactOptional(),
    level: z.enum(['info', 'warn']),
    message: text,
  }),
} satisfies Schemas;

const line = z.object({
  v: z.literal(1).describe('Version of the envelope.'),
  seq: z.int().min(1).describe('Number of the line in this process, from 1.'),
  time: z.iso.datetime().describe('RFC 3339, UTC.'),
  run: text.exactOptional().describe('The run that the event belongs to.'),
});

/** JSON Schema (draft 2020-12) of one line of --jsonl. Later versions may add fields and types. */
export function eventJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...envelope } = z.toJSONSchema(line, { io: 'input' });
  const types = Object.values(eventSchemas).map((schema) => {
    const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' });
    return rest;
  });
  return { $schema, title: 'A line of fettle --jsonl', allOf: [envelope, { oneOf: types }] };
}
