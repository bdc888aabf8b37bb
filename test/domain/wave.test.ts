import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FettleError } from '../../src/domain/error.ts';
import { playbookDefaults } from '../../src/domain/playbook.ts';
import type { Amount, Budget, Rollout, WaveSpec } from '../../src/domain/playbook.ts';
import type { PartitionInput } from '../../src/domain/wave.ts';
import {
  allowedFailures,
  markUntried,
  partitionWaves,
  reachedBehind,
  seededRandom,
  shuffle,
} from '../../src/domain/wave.ts';
import { aHostPlan, aPlanned } from './fixtures.ts';

const budget: Budget = { max: 3, counts: ['failed'] };
const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `h${index + 1}`);

function take(amount: number | `${number}%` | 'rest'): Amount {
  if (amount === 'rest') return { kind: 'rest' };
  return typeof amount === 'number'
    ? { kind: 'count', count: amount }
    : { kind: 'percent', percent: Number.parseInt(amount, 10) };
}

function rollout(waves: readonly WaveSpec[], over: Partial<Rollout> = {}): Rollout {
  return { waves, concurrency: 20, order: 'inventory', budget, ...over };
}

function wavesOf(...amounts: (number | `${number}%` | 'rest')[]): WaveSpec[] {
  return amounts.map((amount, index) => ({ name: `w${index + 1}`, take: take(amount) }));
}

function input(hosts: readonly string[], over: Partial<PartitionInput> = {}): PartitionInput {
  return {
    hosts: hosts.map((name) => ({ name, variables: {} })),
    rollout: rollout(wavesOf('rest')),
    seed: 1,
    select: (pattern) => new Set(hosts.filter((name) => name.startsWith(pattern))),
    reachedThrough: new Map(),
    ...over,
  };
}

function dealt(over: PartitionInput): string[][] {
  return partitionWaves(over).map((wave) => [...wave.hosts]);
}

