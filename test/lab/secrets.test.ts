import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { startLab } from './lab.ts';
import type { Lab } from './lab.ts';
import { labPassword } from './places.ts';
import { Scenario } from './scenario.ts';

const loginPassword = 'login-Pa55word-nobody-may-see';
const secrets = [labPassword, loginPassword];

describe('secrets', () => {
  let lab: Lab;
  let scenario: Scenario;
  /** Everything that was printed, by command. */
  const printed = new Map<string, string>();

  before(async () => {
    const files = { '/etc/fettle-lab/slow-step': '0.2\n' };
    lab = await startLab({
      name: 'secrets',
      vars: { ansible_password: loginPassword },
      hosts: [{ name: 's1', packages: ['fettle-slow', 'fettle-app'], sudo: 'password', files }],
    });
    scenario = await Scenario.start(lab, {});
  });

  after(async () => {
    await lab[Symbol.asyncDispose]();
  });

  function assertClean(text: string, where: string): void {
    for (const secret of secrets) assert.ok(!text.includes(secret), `${where} holds a secret`);
  }

  async function keep(argv: readonly string[], exitCode = 0): Promise<void> {
    const { stdout, stderr } = await scenario.fettle(argv, exitCode);
    printed.set(argv.join(' '), stdout + stderr);
  }

  test('no process of the controller or the host has one in its arguments or environment while work goes on', async () => {
    await scenario.makePlan();
    const fettle = scenario.spawn(['apply', scenario.plan, '-vv']);
    await fettle.waitForText('step 2 of 20');
    const look = 'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n"';
    const [here, there] = await Promise.all([lab.exec(['sh', '-c', look]), lab.host('s1').inside(look)]);
    // The test itself has the words in no argument; its own text is not searched.
    assert.ok(here.stdout.length > 1_000 && there.stdout.length > 100);
    assertClean(here.stdout, 'a process of the controller');
    assertClean(there.stdout, 'a process of the host');
    const { code, stdout, stderr } = await fettle.done();
    assert.equal(code, 0, stderr);
    printed.set('apply -vv', stdout + stderr);
  });

  test('no command prints one, whatever it is asked to show', async () => {
    await keep(['ping', '--json']);
    await keep(['scan', '--jsonl', '-vv']);
    await keep(['exec', '--', 'env; cat /proc/self/cmdline']);
    await keep(['inventory', 'show', 's1', '--origin']);
    await keep(['inventory', 'show', 's1', '--json']);
    await keep(['inventory', 'list', '--json']);
    await keep(['run', 'show', '--json']);
    await keep(['run', 'logs', 's1']);
    await keep(['plan', join(lab.stateDir, 'playbook.yaml'), '--json']);
    for (const [command, text] of printed) assertClean(text, `what fettle ${command} prints`);
  });

  test('a wrong elevation password fails with what to do, and is not printed either', async () => {
    const wrong = 'wrong-Pa55word-nobody-may-see';
    const inventory = (await readFile(lab.inventoryPath, 'utf8')).replaceAll(labPassword, wrong);
    const path = join(lab.stateDir, 'wrong.yaml');
    await writeFile(path, inventory);
    const { code, stdout, stderr } = await lab.run(['scan', '-i', path, '-vv', '--debug']);
    assert.equal(code, 12, stderr);
    assert.match(stderr, /sudo to root on s1 refuses the password/);
    assert.ok(!(stdout + stderr).includes(wrong));
  });

  test('none is in the plan, the ledger with its blobs, or a file of the host', async () => {
    assertClean(await readFile(scenario.plan, 'utf8'), 'the plan');
    const ledger = new Database(lab.ledgerPath, { readonly: true });
    const bodies = ledger.prepare('SELECT body FROM blob').all() as { body: Buffer }[];
    const envelopes = ledger.prepare('SELECT envelope FROM event').all() as { envelope: string }[];
    ledger.close();
    assert.ok(bodies.length > 0 && envelopes.length > 10);
    for (const { body } of bodies) assertClean(zstdDecompressSync(body).toString('latin1'), 'a blob');
    for (const { envelope } of envelopes) assertClean(envelope, 'an event');
    for (const name of await readdir(join(lab.ledgerPath, '..'))) {
      const bytes = await readFile(join(lab.ledgerPath, '..', name)).catch(() => Buffer.alloc(0));
      assertClean(bytes.toString('latin1'), name);
    }
    for (const secret of secrets) {
      const found = await lab
        .host('s1')
        .inside(`grep -rlF '${secret}' /var/lib/fettle-jobs /tmp /var/log /run 2>/dev/null`);
      assert.equal(found.stdout, '');
    }
  });
});
