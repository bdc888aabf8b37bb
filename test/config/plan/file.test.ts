import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import {
  checkPlanHash,
  readPlanHash,
  decodePlan,
  encodePlan,
  planFileLimitBytes,
  planSha256,
} from '../../../src/config/plan/file.ts';
import { FettleError } from '../../../src/domain/error.ts';
import { hookSha256 } from '../../../src/domain/hook-hash.ts';
import type { Plan, PlannedHook } from '../../../src/domain/plan.ts';
import { aHostPlan, aPlanned } from '../../domain/fixtures.ts';
import { budgetOf, planOf } from '../../support/rollout-fixture.ts';

const drain: PlannedHook = {
  name: 'drain',
  local: ['lb', 'drain', '{{host}}'],
  timeoutMs: 120_000,
  onError: 'fail-host',
  runs: 'on-success',
  sha256: hookSha256({ local: ['lb', 'drain', '{{host}}'] }),
};

const plan: Plan = planOf([], {
  playbook: { name: 'monthly', sha256: 'b'.repeat(64) },
  waves: [{ name: 'first', hosts: ['web01'], concurrency: 5, budget: budgetOf(0) }],
  hosts: [
    aHostPlan({
      updates: [aPlanned(), aPlanned({ name: 'libnew', from: null })],
      leftOut: [
        {
          manager: 'apt',
          name: 'curl',
          arch: 'amd64',
          from: '7.0',
          to: '7.1',
          class: 'other',
          reason: 'phased at 10 %',
          heldBack: { kind: 'phased', percent: 10 },
        },
      ],
    }),
    aHostPlan({ host: 'web02', hostId: 'web02', wave: -1 }),
  ],
  absent: [
    {
      host: 'web03',
      hostId: 'web03',
      kind: 'unreachable',
      reason: 'no answer',
      error: { code: 'timeout', message: 'no answer', details: { ms: 10_000 } },
    },
  ],
  hooks: { before_host: [drain], before_reboot: [], after_host: [] },
  warnings: ['größer als gedacht'],
});

function refusal(bytes: Uint8Array): FettleError {
  try {
    decodePlan(bytes);
  } catch (error) {
    assert.ok(error instanceof FettleError);
    return error;
  }
  return assert.fail('it was accepted');
}

/** The file with one thing changed, in canonical form again as a forger would write it. */
function forged(change: (plan: Record<string, unknown>) => void): Buffer {
  const raw = JSON.parse(encodePlan(plan).toString()) as Record<string, unknown>;
  change(raw);
  return Buffer.from(`${JSON.stringify(sorted(raw))}\n`);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}

