import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { Rig } from '../rig.ts';

const inventory = 'all:\n  hosts:\n    away[1:2]: { ansible_host: 127.0.0.1, ansible_port: 1 }\n';
const playbook = 'kind: patch\nversion: 1\nname: nightly\ntargets: { select: all }\n';

/** A plan in which every host was unreachable: all of `apply` but the hosts is real. */
describe('apply', () => {
  let rig: Rig;
  let plan: string;

  before(async () => {
    rig = await Rig.make();
    await rig.write('i.yaml', inventory);
    await rig.write('p.yaml', playbook);
    const made = await rig.run(['plan', 'p.yaml', '-i', 'i.yaml', '-o', 'plan.json']);
    assert.equal(made.code, 5, made.stderr);
    plan = await readFile(rig.path('plan.json'), 'utf8');
  });

  after(() => rig[Symbol.asyncDispose]());

  const apply = (file: string, ...more: string[]) => rig.run(['apply', file, '-i', 'i.yaml', ...more]);
  const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

  test('names hosts that were unreachable when the plan was made, counts them, and is no ok', async () => {
    const { code, stderr } = await apply('plan.json');
    assert.equal(code, 5, stderr);
    assert.match(stderr, /absent +away\[1-2\] \(2\)\n +unreachable when the plan was made/);
    assert.match(stderr, /apply: 2 hosts: 2 absent/);
    assert.doesNotMatch(stderr, /as it should be|run resume/);
    const quiet = await apply('plan.json', '-q');
    assert.equal(quiet.code, 5);
    assert.match(quiet.stderr, /away/);
    const runs = JSON.parse((await rig.run(['run', 'list', '--json'])).stdout) as {
      runs: { kind: string; exitName: string; counts: object; absent: { host: string; kind: string }[] }[];
    };
    const run = runs.runs.find(({ kind }) => kind === 'apply');
    assert.deepEqual([run?.exitName, run?.counts], ['unreachable', { absent: 2 }]);
    assert.deepEqual(
      run?.absent.map(({ host, kind }) => [host, kind]),
      [
        ['away1', 'unreachable'],
        ['away2', 'unreachable'],
      ],
    );
  });

  test('narrowed by --limit names the absent hosts that are left, and resume names them again', async () => {
    const limited = await apply('plan.json', '--limit', 'away2');
    assert.equal(limited.code, 5, limited.stderr);
    assert.match(limited.stderr, /apply: 1 host: 1 absent/);
    const run = / run ([0-9A-Z]{26})$/m.exec(limited.stderr)?.[1] ?? '';
    const resumed = await rig.run(['run', 'resume', run, '-i', 'i.yaml']);
    assert.equal(resumed.code, 5, resumed.stderr);
    assert.match(resumed.stderr, /absent +away2 \(1\)/);
    assert.equal((await apply('plan.json', '--limit', 'away9')).code, 2);
  });

  test('refuses a plan that was altered, even into another canonical plan', async () => {
    const altered: Readonly<Record<string, string>> = {
      'renamed.json': plan.replace('"name":"nightly"', '"name":"nightlx"'),
      'reformatted.json': JSON.stringify(JSON.parse(plan), undefined, 2),
      'cut.json': plan.slice(0, -40),
    };
    for (const [name, text] of Object.entries(altered)) {
      assert.notEqual(text, plan);
      await rig.write(name, text);
      const { code, stderr } = await apply(name);
      assert.equal(code, 10, `${name}: ${stderr}`);
      assert.match(stderr, /altered|not as it was made/);
    }
    const approved = await apply('renamed.json', '--plan-hash', hashOf(altered['renamed.json'] ?? ''));
    assert.equal(approved.code, 10, 'this ledger knows what the plan was');
  });

  test('takes a plan of another ledger only with its approved hash where there is no terminal', async () => {
    const elsewhere = ['--ledger', rig.path('other.db')];
    const unapproved = await apply('plan.json', ...elsewhere);
    assert.equal(unapproved.code, 10, unapproved.stderr);
    assert.match(unapproved.stderr, new RegExp(`SHA-256 ${hashOf(plan)}[^]*--plan-hash`));
    assert.equal((await apply('plan.json', ...elsewhere, '--plan-hash', 'a'.repeat(64))).code, 10);
    assert.equal((await apply('plan.json', ...elsewhere, '--plan-hash', 'abc')).code, 2);
    assert.equal((await apply('plan.json', ...elsewhere, '--plan-hash', hashOf(plan))).code, 5);
  });

  test('lets --limit name a host that is not there only with --allow-missing', async () => {
    const strict = await apply('plan.json', '--limit', 'all,nowhere');
    assert.equal(strict.code, 2, strict.stderr);
    assert.match(strict.stderr, /"nowhere" matches no host and no group/);
    assert.equal((await apply('plan.json', '--limit', 'all,nowhere', '--allow-missing')).code, 5);
  });

  test('lets --concurrency lower what was approved and refuses to raise it', async () => {
    const raised = await apply('plan.json', '-f', '21');
    assert.equal(raised.code, 2, raised.stderr);
    assert.match(raised.stderr, /--concurrency 21 is more than the plan allows: 20 hosts at once/);
    assert.equal((await apply('plan.json', '-f', '2')).code, 5);
    const patched = await rig.run(['patch', 'p.yaml', '-i', 'i.yaml', '-f', '21', '--yes']);
    assert.equal(patched.code, 2, patched.stderr);
  });

  test('a guard that is violated records no run and writes no plan', async () => {
    await rig.write('guarded.yaml', playbook.replace('{ select: all }', '{ select: all, guard: { max_hosts: 1 } }'));
    const ledger = rig.path('guarded.db');
    const words = ['plan', 'guarded.yaml', '-i', 'i.yaml', '-o', 'guarded.json', '--ledger', ledger];
    const { code, stderr } = await rig.run(words);
    assert.equal(code, 2);
    assert.match(stderr, /2 hosts selected, but the playbook allows at most 1/);
    assert.deepEqual([existsSync(ledger), existsSync(rig.path('guarded.json'))], [false, false]);
  });

  test('plan -o replaces an older plan whole with a message, and leaves any other file alone', async () => {
    await rig.write('old.json', plan);
    const again = await rig.run(['plan', 'p.yaml', '-i', 'i.yaml', '-o', 'old.json']);
    assert.match(again.stderr, /old\.json: replaced an older plan/);
    assert.notEqual(await readFile(rig.path('old.json'), 'utf8'), plan);
    const wrong = await rig.run(['plan', 'p.yaml', '-i', 'i.yaml', '-o', 'p.yaml']);
    assert.equal(wrong.code, 2, wrong.stderr);
    assert.match(wrong.stderr, /p\.yaml exists and is not a plan, so it is not overwritten/);
    assert.equal(await readFile(rig.path('p.yaml'), 'utf8'), playbook);
  });
});
