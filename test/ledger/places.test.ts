// Where a ledger lies and who may read it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, readdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'better-sqlite3';
import { openLedger } from '../../src/ledger/ledger.ts';
import { readSavedHeads } from '../../src/ledger/events/heads.ts';
import { append, openAt, run, StandingClock, temporaryDirectory, wholeRun } from './fixtures.ts';

const needsRoot = process.getuid?.() === 0 ? false : 'only root can mount';

test('a new ledger, its heads and its backup are their owner’s alone, whatever the umask', async () => {
  await using directory = await temporaryDirectory();
  const before = process.umask(0);
  try {
    await using ledger = await openAt(directory.path);
    await append(ledger, wholeRun);
    await ledger.backup(join(directory.path, 'copy.db'));
    for (const name of await readdir(directory.path)) {
      assert.equal((await stat(join(directory.path, name))).mode & 0o777, 0o600, name);
    }
  } finally {
    process.umask(before);
  }
});

test('a backup has the heads of its ledger and is held against them', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'copy.db');
  await using ledger = await openAt(directory.path);
  await append(ledger, wholeRun);
  await ledger.backup(path);
  assert.deepEqual(await readSavedHeads(path), await readSavedHeads(ledger.path));
  await assert.rejects(ledger.backup(path), { code: 'usage', message: /already exists/ });
  await using copy = await openLedger({ path, clock: new StandingClock(), readonly: true });
  const { heads, problems } = await copy.verify();
  assert.deepEqual([heads.saved, problems], [1, []]);
});

for (const hasWal of [false, true]) {
  const what = hasWal ? 'with events that are still in its WAL' : 'that was closed';
  test(`a ledger on read-only media ${what} is read, and nothing is left behind`, { skip: needsRoot }, async () => {
    await using directory = await temporaryDirectory();
    const media = join(directory.path, 'media');
    await mkdir(media);
    const path = join(media, 'ledger.db');
    {
      await using ledger = await openLedger({ path: join(directory.path, 'ledger.db'), clock: new StandingClock() });
      await append(ledger, wholeRun);
      if (hasWal) for (const end of ['', '-wal']) await copyFile(`${ledger.path}${end}`, `${path}${end}`);
    }
    if (!hasWal) await copyFile(join(directory.path, 'ledger.db'), path);
    execFileSync('mount', ['--bind', media, media]);
    execFileSync('mount', ['-o', 'remount,bind,ro', media]);
    try {
      await using ledger = await openLedger({ path, clock: new StandingClock(), readonly: true });
      assert.equal((await ledger.showRun(run))?.run.exitName, 'ok');
      assert.deepEqual((await ledger.verify()).problems, []);
      assert.equal((await ledger.stats()).events, wholeRun.length);
    } finally {
      execFileSync('umount', ['-l', media]);
    }
    const left = (await readdir(tmpdir())).filter((name) => name.startsWith('fettle-ledger-copy-'));
    assert.deepEqual(left, []);
  });
}

test('a ledger of an older fettle is only read: it answers and stays as it is', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'ledger.db');
  {
    await using ledger = await openAt(directory.path);
    await append(ledger, wholeRun);
  }
  const file = new Database(path);
  file.exec(
    'ALTER TABLE lease DROP COLUMN boot_id; ALTER TABLE lease DROP COLUMN boot_expires; PRAGMA user_version = 4',
  );
  file.exec('DROP TABLE selected_host; DROP TABLE host_name');
  file.close();
  {
    await using ledger = await openLedger({ path, clock: new StandingClock(), readonly: true });
    assert.deepEqual((await ledger.verify()).problems, []);
  }
  const after = new Database(path, { readonly: true });
  assert.equal(after.pragma('user_version', { simple: true }), 4);
  after.close();
});
