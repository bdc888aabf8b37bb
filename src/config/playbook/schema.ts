// The shape of a playbook file, as it is written.
import { z } from 'zod';
import { sealText } from '../../domain/secret-text.ts';
import { parseAmount, parsePercent } from './amount.ts';
import { parseDurationMs } from './duration.ts';

const name = z.string().regex(/^[^\S\p{Cc}]*[^\s\p{Cc}][^\p{Cc}]*$/u, 'must be one line of text');
const count = z.int().min(1);
const duration = z
  .string('must be a duration such as 90s, 10m, 6h or 7d')
  .refine((text) => parseDurationMs(text) !== undefined, 'must be a duration such as 90s, 10m, 6h or 7d')
  .meta({ examples: ['90s', '10m', '6h', '7d'] });
const positiveDuration = duration.refine((text) => parseDurationMs(text) !== 0, 'must be longer than zero');
const percent = z
  .string('must be a percentage such as 5%')
  .refine((text) => parsePercent(text) !== undefined, 'must be a percentage such as 5%')
  .meta({ examples: ['5%'] });
const amount = z
  .union([z.string(), z.number()], 'must be a number of hosts, a percentage such as 25%, or rest')
  .refine((value) => parseAmount(value) !== undefined, 'must be a number of hosts, a percentage such as 25%, or rest')
  .meta({ examples: [1, '25%', 'rest'] });
const classifications = [
  'security',
  'critical',
  'rollup',
  'update',
  'service-pack',
  'feature-pack',
  'definition',
  'tool',
  'driver',
  'upgrade',
] as const;
const severity = z.enum(['fail', 'warn', 'ignore']);
const rebootMode = z.enum(['never', 'if-needed', 'always']);

const budget = z.strictObject({
  max: z.int().min(0).optional().describe('No further host is started once more hosts than this have failed.'),
  percent: percent
    .optional()
    .describe('The same as a share of the hosts of the run, or of the wave, rounded down; the smaller limit applies.'),
  counts: z
    .array(z.enum(['failed', 'unreachable', 'unverified', 'drifted']))
    .min(1)
    .optional(),
});

const wave = z.strictObject({
  name: name.optional(),
  select: name.optional().describe('Pattern of hosts that this wave may contain.'),
  where: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()], 'must be text, a number, true or false'))
    .optional()
    .describe('Variables that a host of this wave must have.'),
  take: amount.optional(),
  concurrency: count.optional(),
  budget: budget.optional(),
});

const rule = z
  .strictObject({
    class: z.enum(['security', 'other', 'unknown', 'any']).optional(),
    managers: z.array(name).min(1).optional().describe('Package managers whose updates the rule matches.'),
    packages: z.array(name).min(1).optional().describe('Globs of package names, KB numbers or update ids.'),
    titles: z.array(name).min(1).optional().describe('Globs of titles of Windows updates.'),
    classifications: z.array(z.enum(classifications)).min(1).optional().describe('Windows Update classifications.'),
    severities: z
      .array(z.enum(['critical', 'important', 'moderate', 'low']))
      .min(1)
      .optional()
      .describe('Severities as Microsoft rates them; many updates have none and never match.'),
  })
  .refine(
    (value) => Object.values(value).some((part) => part !== undefined),
    'needs class, managers, packages, titles, classifications or severities',
  );

const hook = z
  .strictObject({
    name,
    local: z.array(z.string()).min(1).optional().describe('A command on the controller, as an argument list.'),
    remote: z.string().min(1).optional().describe('A script for the shell of the host: sh, or PowerShell on Windows.'),
    timeout: positiveDuration.optional(),
    on_error: z.enum(['fail-host', 'warn']).optional(),
    runs: z.enum(['always', 'on-success']).optional(),
  })
  .refine((value) => (value.local === undefined) !== (value.remote === undefined), 'needs either local or remote')
  .refine(
    ({ local = [], remote = '' }) => [local.join(' '), remote].every((text) => sealText(text) === text),
    'must not contain a secret: the plan and the ledger keep its text; let the hook read the secret from a file',
  );

const beforeHook = hook.refine((value) => value.runs === undefined, {
  message: 'runs is only for after_host hooks',
  path: ['runs'],
});

const guard = z.strictObject({
  min_hosts: count.optional(),
  max_hosts: count.optional(),
  max_share_of_inventory: percent.optional(),
});

const rollout = z.strictObject({
  concurrency: count.optional(),
  per_source: count
    .optional()
    .describe('Windows: how many hosts may fetch from one update server, such as a WSUS server, at once.'),
  order: z.enum(['inventory', 'shuffle']).optional(),
  budget: budget.optional(),
  waves: z
    .array(z.union([amount, wave]))
    .min(1)
    .optional(),
});

const install = z.strictObject({
  timeout: positiveDuration.optional(),
  lock_wait: duration.optional(),
  conffile: z.enum(['keep-old', 'take-new']).optional(),
  on_drift: z.enum(['refuse', 'refuse-host', 'skip-package', 'supersede']).optional(),
  mode: z
    .enum(['download', 'cached'])
    .optional()
    .describe('Windows: download only, or install only what is already downloaded.'),
  restart_services: z.enum(['never', 'report', 'stale']).optional(),
  max_age: duration.optional(),
});

const reboot = z.strictObject({
  mode: rebootMode.optional(),
  max: z.int().min(0).max(10).optional(),
  go_down: positiveDuration.optional(),
  come_back: positiveDuration.optional(),
  settle: duration.optional(),
  concurrency: count.optional(),
  if_idle: z.boolean().optional().describe('Do not reboot a host while a user is logged on.'),
});

const verify = z.strictObject({
  failed_units: severity.optional(),
  listeners: severity.optional(),
  stale_processes: severity.optional(),
  ignore: z.array(name).optional(),
  retries: z.int().min(0).max(100).optional(),
  retry_delay: duration.optional(),
});

export const playbookSchema = z.strictObject({
  kind: z.literal('patch', 'must be patch'),
  version: z.literal(1, 'must be 1, the version this fettle supports'),
  name,
  description: z.string().optional(),
  targets: z.strictObject({ select: name, guard: guard.optional() }),
  policy: z
    .strictObject({
      include: z.array(rule).optional(),
      exclude: z.union([z.array(rule), rule]).optional(),
      security_only: z.boolean().optional(),
      include_phased: z.boolean().optional(),
      new_packages: z.enum(['allow', 'refuse']).optional(),
    })
    .optional(),
  rollout: rollout.optional(),
  install: install.optional(),
  reboot: z.union([rebootMode, reboot]).optional(),
  verify: verify.optional(),
  hooks: z
    .strictObject({
      before_host: z.array(beforeHook).optional(),
      before_reboot: z.array(beforeHook).optional(),
      after_host: z.array(hook).optional(),
    })
    .optional(),
  plan: z.strictObject({ expires: positiveDuration.optional() }).optional(),
});

export type WrittenPlaybook = z.infer<typeof playbookSchema>;

/** JSON Schema (2020-12) of a playbook for editors. */
export function playbookJsonSchema(): Readonly<Record<string, unknown>> {
  return { ...z.toJSONSchema(playbookSchema, { io: 'input' }), title: 'fettle playbook' };
}
