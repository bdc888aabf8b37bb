// The probe on the very machine the tests run on, as an ordinary user: it must answer wherever there is a POSIX shell.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { readHostScan, readHostState, readHostSummary } from '../../src/managers/host-scan.ts';
import { parseFrame } from '../../src/remote/frame.ts';
import { runScript } from '../../src/remote/launch.ts';
import { probeScript } from '../../src/remote/scripts.ts';
import { ShellSession, shellIsMissing } from '../support/shell-session.ts';

const noLinux = existsSync('/proc/sys/kernel/random/boot_id') ? undefined : 'not a Linux machine';
const noApt = existsSync('/usr/bin/apt-get') ? undefined : 'this machine has no apt';

for (const shell of ['dash', 'busybox'] as const) {
  describe(`the probe under ${shell}`, { skip: shellIsMissing(shell) ?? noLinux ?? false }, () => {
    test('reports the boot id and whether the system has settled', async () => {
      await using session = new ShellSession({ shell });
      const sections = parseFrame((await runScript(session, probeScript(), { verb: 'boot' })).stdout);
      assert.equal(sections.get('boot-id'), readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
      assert.ok(sections.has('system-state'));
    });

    test(
      'scans in one query without root, prints nothing else and leaves nothing',
      { skip: noApt ?? false },
      async () => {
        await using session = new ShellSession({ shell });
        const { stdout, stderr } = await runScript(session, probeScript(), { verb: 'probe' });
        assert.equal(stderr.toString(), '');
        assert.deepEqual(readdirSync(session.home), ['bin']);
        const sections = parseFrame(stdout);
        const scan = readHostScan(sections, { collectedMs: Date.now(), maxAgeMs: 1 });
        assert.equal(scan.managers[0], 'apt');
        assert.equal(scan.privileges.isRoot, false);
        assert.ok(scan.packages.some((item) => item.name === 'dpkg' && item.state === 'installed'));
        assert.equal(scan.facts.family, 'linux');
        assert.ok(scan.disks.some((disk) => disk.mount === '/' && disk.freeBytes > 0));
      },
    );

    test('summarises the host without a search for updates', { skip: noApt ?? false }, async () => {
      await using session = new ShellSession({ shell });
      const { stdout, stderr } = await runScript(session, probeScript(), { verb: 'summary' });
      assert.equal(stderr.toString(), '');
      const sections = parseFrame(stdout);
      assert.deepEqual([sections.has('apt-normal'), sections.has('listeners')], [false, false]);
      const look = readHostSummary(sections, Date.now());
      assert.deepEqual([look.managers[0], look.privileges.isRoot, look.facts.family], ['apt', false, 'linux']);
      assert.ok(look.facts.uptimeSec !== undefined && look.disks.some((disk) => disk.mount === '/'));
    });

    test('reports what runs and is installed without a search for updates', { skip: noApt ?? false }, async () => {
      await using session = new ShellSession({ shell });
      const { stdout, stderr } = await runScript(session, probeScript(), { verb: 'state' });
      assert.equal(stderr.toString(), '');
      const sections = parseFrame(stdout);
      assert.deepEqual([sections.has('apt-normal'), sections.has('listeners')], [false, true]);
      const { packages, isStateOnly, updates } = readHostState(sections, Date.now());
      assert.deepEqual([isStateOnly, updates], [true, []]);
      assert.ok(packages.some((item) => item.name === 'dpkg' && item.state === 'installed'));
    });

    test('refuses a verb it does not know', async () => {
      await using session = new ShellSession({ shell });
      await assert.rejects(runScript(session, probeScript(), { verb: 'destroy' }), {
        code: 'command',
        message: /no verb destroy/,
      });
    });
  });
}
