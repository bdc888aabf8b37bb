import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conduct } from '../campaign/conduct.ts';
import { allCells, designOf } from '../campaign/design.ts';
import { steps } from '../campaign/fault.ts';
import { findingLine } from '../campaign/findings.ts';
import { eachOf } from './shell.ts';

test('every seed from 1 to the number of places stands for a place of its own', () => {
  const places = allCells()
    .map((_, index) => designOf(index + 1))
    .map(({ fault, step }) => `${fault.name} at ${step}`);
  assert.equal(new Set(places).size, allCells().length);
  assert.deepEqual(new Set(allCells().map(({ step }) => step)), new Set(steps));
});

test('a few trials of the fault campaign end with every invariant true', async () => {
  const findings = await eachOf([1, 2, 3, 4, 5, 7], 2, (seed) => conduct(designOf(seed)));
  const broken = findings.filter(({ violations }) => violations.length > 0);
  assert.deepEqual(
    broken.map((finding) => findingLine(finding, '')),
    [],
  );
});
