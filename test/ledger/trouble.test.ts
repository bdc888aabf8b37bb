import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import Database from 'better-sqlite3';
import { FettleError } from '../../src/domain/error.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { defaultLedgerPath, refuseNetworkFileSystem } from '../../src/ledger/store/path.ts';
import { openAt, StandingClock, started, temporaryDirectory } from './fixtures.ts';

const isRoot = process.getuid?.() === 0;

function saying(text: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof FettleError, String(error));
    assert.equal(error.code, 'ledger');
    assert.match(error.message, text);
    assert.ok((error.hint ?? '') !== '', 'it says what to do');
    return true;
  };
}

describe('a ledger that cannot be used is an error with reason and remedy', () => {
  test('a file that is no database', async () => {
    await using directory = await temporaryDirectory();
    await writeFile(join(directory.path, 'ledger.db'), 'these are not the bytes of a database at all\n'.repeat(200));
    await assert.rejects(openAt(directory.path), saying(/is not a ledger of fettle/));
  });

  test('a file that is damaged', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'ledger.db');
    {
      await using ledger = await openAt(directory.path);
      await ledger.append([started()]);
    }
    const bytes = await readFile(path);
    await writeFile(path, bytes.fill(0xff, 4096));
    const use = async (): Promise<void> => {
      await using ledger = await openAt(directory.path);
      await ledger.append([started()]);
    };
    await assert.rejects(use(), saying(/is damaged/));
  });

  test('one that a newer fettle wrote', async () => {
    await using directory = await temporaryDirectory();
    await (await openAt(directory.path))[Symbol.asyncDispose]();
    const file = new Database(join(directory.path, 'ledger.db'));
    file.pragma('user_version = 99');
    file.close();
    await assert.rejects(openAt(directory.path), saying(/written by a newer fettle \(schema 99/));
  });

  test('one that is not there, when only reading', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'none.db');
    await assert.rejects(
      openLedger({ path, clock: new StandingClock(), readonly: true }),
      saying(/there is no ledger/),
    );
  });

  test('a directory where a file should be', async () => {
    await using directory = await temporaryDirectory();
    await mkdir(join(directory.path, 'ledger.db'));
    await assert.rejects(openAt(directory.path), saying(/cannot be opened/));
  });

  test('a file that is read-only', { skip: isRoot ? 'root may write everything' : false }, async () => {
    await using directory = await temporaryDirectory();
    await (await openAt(directory.path))[Symbol.asyncDispose]();
    await chmod(join(directory.path, 'ledger.db'), 0o400);
    await assert.rejects(openAt(directory.path), saying(/read-only/));
  });

  test(
    'a disk that is full: nothing of the append is kept, and the chain stays whole',
    {
      skip: isRoot ? false : 'only root can mount a small file system',
    },
    async () => {
      await using directory = await temporaryDirectory();
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory.path]);
      try {
        await using ledger = await openAt(directory.path);
        await ledger.append([started()]);
        const flood = Array.from({ length: 2000 }, (_, index) => ({
          type: 'note' as const,
          level: 'info' as const,
          message: `${index} `.repeat(200),
        }));
        await assert.rejects(ledger.append(flood), saying(/the disk is full|reports an error/));
        const { events, problems } = await ledger.verify();
        assert.equal(events, 1);
        assert.deepEqual(problems, []);
      } finally {
        execFileSync('umount', ['-l', directory.path]);
      }
    },
  );

  test('a network file system', () => {
    assert.throws(() => refuseNetworkFileSystem('/mnt', () => 0x6969), saying(/network file system \(\/mnt is NFS\)/));
    assert.doesNotThrow(() => refuseNetworkFileSystem('/mnt', () => 0xef53));
  });
});

test('a lock held by another process stops neither the event loop nor, when it goes, the append', async () => {
  await using directory = await temporaryDirectory();
  await using ledger = await openAt(directory.path);
  const other = new Database(join(directory.path, 'ledger.db'));
  other.exec('BEGIN IMMEDIATE');
  let isCommitted = false;
  const append = ledger.append([started()]).then(() => {
    isCommitted = true;
  });
  let turns = 0;
  while (turns < 20) {
    await new Promise((resolve) => setImmediate(resolve));
    turns += 1;
  }
  assert.equal(isCommitted, false);
  other.exec('ROLLBACK');
  other.close();
  await append;
  assert.equal((await ledger.verify()).events, 1);
});

test('the ledger lies where it is named, else in the system for who may write there, else with the account', () => {
  const place = { env: {}, uid: 1000, homeDir: () => '/home/op', isWritable: () => false };
  assert.equal(defaultLedgerPath(place), '/home/op/.local/state/fettle/ledger.db');
  assert.equal(defaultLedgerPath({ ...place, env: { XDG_STATE_HOME: '/s' } }), '/s/fettle/ledger.db');
  assert.equal(defaultLedgerPath({ ...place, isWritable: () => true }), '/var/lib/fettle/ledger.db');
  assert.equal(defaultLedgerPath({ ...place, uid: 0 }), '/var/lib/fettle/ledger.db');
  assert.equal(defaultLedgerPath({ ...place, env: { FETTLE_LEDGER: '/l.db' } }), '/l.db');
});
