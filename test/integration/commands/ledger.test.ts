import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { openLedger } from '../../../src/ledger/ledger.ts';
import { append, StandingClock, wholeRun } from '../../ledger/fixtures.ts';
import { Rig } from '../rig.ts';

async function filled(): Promise<Rig> {
  const rig = await Rig.make();
  await using ledger = await openLedger({ path: rig.path('ledger.db'), clock: new StandingClock() });
  await append(ledger, wholeRun);
  return rig;
}

test('a signed head is checked by ssh-keygen, and a chain that does not hold it is broken', async () => {
  await using rig = await filled();
  for (const name of ['key', 'other'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', rig.path(name)]);
  const allow = async (name: string): Promise<string> =>
    rig.write('allowed', `auditor@example.com ${await readFile(rig.path(`${name}.pub`), 'utf8')}`);
  const allowed = await allow('key');
  const signed = await rig.run(['ledger', 'sign', 'head.txt', '--key', 'key']);
  assert.equal(signed.code, 0, signed.stderr);
  const verify = ['ledger', 'verify', '--signed-head', 'head.txt', '--allowed-signers', allowed];
  const good = await rig.run(verify);
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stderr, /signed by auditor@example\.com/);
  assert.match(good.stdout, /given head 19:[0-9a-f]{64}/);
  await allow('other');
  const stranger = await rig.run(verify);
  assert.deepEqual([stranger.code, stranger.stderr.includes('no signer in')], [13, true], stranger.stderr);
  await allow('key');
  await writeFile(rig.path('head.txt'), `19:${'0'.repeat(64)} forged\n`);
  const forged = await rig.run(verify);
  assert.deepEqual([forged.code, forged.stderr.includes('is not valid')], [13, true], forged.stderr);
});

test('the upgrade of an older ledger is announced on stderr: a copy where it is only read, then the ledger once', async () => {
  await using rig = await Rig.make();
  const old = gunzipSync(await readFile(join(import.meta.dirname, '../../fixtures/ledger/schema-6/ledger.db.gz')));
  await writeFile(rig.path('ledger.db'), old, { mode: 0o600 });
  const read = await rig.run(['ledger', 'stats', '--json']);
  assert.match(
    read.stderr,
    /^upgrading a copy of the ledger \S+ledger\.db to read it, from schema 6 to \d+: 115 events/,
  );
  assert.equal((JSON.parse(read.stdout) as { schema: string }).schema, 'fettle/ledger-stats/2');
  assert.equal((await rig.run(['ledger', 'stats', '-q'])).stderr, '');
  assert.match(
    (await rig.run(['ledger', 'rebuild'])).stderr,
    /^upgrading a copy[^]*\nupgrading the ledger \S+ledger\.db from/,
  );
  assert.doesNotMatch((await rig.run(['ledger', 'stats'])).stderr, /upgrading/);
});

test('rebuild mends altered tables and refuses where the chain itself differs', async () => {
  await using rig = await filled();
  const alter = (sql: string): void => {
    const file = new Database(rig.path('ledger.db'));
    file.exec(sql);
    file.close();
  };
  alter('DELETE FROM host_run');
  assert.equal((await rig.run(['ledger', 'verify'])).code, 13);
  const rebuilt = await rig.run(['ledger', 'rebuild']);
  assert.deepEqual([rebuilt.code, (await rig.run(['ledger', 'verify'])).code], [0, 0], rebuilt.stderr);
  alter('UPDATE event SET time = 1 WHERE seq = 3');
  const refused = await rig.run(['ledger', 'rebuild']);
  assert.equal(refused.code, 13);
  assert.match(refused.stderr, /not rebuilt: the chain or a stored file differs/);
});

test('doctor fails for a ledger that is damaged, no ledger at all, or of a newer fettle', async () => {
  await using rig = await filled();
  const doctor = async (): Promise<string> => {
    const { code, stdout } = await rig.run(['doctor', '--json']);
    const { checks } = JSON.parse(stdout) as { checks: { check: string; state: string; message: string }[] };
    const found = checks.find(({ check }) => check === 'ledger');
    return `${code} ${found?.state} ${found?.message}`;
  };
  assert.match(await doctor(), /^0 ok/);
  const file = new Database(rig.path('ledger.db'));
  file.pragma('user_version = 99');
  file.close();
  assert.match(await doctor(), /^13 failed .* newer fettle/);
  await writeFile(rig.path('ledger.db'), 'no database at all\n'.repeat(500));
  assert.match(await doctor(), /^13 failed .* is not a ledger of fettle/);
});
