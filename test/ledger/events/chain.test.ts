import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import Database from 'better-sqlite3';
import type { RunEvent } from '../../../src/domain/event.ts';
import type { Anchor } from '../../../src/ledger/anchor.ts';
import { openLedger } from '../../../src/ledger/ledger.ts';
import { putBlob } from '../../../src/ledger/store/blob.ts';
import { appendEvents } from '../../../src/ledger/events/chain.ts';
import { checkRecord } from '../../../src/ledger/events/check.ts';
import { sentEvent } from '../../../src/ledger/events/sent-event.ts';
import { parseHead, readSavedHeads } from '../../../src/ledger/events/heads.ts';
import { append, openAt, planBytes, run, StandingClock, started, temporaryDirectory, wholeRun } from '../fixtures.ts';

/** Writes a whole run, closes the ledger, alters the file and gives what `verify` says. */
async function problemsAfter(alter: (file: Database.Database) => void): Promise<readonly string[]> {
  await using directory = await temporaryDirectory();
  {
    await using ledger = await openAt(directory.path);
    await append(ledger, wholeRun);
    await ledger.putBlob(Buffer.from('output'));
    assert.deepEqual((await ledger.verify()).problems, []);
  }
  const file = new Database(join(directory.path, 'ledger.db'));
  alter(file);
  file.close();
  await using ledger = await openAt(directory.path);
  return (await ledger.verify()).problems;
}

function disposable(value: Database.Database): { readonly value: Database.Database } & AsyncDisposable {
  return { value, [Symbol.asyncDispose]: async () => void value.close() };
}

