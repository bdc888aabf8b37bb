// Kernels in /boot and their initial RAM disks, by the names of several distributions.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { shellIsMissing } from '../support/shell-session.ts';

const functions = readFileSync(new URL('../../src/remote/posix/kernel-linux.sh', import.meta.url), 'utf8');

const [old, recent] = ['5.14.0-503.11.1.el9_5.x86_64', '5.14.0-503.14.1.el9_5.x86_64'] as const;

for (const shell of ['dash', 'busybox'] as const) {
  const [program = 'sh', ...args] = shell === 'dash' ? ['dash'] : ['busybox', 'sh'];

  /** What a function prints where these files are in /boot and this kernel runs. */
  const printed = (files: readonly string[], running: string, call: string): string => {
    const boot = mkdtempSync(join(tmpdir(), 'fettle-boot-'));
    try {
      for (const file of files) writeFileSync(join(boot, file), '');
      const script = `uname() { echo '${running}'; }\n${functions.replaceAll('/boot', boot)}\n${call}`;
      const { stdout, stderr } = spawnSync(program, [...args, '-c', script]);
      assert.equal(stderr.toString(), '');
      return stdout.toString();
    } finally {
      rmSync(boot, { recursive: true });
    }
  };

  describe(`kernels in /boot, read by ${shell}`, { skip: shellIsMissing(shell) ?? false }, () => {
    test('those of the flavour of the running one count, by the names of Red Hat, Debian and SUSE', () => {
      const redHat = [old, recent, `${recent}+debug`, '0-rescue-0123456789abcdef'].map((name) => `vmlinuz-${name}`);
      assert.equal(printed(redHat, old, 'kernels_of_flavour'), `${old}\n${recent}\n`);
      assert.equal(printed(redHat, `${old}+debug`, 'kernels_of_flavour'), `${recent}+debug\n`);
      const debian = ['vmlinuz-6.1.0-31-amd64', 'vmlinuz-6.12.90+deb13.1-amd64', 'vmlinuz-6.1.0-32-cloud-amd64'];
      assert.equal(printed(debian, '6.1.0-31-amd64', 'kernels_of_flavour'), '6.1.0-31-amd64\n6.12.90+deb13.1-amd64\n');
      const suse = ['vmlinuz-6.4.0-150600.21-default', 'vmlinuz-6.4.0-150600.23.1-rt'];
      assert.equal(printed(suse, '6.4.0-150600.21-default', 'kernels_of_flavour'), '6.4.0-150600.21-default\n');
    });

    test('the newest one lacks its initial RAM disk where others have theirs, by each of three names', () => {
      for (const name of ['initrd.img-VERSION', 'initramfs-VERSION.img', 'initrd-VERSION']) {
        const of = (version: string): string => name.replace('VERSION', version);
        assert.equal(printed([of(old)], old, `missing_initrd ${recent}`), `${recent}\n`, name);
        assert.equal(printed([of(old), of(recent)], old, `missing_initrd ${recent}`), '', name);
      }
    });

    test('no initial RAM disk is missing where no kernel has one, and those of a rescue or crash kernel prove nothing', () => {
      const files = ['initramfs-0-rescue-0123456789abcdef.img', `initramfs-${old}kdump.img`];
      assert.equal(printed(files, old, `missing_initrd ${recent}`), '');
    });
  });
}
