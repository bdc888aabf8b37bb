// A ledger that holds the chains of two controllers: the same numbers, other events.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import type { RunEvent } from '../../../src/domain/event.ts';
import { appendEvents } from '../../../src/ledger/events/chain.ts';
import { checkRecord, checkTables } from '../../../src/ledger/events/check.ts';
import { rebuild } from '../../../src/ledger/events/rebuild.ts';
import { sentEvent } from '../../../src/ledger/events/sent-event.ts';
import { storedEvents } from '../../../src/ledger/events/stored-events.ts';
import { history } from '../../../src/ledger/queries/history.ts';
import { packagesAt, pendingUpdates, reboots } from '../../../src/ledger/queries/hosts.ts';
import { readRecordedFacts, readRunState } from '../../../src/ledger/queries/run-state.ts';
import { readLogs, showRun } from '../../../src/ledger/queries/runs.ts';
import { putBlob } from '../../../src/ledger/store/blob.ts';
import { createTables } from '../../../src/ledger/store/migrations.ts';
import { planBytes, wholeRun } from '../fixtures.ts';

const far = '01FAR00000000000000000000B';

/** The same run as another controller would record it of a host of its own. */
function ofFar(event: RunEvent): RunEvent {
  const text = JSON.stringify(event)
    .replaceAll(/01RUN0{20}A/g, far)
    .replaceAll('web01', 'db01')
    .replaceAll('"app"', '"dbapp"');
  return JSON.parse(text) as RunEvent;
}

function answers(file: Database.Database, run: string, hostId: string) {
  const everything = { isBadOnly: false, sinceMs: 0, untilMs: 1e9, limit: 99, host: hostId };
  return {
    detail: showRun(file, run),
    state: readRunState(file, run),
    facts: readRecordedFacts(file, run, hostId),
    logs: readLogs(file, run, hostId),
    history: history(file, everything)?.rows,
    packages: packagesAt(file, hostId, 1e9),
    updates: pendingUpdates(file, 4_500).filter((row) => row.hosts.some(({ host }) => host === hostId)),
    reboots: reboots(file, 1e9).done.filter((row) => row.host === hostId),
  };
}

function ledgerOf(...chains: readonly (readonly [name: string, events: readonly RunEvent[]])[]) {
  const file = new Database(':memory:');
  createTables(file);
  putBlob(file, planBytes);
  const longest = Math.max(...chains.map(([, events]) => events.length));
  // Interleaved, as two controllers at work at the same time.
  for (let index = 0; index < longest; index += 1) {
    for (const [order, [name, events]] of chains.entries()) {
      const event = events[index];
      if (event !== undefined) appendEvents(file, [{ timeMs: 1_000 * index + order, event: sentEvent(event) }], name);
    }
  }
  return file;
}

test('events of two chains with the same numbers keep rows of their own, and no answer mixes them', () => {
  const [own, other] = [wholeRun, wholeRun.map(ofFar)];
  const alone = ledgerOf(['main', own]);
  const farAlone = ledgerOf(['none', []], ['main', other]);
  const both = ledgerOf(['main', own], ['far', other]);
  const [run] = own.flatMap((event) => ('run' in event && event.run !== undefined ? [event.run] : []));
  assert.ok(run !== undefined);
  const wanted = answers(alone, run, 'web01');
  assert.ok(wanted.facts.before !== undefined && wanted.updates.length === 1 && wanted.detail?.notes.length === 4);
  assert.deepEqual(answers(both, run, 'web01'), wanted);
  assert.deepEqual(answers(both, far, 'db01'), answers(farAlone, far, 'db01'));
  const before = [answers(both, run, 'web01'), answers(both, far, 'db01')];
  assert.deepEqual([...checkTables(both, 'hosts'), ...checkTables(both, 'work')], []);
  rebuild(both);
  assert.deepEqual([answers(both, run, 'web01'), answers(both, far, 'db01')], before);
  assert.match(checkRecord(both, []).problems.join(), /19 events belong to another chain \(far\)/);
  for (const file of [alone, farAlone, both]) file.close();
});

test('events are read by time across chains, and each chain in its own order where its clock went back', () => {
  const file = new Database(':memory:');
  createTables(file);
  const note = (message: string) => sentEvent({ type: 'note', level: 'info', message });
  const append = (chain: string, timeMs: number): void => {
    appendEvents(file, [{ timeMs, event: note(`${chain} ${timeMs}`) }], chain);
  };
  for (const timeMs of [10, 50, 20, 60]) append('b', timeMs);
  for (const timeMs of [10, 30, 55]) append('a', timeMs);
  const order = [...storedEvents(file)].map(({ chain, time }) => `${chain}${time}`);
  assert.deepEqual(order, ['a10', 'b10', 'a30', 'b50', 'b20', 'a55', 'b60']);
  assert.deepEqual([...storedEvents(file, ['run.started'])], []);
  file.close();
});
