// The shape of a plan file. Strict throughout: a key that is not known is a file of another version.
import { z } from 'zod';
import type { Plan } from '../../domain/plan.ts';
import { errorCodes } from '../../domain/error.ts';
import { packageIdFields, updateDetailFields } from './update-schema.ts';

const text = z.string();
const name = z.string().min(1);
const whole = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'not a SHA-256 in hex');
const updateClass = z.enum(['security', 'other', 'unknown']);
const rebootMode = z.enum(['never', 'if-needed', 'always']);
const severity = z.enum(['fail', 'warn', 'ignore']);

const budget = z.strictObject({
  max: whole.exactOptional(),
  percent: z.number().min(0).max(100).exactOptional(),
  atLeast: whole.exactOptional(),
  counts: z.array(z.enum(['failed', 'unreachable', 'unverified', 'drifted'])),
});

const heldBack = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('held') }),
  z.strictObject({ kind: z.literal('phased'), percent: z.number().exactOptional() }),
  z.strictObject({ kind: z.literal('needs-new'), packages: z.array(name) }),
  z.strictObject({ kind: z.literal('needs-removal'), packages: z.array(name) }),
  z.strictObject({ kind: z.literal('pinned') }),
  z.strictObject({ kind: z.literal('module'), module: name }),
  z.strictObject({ kind: z.literal('downgrade') }),
  z.strictObject({ kind: z.literal('excluded'), reason: text, unless: z.enum(['pattern', 'name', 'id']) }),
  z.strictObject({ kind: z.literal('unknown') }),
]);

const plannedUpdate = z.strictObject({
  ...packageIdFields,
  ...updateDetailFields,
  // What Windows Update offers has no version before.
  from: text.nullable(),
  to: name,
  class: updateClass,
  origins: z.array(text),
  isKernel: z.boolean(),
  reason: text,
  untried: z.boolean(),
});

const leftOut = z.strictObject({
  ...packageIdFields,
  ...updateDetailFields,
  from: text,
  to: name,
  class: updateClass,
  reason: name,
  heldBack: heldBack.exactOptional(),
});

const rebootSettings = z.strictObject({
  mode: rebootMode,
  max: whole,
  goDownMs: whole,
  comeBackMs: whole,
  settleMs: whole,
  concurrency: whole.exactOptional(),
  isWritten: z.boolean().exactOptional(),
  hasDefaultLimits: z.literal(true).exactOptional(),
  ifIdle: z.literal(true).exactOptional(),
  power: z.literal('off').exactOptional(),
});

const hostPlan = z.strictObject({
  host: name,
  hostId: name,
  wave: z.int().min(-1),
  managers: z.array(name),
  steps: z.array(z.strictObject({ manager: name, afterFailure: z.enum(['stop', 'continue']) })),
  osName: text,
  machineId: text.exactOptional(),
  updates: z.array(plannedUpdate),
  removals: z.array(z.strictObject({ ...packageIdFields, version: name })),
  leftOut: z.array(leftOut),
  securityKnown: z.boolean(),
  gaps: z.array(text).exactOptional(),
  downloadBytes: whole,
  reboot: z.strictObject({ expected: z.boolean(), reasons: z.array(text) }),
  rebootSettings,
  metadataFetchedMs: z.number().exactOptional(),
  inventorySha256: sha256,
  clusters: z.array(name),
  via: z.array(name).exactOptional(),
  source: name.exactOptional(),
});

const errorRecord = z.strictObject({
  code: z.enum(errorCodes),
  message: text,
  hint: text.exactOptional(),
  details: z.record(text, z.unknown()).exactOptional(),
});

const absence = z.strictObject({
  host: name,
  hostId: name,
  kind: z.enum(['unreachable', 'failed', 'disabled', 'duplicate', 'skipped']),
  reason: text,
  error: errorRecord.exactOptional(),
});

const rule = z.strictObject({
  class: z.enum(['security', 'other', 'unknown', 'any']).exactOptional(),
  managers: z.array(name).exactOptional(),
  packages: z.array(name).exactOptional(),
  titles: z.array(name).exactOptional(),
  classifications: z.array(name).exactOptional(),
  severities: z.array(name).exactOptional(),
});

const policy = z.strictObject({
  include: z.array(rule),
  exclude: z.array(rule),
  securityOnly: z.boolean(),
  includePhased: z.boolean(),
  newPackages: z.enum(['allow', 'refuse']),
});

const install = z.strictObject({
  timeoutMs: whole,
  lockWaitMs: whole,
  conffile: z.enum(['keep-old', 'take-new']),
  onDrift: z.enum(['refuse-host', 'skip-package', 'supersede']),
  restartServices: z.enum(['never', 'report', 'stale']),
  maxAgeMs: whole,
  mode: z.enum(['download', 'cached']).exactOptional(),
});

const verify = z.strictObject({
  failedUnits: severity,
  listeners: severity,
  staleProcesses: severity,
  ignore: z.array(name),
  retries: whole,
  retryDelayMs: whole,
});

const hook = z.strictObject({
  name,
  local: z.array(text).min(1).exactOptional(),
  remote: name.exactOptional(),
  timeoutMs: whole,
  onError: z.enum(['fail-host', 'warn']),
  runs: z.enum(['always', 'on-success']),
  sha256,
});

const wave = z.strictObject({
  name,
  hosts: z.array(name).min(1),
  concurrency: z.int().min(1),
  budget: budget.exactOptional(),
});

export const planSchema: z.ZodType<Plan> = z.strictObject({
  kind: z.literal('plan'),
  version: z.literal(2),
  id: name,
  createdMs: whole,
  expiresMs: whole,
  fettleVersion: name,
  playbook: z.strictObject({ name, sha256 }),
  select: text,
  limit: text.exactOptional(),
  seed: whole,
  concurrency: z.int().min(1),
  perSource: z.int().min(1).exactOptional(),
  budget,
  waves: z.array(wave),
  policy,
  install,
  reboot: rebootSettings,
  verify,
  hooks: z.strictObject({
    before_host: z.array(hook),
    before_reboot: z.array(hook),
    after_host: z.array(hook),
  }),
  hosts: z.array(hostPlan),
  absent: z.array(absence),
  warnings: z.array(text),
});

/** JSON Schema (draft 2020-12) of a plan file. */
export function planJsonSchema(): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(planSchema, { io: 'input' });
}
