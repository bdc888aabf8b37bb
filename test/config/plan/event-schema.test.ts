import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { eventJsonSchema, eventSchemas } from '../../../src/config/plan/event-schema.ts';
import { planJsonSchema } from '../../../src/config/plan/schema.ts';
import type { RunEvent } from '../../../src/domain/event.ts';
import { rollout } from '../../report/rollout-events.ts';
import { aScan } from '../../domain/fixtures.ts';

const recorded = rollout.filter((event): event is RunEvent => !event.type.startsWith('live.'));

test('the schema of events describes every field of a whole rollout', () => {
  for (const event of recorded) assert.deepEqual(eventSchemas[event.type].parse(event), event);
});

test('the schema of events describes every field of a scan', () => {
  const event = { type: 'host.scanned', run: 'R', host: 'a', hostId: 'a', purpose: 'scan', scan: aScan() };
  assert.deepEqual(eventSchemas['host.scanned'].parse(event), event);
});

test('the JSON Schema of a line has its envelope and one branch for each type of event', () => {
  const read = z.object({
    allOf: z.tuple([
      z.object({ required: z.array(z.string()) }),
      z.object({ oneOf: z.array(z.object({ properties: z.object({ type: z.object({ const: z.string() }) }) })) }),
    ]),
  });
  const [envelope, { oneOf }] = read.parse(eventJsonSchema()).allOf;
  assert.deepEqual(envelope.required, ['v', 'seq', 'time']);
  assert.deepEqual(
    oneOf.map(({ properties }) => properties.type.const),
    Object.keys(eventSchemas),
  );
});

test('the JSON Schema of a plan names its hosts and waves', () => {
  const { properties } = z.object({ properties: z.record(z.string(), z.unknown()) }).parse(planJsonSchema());
  assert.ok('hosts' in properties && 'waves' in properties);
});
