import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startLab } from './lab.ts';

const refresh = 'apt-get update 2>&1';

const pending = "apt-get -qq -s upgrade --with-new-pkgs | sed -n 's/^Inst \\([^ ]*\\) .*/\\1/p' | sort | tr '\\n' ' '";

test('a suite that is taken away fails every refresh, its versions stay known, and it comes back', async () => {
  await using lab = await startLab({
    name: 'suite',
    hosts: [{ name: 'one', packages: ['fettle-app', 'fettle-tool'] }],
  });
  await lab.repo.removeSuite('security');
  const failed = await lab.ssh('one', refresh);
  assert.equal(failed.code, 100);
  assert.match(failed.stdout, /^E: .*bookworm-security.* Release/m);
  assert.doesNotMatch(failed.stdout, /^E: .*bookworm-updates/m);
  assert.equal(await lab.tell('one', pending), 'fettle-app fettle-lib fettle-tool', 'of the lists from before');
  await lab.tell('one', 'rm -rf /var/lib/apt/lists/*');
  await lab.ssh('one', refresh);
  assert.equal(await lab.tell('one', pending), 'fettle-tool');
  await lab.repo.restoreSuites();
  await lab.tell('one', refresh);
  assert.equal(await lab.tell('one', pending), 'fettle-app fettle-lib fettle-tool');
});