describe('the chain', () => {
  test('events are numbered, and each hash covers the stored envelope', async () => {
    await using directory = await temporaryDirectory();
    await using ledger = await openAt(directory.path);
    await append(ledger, wholeRun);
    const { events, problems, head } = await ledger.verify();
    assert.equal(events, wholeRun.length);
    assert.deepEqual(problems, []);
    assert.match(head, new RegExp(`^${wholeRun.length}:[0-9a-f]{64}$`));
  });

  test('half a surrogate pair in the words of a host is recorded as U+FFFD', async () => {
    await using directory = await temporaryDirectory();
    await using ledger = await openAt(directory.path);
    const step = { run, host: 'web01', hostId: 'web01', attempt: 1, step: 'exec' } as const;
    const error = { code: 'command', message: 'it says \ud83d', details: { '\udc00': Number.NaN } } as const;
    await append(ledger, [started(), { type: 'step.finished', ...step, ok: false, error }]);
    assert.deepEqual((await ledger.verify()).problems, []);
  });

  test('an envelope that was edited is found', async () => {
    const problems = await problemsAfter((file) =>
      file.exec(`UPDATE event SET envelope = replace(envelope, 'CHG-1', 'CHG-2') WHERE seq = 1`),
    );
    assert.match(problems.join('\n'), /event 1 was altered: its hash differs/);
  });

  test('a column that was edited is found', async () => {
    const problems = await problemsAfter((file) => file.exec('UPDATE event SET time = time - 1 WHERE seq = 4'));
    assert.match(problems.join('\n'), /event 4 was altered: its columns differ/);
  });

  test('an event that was taken out is found', async () => {
    const problems = await problemsAfter((file) => file.exec('DELETE FROM event WHERE seq = 5'));
    assert.match(problems.join('\n'), /events 5 to 5 are missing/);
  });

  test('events that changed places are found', async () => {
    const problems = await problemsAfter((file) =>
      file.exec(`UPDATE event SET seq = 100 WHERE seq = 5; UPDATE event SET seq = 5 WHERE seq = 6;
                 UPDATE event SET seq = 6 WHERE seq = 100`),
    );
    assert.match(problems.join('\n'), /event 5 does not follow event 4/);
  });

  test('events cut off at the end are found by the saved head', async () => {
    const problems = await problemsAfter((file) => file.exec('DELETE FROM event WHERE seq > 10'));
    assert.match(problems.join('\n'), /events were removed/);
  });

  test('a chain that was written anew is found by the saved head', async () => {
    await using directory = await temporaryDirectory();
    await using ledger = await openAt(directory.path);
    await append(ledger, wholeRun);
    const saved = parseHead(`${wholeRun.length}:${'0'.repeat(64)}`);
    assert.ok(saved !== undefined);
    assert.match((await ledger.verify([saved])).problems.join(), /does not match the saved head/);
  });

  test('a blob that was altered is found', async () => {
    const problems = await problemsAfter((file) => file.exec(`UPDATE blob SET body = zeroblob(9)`));
    assert.match(problems.join('\n'), /blob [0-9a-f]{64} was altered/);
  });

  for (const [table, change] of [
    ['host_run', `UPDATE host_run SET verdict = 'failed'`],
    ['missing_update', 'DELETE FROM missing_update'],
    ['run', 'UPDATE run SET exit_code = 4'],
  ] as const) {
    test(`table ${table} that was altered is found, though every event is whole`, async () => {
      const problems = await problemsAfter((file) => file.exec(change));
      assert.deepEqual(problems, [`table ${table} was altered: it differs from the events`]);
    });
  }

  test('tables made again from the events are the same', async () => {
    await using directory = await temporaryDirectory();
    await using ledger = await openAt(directory.path);
    await append(ledger, wholeRun);
    const before = await ledger.showRun(run);
    await ledger.rebuild();
    assert.deepEqual(await ledger.showRun(run), before);
    assert.deepEqual((await ledger.verify()).problems, []);
  });

  test('the head is saved beside the file when the ledger is closed', async () => {
    await using directory = await temporaryDirectory();
    let head: string;
    {
      await using ledger = await openAt(directory.path);
      await ledger.append([{ type: 'note', level: 'info', message: 'one' }]);
      head = (await ledger.stats()).head;
    }
    assert.equal((await readFile(join(directory.path, 'ledger.db.head'), 'utf8')).split(' ')[0], head);
  });

  test('every head is kept, and passed to whatever anchors it, when a run starts, is detached and ends', async () => {
    await using directory = await temporaryDirectory();
    const told: string[] = [];
    const path = join(directory.path, 'ledger.db');
    const announce = async ({ event, head }: Anchor): Promise<void> => void told.push(`${event} ${head?.seq}`);
    {
      await using ledger = await openLedger({ path, clock: new StandingClock(), announce });
      for (const event of wholeRun) await append(ledger, [event]);
    }
    assert.deepEqual(told, ['run.started 1', 'run.detached 15', 'run.resumed 16', 'run.finished 19']);
    assert.deepEqual(
      (await readSavedHeads(path)).map(({ seq }) => seq),
      [1, 15, 16, 19],
    );
    assert.equal((await stat(`${path}.head`)).mode & 0o777, 0o600);
  });

  test('a ledger that was replaced by an older copy is found however many runs came after it', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'ledger.db');
    const end = { exitCode: 0, exitName: 'ok', reasons: [], counts: {} };
    const finished = (id: string): RunEvent => ({ type: 'run.finished', run: id, ...end });
    const oneRun = async (id: string): Promise<void> => {
      await using ledger = await openAt(directory.path);
      await ledger.append([started(id)]);
      await ledger.append([finished(id)]);
    };
    await oneRun('01A');
    await copyFile(path, `${path}.old`);
    await oneRun('01B');
    await rename(`${path}.old`, path);
    for (const id of ['01C', '01D', '01E']) await oneRun(id);
    await using ledger = await openAt(directory.path);
    const { problems } = await ledger.verify();
    assert.match(problems.join('\n'), /does not match the saved head/);
    await using file = disposable(new Database(path, { readonly: true }));
    const told = file.value.prepare("SELECT message FROM note WHERE level = 'warn'").pluck().all();
    assert.match(told.join(), /does not contain the head saved last/);
  });

  test('verify names the heads that it held the chain against, or that there was none', async () => {
    await using directory = await temporaryDirectory();
    {
      await using ledger = await openAt(directory.path);
      await append(ledger, wholeRun);
    }
    await using ledger = await openAt(directory.path);
    const { head } = await ledger.stats();
    assert.deepEqual((await ledger.verify()).heads, { saved: 1, latestSaved: head, given: [] });
    await rm(join(directory.path, 'ledger.db.head'));
    assert.deepEqual((await ledger.verify()).heads, { saved: 0, given: [] });
  });

  for (const [what, change, found] of [
    ['a blob that is gone', 'DELETE FROM blob', /blob [0-9a-f]{64}, which event \d+ names, is missing/],
    ['a wrong size of a blob', 'UPDATE blob SET size = size + 1', /blob [0-9a-f]{64} was altered: its size differs/],
    ['another run of an event', `UPDATE event SET run = 'x' WHERE seq = 8`, /event 8 was altered: its columns run and/],
    [
      'another host of an event',
      `UPDATE event SET host_id = 'x' WHERE seq = 8`,
      /event 8 was altered: its columns run and/,
    ],
    [
      'events of another chain',
      `INSERT INTO event SELECT 'other', seq, time, type, run, host_id, envelope, hash FROM event WHERE seq = 2`,
      /1 events belong to another chain \(other\)/,
    ],
    [
      'a trigger',
      'CREATE TRIGGER t AFTER INSERT ON event BEGIN DELETE FROM blob; END',
      /trigger t does not belong to the ledger/,
    ],
    ['an index that is gone', 'DROP INDEX event_of_run', /index event_of_run is missing/],
    ['a column more', 'ALTER TABLE host ADD COLUMN x TEXT', /table host was altered: its definition/],
    ['a lease of no run', `INSERT INTO lease VALUES ('h', 'ghost', '{}', 1, 1, NULL, NULL)`, /a lease names run ghost/],
    ['a stop request for no run', `INSERT INTO stop_request VALUES ('ghost', 1)`, /a stop request names run ghost/],
  ] as const) {
    test(`${what} is found`, async () => {
      await using directory = await temporaryDirectory();
      await (await openAt(directory.path))[Symbol.asyncDispose]();
      const file = new Database(join(directory.path, 'ledger.db'));
      try {
        putBlob(file, planBytes);
        const timed = wholeRun.map((event) => ({ timeMs: 1, event: sentEvent(event) }));
        appendEvents(file, timed);
        assert.deepEqual(checkRecord(file, []).problems, []);
        file.exec(change);
        assert.match(checkRecord(file, []).problems.join('\n'), found);
      } finally {
        file.close();
      }
    });
  }

  test('rebuilding mends tables, triggers and indexes that were altered', async () => {
    await using directory = await temporaryDirectory();
    await using ledger = await openAt(directory.path);
    await append(ledger, wholeRun);
    const file = new Database(join(directory.path, 'ledger.db'));
    file.exec(`DELETE FROM host_run; UPDATE run SET exit_code = 4; DROP INDEX event_of_run;
      CREATE TRIGGER t AFTER INSERT ON note BEGIN DELETE FROM blob; END`);
    file.close();
    assert.equal((await ledger.verify()).problems.length, 4);
    await ledger.rebuild();
    assert.deepEqual((await ledger.verify()).problems, []);
  });

  test('two processes that append at once lose nothing, and their chain is one', async () => {
    await using directory = await temporaryDirectory();
    const writers = ['a', 'b'].map((name) =>
      spawn(
        process.execPath,
        [join(import.meta.dirname, '../writer.ts'), join(directory.path, 'ledger.db'), name, '200'],
        {
          stdio: ['ignore', 'ignore', 'inherit'],
        },
      ),
    );
    const codes = await Promise.all(writers.map(async (child) => (await once(child, 'exit'))[0] as number));
    assert.deepEqual(codes, [0, 0]);
    await using ledger = await openAt(directory.path);
    const { events, problems } = await ledger.verify();
    assert.equal(events, 400);
    assert.deepEqual(problems, []);
  });
});