describe('a plan file', () => {
  test('reads back as the plan that was written', () => {
    assert.deepEqual(decodePlan(encodePlan(plan)), plan);
  });

  test('reads back with every setting that only some plans have', () => {
    const reboot = { ...plan.reboot, concurrency: 1, isWritten: true, hasDefaultLimits: true, ifIdle: true } as const;
    const install = { ...plan.install, mode: 'download' } as const;
    const hosts = plan.hosts.map((item) => ({
      ...item,
      rebootSettings: { ...reboot, power: 'off' } as const,
      source: 'http://wsus',
    }));
    const whole: Plan = { ...plan, reboot, install, hosts, limit: 'web', perSource: 3 };
    assert.deepEqual(decodePlan(encodePlan(whole)), whole);
  });

  test('is one line of canonical JSON, the same bytes for the same plan', () => {
    const bytes = encodePlan(plan);
    assert.deepEqual(encodePlan(decodePlan(bytes)), bytes);
    assert.equal(bytes.indexOf('\n'), bytes.length - 1);
    const keys = Object.keys(JSON.parse(bytes.toString()) as object);
    assert.deepEqual(keys, keys.toSorted());
  });

  test('has the hash that sha256sum prints', () => {
    const bytes = encodePlan(plan);
    assert.equal(planSha256(bytes), createHash('sha256').update(bytes).digest('hex'));
  });

  test('is held against the approved hash before it is read', () => {
    const bytes = Buffer.from('not even JSON');
    const approved = readPlanHash(`${planSha256(bytes).toUpperCase()}  plan.json\n`);
    assert.doesNotThrow(() => checkPlanHash(planSha256(bytes), approved));
    assert.throws(() => checkPlanHash(planSha256(bytes), 'a'.repeat(64)), { code: 'approval' });
    assert.throws(() => readPlanHash(planSha256(bytes).slice(1)), { code: 'usage' });
  });

  const host = (raw: Record<string, unknown>, index = 0): Record<string, unknown> =>
    (raw['hosts'] as Record<string, unknown>[])[index] ?? {};
  const whole = encodePlan(plan);
  const broken: readonly [title: string, bytes: Uint8Array, message: RegExp][] = [
    ['empty', Buffer.alloc(0), /the file is empty/],
    ['cut off', whole.subarray(0, whole.length - 10), /it is truncated, or was edited/],
    ['without its last byte', whole.subarray(0, whole.length - 1), /not in canonical form/],
    ['with text behind it', Buffer.concat([whole, Buffer.from('{}\n')]), /truncated, or was edited/],
    ['binary', Buffer.from([0x7b, 0xff, 0xfe]), /not UTF-8/],
    ['a list', Buffer.from('[]\n'), /its kind is not `plan`/],
    ['a playbook', Buffer.from('{"kind":"patch","version":1}\n'), /its kind is not `plan`/],
    [
      'of a later version',
      forged((raw) => (raw['version'] = 3)),
      /format version 3; this fettle reads versions 1 and 2/,
    ],
    ['without a version', forged((raw) => delete raw['version']), /format version undefined/],
    ['reformatted', Buffer.from(`${JSON.stringify(plan, undefined, 2)}\n`), /not in canonical form/],
    [
      'with a key twice',
      Buffer.from(whole.toString().replace('"kind":"plan"', '"kind":"plan","kind":"plan"')),
      /not in canonical form/,
    ],
    ['with an unknown key', forged((raw) => (host(raw)['extra'] = 1)), /hosts\[0\]: .*"extra"/],
    ['with a missing key', forged((raw) => delete host(raw)['managers']), /hosts\[0\]\.managers/],
    ['with a wrong type', forged((raw) => (host(raw)['updates'] = 'all')), /hosts\[0\]\.updates/],
    ['with a host twice', forged((raw) => (host(raw, 1)['host'] = 'web01')), /host web01 appears twice/],
    ['with a host moved to another wave', forged((raw) => (host(raw)['wave'] = 1)), /web01 and its wave do not match/],
    ['with a stray host in a wave', forged((raw) => (raw['hosts'] = [])), /a wave lists web01/],
    [
      'with a changed hook',
      forged((raw) => {
        const [hook] = (raw['hooks'] as Record<string, Record<string, unknown>[]>)['before_host'] ?? [];
        if (hook !== undefined) hook['local'] = ['rm', '-rf', '/'];
      }),
      /hook drain does not have the SHA-256/,
    ],
    [
      'with a hook that is neither local nor remote',
      forged((raw) => {
        const [hook] = (raw['hooks'] as Record<string, Record<string, unknown>[]>)['before_host'] ?? [];
        if (hook !== undefined) delete hook['local'];
      }),
      /hook drain must be either local or remote/,
    ],
  ];
  const noPlans = new Set(['empty', 'binary', 'a list', 'a playbook', 'of a later version', 'without a version']);
  for (const [title, bytes, message] of broken) {
    test(`${title} is refused as ${noPlans.has(title) ? 'no plan' : 'an altered one'}`, () => {
      const error = refusal(bytes);
      assert.equal(error.code, noPlans.has(title) ? 'config' : 'approval');
      assert.match(error.message, message);
      assert.match(error.hint ?? '', /fettle plan/);
    });
  }

  test('larger than any plan is refused unread', () => {
    const huge = { length: planFileLimitBytes + 1 } as Uint8Array;
    assert.match(refusal(huge).message, /256 MiB; no plan is that large/);
  });
});

test('the hash of a hook differs between a script and an argument list with its text', () => {
  assert.notEqual(hookSha256({ local: ['true'] }), hookSha256({ local: ['tr', 'ue'] }));
  assert.equal(hookSha256({ remote: 'true' }), createHash('sha256').update('true').digest('hex'));
});
