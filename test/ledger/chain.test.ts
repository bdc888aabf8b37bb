import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import Database from 'better-sqlite3';
import { parseHead } from '../../src/ledger/ledger.ts';
import { openAt, run, started, temporaryDirectory, wholeRun } from './fixtures.ts';

/** Writes a whole run, closes the ledger, alters the file and gives what `verify` says. */
async function problemsAfter(alter: (file: Database.Database) => void): Promise<readonly string[]> {
  await using directory = await temporaryDirectory();
  {
    await using ledger = await openAt(directory.path);
    await ledger.append(wholeRun);
    await ledger.putBlob(Buffer.from('output'));
    assert.deepEqual((await ledger.verify()).problems, []);
  }
  const file = new Database(join(directory.path, 'ledger.db'));
  alter(file);
  file.close();
  await using ledger = await openAt(directory.path);
  return (await ledger.verify()).problems;
}

describe('the chain', () => {
  test('events are numbered, and each hash covers the stored envelope', async () => {
    await using directory = await temporaryDirectory();
    await using ledger = await openAt(directory.path);
    await ledger.append(wholeRun);
    const { events, problems, head } = await ledger.verify();
    assert.equal(events, wholeRun.length);
    assert.deepEqual(problems, []);
    assert.match(head, new RegExp(`^${wholeRun.length}:[0-9a-f]{64}$`));
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
    assert.match(problems.join('\n'), /events were cut off/);
  });

  test('a chain that was written anew is found by the saved head', async () => {
    await using directory = await temporaryDirectory();
    await using ledger = await openAt(directory.path);
    await ledger.append(wholeRun);
    const saved = parseHead(`${wholeRun.length}:${'0'.repeat(64)}`);
    assert.ok(saved !== undefined);
    assert.match((await ledger.verify([saved])).problems.join(), /not the one of the saved head/);
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
      assert.deepEqual(problems, [`table ${table} was altered: it differs from what the events say`]);
    });
  }

  test('tables made again from the events are the same', async () => {
    await using directory = await temporaryDirectory();
    await using ledger = await openAt(directory.path);
    await ledger.append(wholeRun);
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
      await ledger.append([started()]);
      head = (await ledger.stats()).head;
    }
    assert.equal((await readFile(join(directory.path, 'ledger.db.head'), 'utf8')).trim(), head);
  });

  test('two processes that append at once lose nothing, and their chain is one', async () => {
    await using directory = await temporaryDirectory();
    const writers = ['a', 'b'].map((name) =>
      spawn(
        process.execPath,
        [join(import.meta.dirname, 'writer.ts'), join(directory.path, 'ledger.db'), name, '200'],
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
