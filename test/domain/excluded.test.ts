import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UpdateRule } from '../../src/domain/playbook.ts';
import { selectUpdates } from '../../src/domain/policy.ts';
import type { Update } from '../../src/domain/update.ts';
import { anUpdate, everything } from './fixtures.ts';

const id = '11111111-0000-4000-8000-000000000001';

function goesIn(
  unless: 'pattern' | 'name' | 'id',
  include: readonly UpdateRule[],
  more: Partial<Update> = {},
): boolean {
  const heldBack = { kind: 'excluded', reason: 'a preview', unless } as const;
  const update = anUpdate({ name: 'KB5044284', arch: id, heldBack, ...more });
  const { wanted, leftOut } = selectUpdates({ updates: [update], packages: [] }, { ...everything, include }, []);
  if (wanted.length === 0) assert.match(leftOut[0]?.reason ?? '', /does not name it|not included/);
  return wanted.length > 0;
}

describe('an update that is excluded by default', () => {
  test('stays out where everything is wanted', () => {
    assert.equal(goesIn('name', []), false);
    assert.equal(goesIn('name', [{ class: 'any' }]), false);
    assert.equal(goesIn('pattern', [{ packages: ['*'] }]), false);
  });

  test('goes in where its name is written, also beside a rule that takes everything', () => {
    assert.equal(goesIn('name', [{ packages: ['KB5044284'] }]), true);
    assert.equal(goesIn('name', [{ class: 'any' }, { packages: ['KB5044284'] }]), true);
    assert.equal(goesIn('name', [{ packages: ['KB504*'] }]), false);
  });

  test('goes in by nothing but its id where its number may be another update too', () => {
    assert.equal(goesIn('id', [{ packages: ['KB5044284'] }]), false);
    assert.equal(goesIn('id', [{ packages: [id.toUpperCase()] }]), true);
  });

  test('is installed by a pattern that is not only wildcards, where that is enough', () => {
    assert.equal(goesIn('pattern', [{ packages: ['KB5*'] }]), true);
  });

  test('a driver goes in where the classification is written', () => {
    assert.equal(goesIn('name', [{ classifications: ['driver'] }], { classification: 'driver' }), true);
    assert.equal(goesIn('name', [{ classifications: ['security'] }], { classification: 'security' }), false);
  });

  test('a rule that excludes it still wins', () => {
    const heldBack = { kind: 'excluded', reason: 'a preview', unless: 'name' } as const;
    const update = anUpdate({ name: 'KB1', arch: id, heldBack });
    const policy = { ...everything, include: [{ packages: ['KB1'] }], exclude: [{ packages: [id] }] };
    assert.equal(selectUpdates({ updates: [update], packages: [] }, policy, []).wanted.length, 0);
  });
});