describe('waves', () => {
  const sizes: readonly [hosts: number, specs: WaveSpec[], sizes: number[]][] = [
    [10, wavesOf(1, '30%', 'rest'), [1, 3, 6]],
    [11, wavesOf('30%', 'rest'), [4, 7]],
    [3, wavesOf('1%', 'rest'), [1, 2]],
    [2, wavesOf(5, 'rest'), [2]],
    [1, wavesOf(1, '10%', 'rest'), [1]],
    [4, wavesOf('50%', '50%'), [2, 2]],
    [0, wavesOf('rest'), []],
  ];
  for (const [hosts, specs, expected] of sizes) {
    const told = specs
      .map(({ take: amount }) => ('percent' in amount ? `${amount.percent} %` : amount.kind))
      .join(', ');
    test(`assign ${hosts} hosts to ${told} as ${expected.join(', ') || 'nothing'}`, () => {
      const waves = dealt(input(names(hosts), { rollout: rollout(specs) }));
      assert.deepEqual(
        waves.map((wave) => wave.length),
        expected,
      );
      assert.deepEqual(waves.flat(), names(hosts));
    });
  }

  test('of a silent playbook are one, ten percent and the rest', () => {
    const { waves } = playbookDefaults;
    assert.deepEqual(
      dealt(input(names(30), { rollout: rollout(waves) })).map((wave) => wave.length),
      [1, 3, 26],
    );
  });

  test('take the hosts their pattern means; a percentage is of those', () => {
    const specs: WaveSpec[] = [
      { name: 'canary', select: 'c', take: take('rest') },
      { name: 'some', select: 'w', take: take('50%') },
      { name: 'rest', take: take('rest') },
    ];
    const waves = dealt(input(['w1', 'c1', 'w2', 'w3', 'd1'], { rollout: rollout(specs) }));
    assert.deepEqual(waves, [['c1'], ['w1', 'w2'], ['w3', 'd1']]);
  });

  test('take the hosts whose variable has the value, lists and numbers included', () => {
    const specs: WaveSpec[] = [
      { name: 'ring', where: { patch_ring: 1 }, take: take('rest') },
      { name: 'tag', where: { tags: 'early' }, take: take('rest') },
      { name: 'rest', take: take('rest') },
    ];
    const hosts = [
      { name: 'a', variables: { patch_ring: '1' } },
      { name: 'b', variables: { tags: ['late', 'early'] } },
      { name: 'c', variables: { patch_ring: { of: 1 } } },
    ];
    assert.deepEqual(dealt({ ...input([]), hosts, rollout: rollout(specs) }), [['a'], ['b'], ['c']]);
  });

  test('refuse a host that none of them takes, and name it', () => {
    const specs: WaveSpec[] = [{ name: 'canary', select: 'c', take: take('rest') }];
    assert.throws(
      () => partitionWaves(input(['c1', 'd1', 'd2'], { rollout: rollout(specs) })),
      (error) => error instanceof FettleError && error.code === 'config' && error.message.includes('takes d1, d2'),
    );
  });

  test('refuse what counted waves leave over', () => {
    assert.throws(() => partitionWaves(input(names(5), { rollout: rollout(wavesOf(1, 2)) })), /takes h4, h5/);
  });

  test('the first of several allows no failure unless it has a budget; no other has a budget that is not written', () => {
    const own: Budget = { max: 2, counts: ['failed'] };
    const budgets = (...specs: WaveSpec[]): (Budget | undefined)[] =>
      partitionWaves(input(names(3), { rollout: rollout(specs) })).map((wave) => wave.budget);
    const [first, rest] = wavesOf(1, 'rest');
    assert.ok(first && rest);
    assert.deepEqual(budgets(first, rest), [{ max: 0, counts: budget.counts }, undefined]);
    assert.deepEqual(budgets({ ...first, budget: own }, { ...rest, budget: own }), [own, own]);
    assert.deepEqual(budgets(rest), [undefined], 'a single wave is no trial for others');
  });

  test('that come out empty are dropped, and the next one becomes the first', () => {
    const specs: WaveSpec[] = [{ name: 'canary', select: 'c', take: take('rest') }, ...wavesOf('rest')];
    const waves = partitionWaves(input(names(2), { rollout: rollout(specs) }));
    assert.deepEqual(
      waves.map((wave) => [wave.name, wave.budget?.max]),
      [['w1', 0]],
    );
  });

  test('never run more at once than the rollout', () => {
    const specs: WaveSpec[] = [{ name: 'wide', take: take('rest'), concurrency: 50 }];
    assert.equal(partitionWaves(input(names(1), { rollout: rollout(specs) }))[0]?.concurrency, 20);
  });
});

