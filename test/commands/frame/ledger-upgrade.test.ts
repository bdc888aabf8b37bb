import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConsole } from '../../../src/commands/invocation/console.ts';
import { openUpgradeView } from '../../../src/commands/frame/ledger-upgrade.ts';
import type { UpgradeProgress } from '../../../src/ledger/events/rebuild.ts';
import { fakeOutput } from '../../report/fake-output.ts';

const steps: readonly UpgradeProgress[] = [0, 1_000, 2_000].map((done) => ({ from: 6, to: 7, events: 2_000, done }));

function shown(
  isTty: boolean,
  { access = 'write', quiet = false }: { access?: 'read' | 'write'; quiet?: boolean },
): string {
  const { output, stdout, stderr } = fakeOutput({ isTty });
  const console = createConsole(
    { write: (text) => output.stdout.write(text), writeError: (text) => output.stderr.write(text) },
    quiet,
  );
  {
    using view = openUpgradeView({ path: '/l.db', access, quiet }, { console, output });
    for (const step of steps) view.show(step);
  }
  assert.equal(stdout.text, '');
  return stderr.text;
}

test('the upgrade of a ledger is one line where there is no terminal', () => {
  assert.equal(shown(false, {}), 'upgrading the ledger /l.db from schema 6 to 7: 2000 events\n');
});

test('a ledger that is only read is announced to stay unchanged', () => {
  assert.match(
    shown(false, { access: 'read' }),
    /^upgrading a copy of the ledger \/l\.db .*; the next run upgrades the ledger itself\n$/,
  );
});

test('a terminal shows how far the upgrade is, and nothing of that remains at its end', () => {
  const text = shown(true, {});
  for (const part of ['0 % of 2000 events', '50 % of 2000 events', '100 % of 2000 events']) {
    assert.ok(text.includes(part), part);
  }
  // ECMA-48: erase below the cursor.
  assert.ok(text.endsWith('\u001b[J'));
});

test('--quiet shows nothing of an upgrade', () => {
  assert.equal(shown(true, { quiet: true }), '');
});
