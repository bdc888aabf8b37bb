import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunEvent } from '../../../src/domain/event.ts';
import { openLedger } from '../../../src/ledger/ledger.ts';
import { Rig } from '../rig.ts';
import { scan, scanned, StandingClock, started } from '../../ledger/fixtures.ts';

async function rigWith(events: readonly RunEvent[]): Promise<Rig> {
  const rig = await Rig.make();
  await using ledger = await openLedger({ path: rig.path('ledger.db'), clock: new StandingClock() });
  await ledger.append(events);
  return rig;
}

const query = '01QUERY';
const commands: readonly (readonly [words: readonly string[], nameOption?: string])[] = [
  [['run', 'show']],
  [['run', 'logs', 'web01'], '--run'],
  [['run', 'resume']],
  [['run', 'stop']],
  [['run', 'abandon', 'web01'], '--run'],
  [['verify'], '--run'],
];

test('without a run that worked on hosts, each command names the latest of all and how to show it', async () => {
  await using rig = await rigWith([started(query, { kind: 'scan' })]);
  for (const [words] of commands) {
    const { code, stderr } = await rig.run(words);
    assert.equal(code, 2, words.join(' '));
    assert.match(
      stderr,
      /no run in the ledger worked on hosts.*the latest of all is 01QUERY \(scan\)/,
      words.join(' '),
    );
    assert.match(stderr, /run show 01QUERY/, words.join(' '));
  }
});

for (const [kind, noun, next] of [
  ['scan', 'a scan', /fettle scan|cli\.ts scan/],
  ['plan', 'a planning run', /apply plan\.json/],
  ['exec', 'a command on hosts', /exec/],
  ['wake', 'a wake-up', /wake/],
  ['shutdown', 'a cancellation of shutdowns', /shutdown/],
] as const) {
  test(`a command that does not fit ${noun} names the kind of the run and what fits`, async () => {
    await using rig = await rigWith([started(query, { kind })]);
    for (const [words, option] of commands) {
      const { code, stderr } = await rig.run([...words, ...(option === undefined ? [] : [option]), query]);
      if (words[1] === 'show') assert.equal(code, 0, stderr);
      else {
        assert.equal(code, 2, words.join(' '));
        // A plan holds hosts while it fetches their lists, and exec keeps output: those have no web01 here.
        if ((kind === 'plan' && words[1] === 'abandon') || (kind === 'exec' && words[1] === 'logs')) {
          assert.match(stderr, /has no (?:output of|host) web01/);
          continue;
        }
        assert.match(stderr, new RegExp(`run ${query} was ${noun}: it `), words.join(' '));
        assert.match(stderr, next, words.join(' '));
      }
    }
  });
}

test('a scan that ended before the turn of a host does not show it as done', async () => {
  const of = { run: query, host: 'web01', hostId: 'web01' };
  await using rig = await rigWith([
    started(query, { kind: 'scan', hosts: ['web01', 'new01'] }),
    scanned(of, scan([])),
    { type: 'run.finished', run: query, exitCode: 13, exitName: 'ledger', reasons: [], counts: {} },
  ]);
  const { stdout } = await rig.run(['run', 'show', query]);
  assert.match(stdout, /not started +new01/);
  assert.match(stdout, /done +web01/);
  const { hosts } = JSON.parse((await rig.run(['run', 'show', query, '--json'])).stdout) as {
    hosts: { host: string }[];
  };
  assert.deepEqual(
    hosts.map(({ host }) => host),
    ['web01'],
  );
});

test('a list of runs that was cut is marked so, on stderr and in JSON', async () => {
  await using rig = await rigWith(Array.from({ length: 21 }, (_, index) => started(`01RUN${100 + index}`)));
  const [cut, whole] = [await rig.run(['run', 'list']), await rig.run(['run', 'list', '-n', '21'])];
  assert.deepEqual(
    [cut, whole].map(({ stdout }) => stdout.trimEnd().split('\n').length),
    [20, 21],
  );
  assert.match(cut.stderr, /only the latest 20 are shown; show more with -n/);
  assert.equal(whole.stderr, '');
  const { isCut } = JSON.parse((await rig.run(['run', 'list', '--json=run'])).stdout) as { isCut: boolean };
  assert.equal(isCut, true);
});