describe('the order', () => {
  test('of a seed is always the same and loses no host', () => {
    const shuffled = (seed: number): string[] =>
      dealt(input(names(50), { seed, rollout: rollout(wavesOf('rest'), { order: 'shuffle' }) })).flat();
    assert.deepEqual(shuffled(7), shuffled(7));
    assert.notDeepEqual(shuffled(7), shuffled(8));
    assert.deepEqual(shuffled(7).toSorted(), names(50).toSorted());
  });

  test('of seed 42 is written down, so that an old plan can be explained', () => {
    assert.deepEqual(shuffle(['a', 'b', 'c', 'd', 'e'], 42), ['a', 'e', 'c', 'b', 'd']);
    const random = seededRandom(42);
    assert.deepEqual(
      [random(), random()].map((value) => value.toFixed(6)),
      ['0.601104', '0.448291'],
    );
  });

  const via = (jumps: Record<string, string[]>): Map<string, string[]> => new Map(Object.entries(jumps));
  const jumpCases: readonly [title: string, over: Partial<PartitionInput>, waves: string[][]][] = [
    [
      'puts a jump host behind those reached through it',
      { reachedThrough: via({ h2: ['h1'], h3: ['h1'] }) },
      [['h2', 'h3', 'h4', 'h1']],
    ],
    [
      'keeps a jump host out of every wave before theirs',
      { reachedThrough: via({ h4: ['h1'] }), rollout: rollout(wavesOf(1, 1, 'rest')) },
      [['h2'], ['h3'], ['h4', 'h1']],
    ],
    ['follows chains of jump hosts', { reachedThrough: via({ h3: ['h2'], h2: ['h1'] }) }, [['h3', 'h4', 'h2', 'h1']]],
    ['puts the controller last', { controller: 'h1' }, [['h2', 'h3', 'h4', 'h1']]],
    [
      'puts the controller behind a jump host',
      { controller: 'h2', reachedThrough: via({ h4: ['h1'] }) },
      [['h3', 'h4', 'h1', 'h2']],
    ],
    [
      'appends what had to wait to the last wave where no wave has room',
      { controller: 'h1', rollout: rollout(wavesOf(2, 2)) },
      [
        ['h2', 'h3'],
        ['h4', 'h1'],
      ],
    ],
    [
      'appends a jump host whose own wave came too early',
      {
        reachedThrough: via({ h2: ['h1'] }),
        rollout: rollout([
          { name: 'jump', select: 'h1', take: take('rest') },
          { name: 'all', take: take(3) },
        ]),
      },
      [['h2', 'h3', 'h4', 'h1']],
    ],
    [
      'keeps hosts that stand behind each other',
      { reachedThrough: via({ h1: ['h2'], h2: ['h1'] }) },
      [['h3', 'h4', 'h1', 'h2']],
    ],
    ['ignores jump hosts that take no part', { reachedThrough: via({ h1: ['gate'] }) }, [['h1', 'h2', 'h3', 'h4']]],
  ];
  for (const [title, over, waves] of jumpCases) {
    test(title, () => assert.deepEqual(dealt(input(names(4), over)), waves));
  }

  test('a controller alone goes in the first wave', () => {
    assert.deepEqual(dealt(input(['h1'], { controller: 'h1', rollout: rollout(wavesOf(1, 'rest')) })), [['h1']]);
  });

  test('two jump hosts that wait for each other alone are still dealt out', () => {
    const over = { reachedThrough: via({ h1: ['h2'], h2: ['h1'] }) };
    assert.deepEqual(dealt(input(['h1', 'h2'], over)), [['h1', 'h2']]);
  });

  test('knows everything behind a jump host', () => {
    assert.deepEqual([...reachedBehind('a', via({ b: ['a'], c: ['b'], d: ['x'] }))], ['b', 'c']);
  });
});

describe('a budget', () => {
  const cases: readonly [budget: Omit<Budget, 'counts'>, selected: number, allowed: number][] = [
    [{ max: 1 }, 100, 1],
    [{ percent: 5 }, 100, 5],
    [{ percent: 5 }, 39, 1],
    [{ percent: 5 }, 19, 0],
    [{ percent: 5, atLeast: 1 }, 19, 1],
    [{ percent: 5, atLeast: 1 }, 60, 3],
    [{ max: 0, percent: 5, atLeast: 1 }, 19, 0],
    [{ max: 1, percent: 5 }, 100, 1],
    [{ max: 10, percent: 5 }, 100, 5],
    [{ max: 0, percent: 50 }, 100, 0],
    [{}, 100, Infinity],
  ];
  for (const [own, selected, allowed] of cases) {
    test(`${JSON.stringify(own)} of ${selected} hosts bears ${allowed}`, () => {
      assert.equal(allowedFailures({ ...own, counts: [] }, selected), allowed);
    });
  }
});

test('a version that no earlier wave gets first is marked untried', () => {
  const update = (to: string): ReturnType<typeof aPlanned> => aPlanned({ to });
  const marked = markUntried([
    aHostPlan({ host: 'a', wave: 0, updates: [update('1.1')] }),
    aHostPlan({ host: 'b', wave: 1, updates: [update('1.1'), aPlanned({ name: 'curl' })] }),
    aHostPlan({ host: 'c', wave: 2, updates: [aPlanned({ name: 'curl' }), update('1.2')] }),
    aHostPlan({ host: 'd', wave: -1 }),
  ]);
  assert.deepEqual(
    marked.map((host) => host.updates.map((item) => item.untried)),
    [[false], [false, true], [false, true], []],
  );
});
