// What apt and dpkg print (apt 2.6, dpkg 1.21 under Debian 12), and what an operator is shown of it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { shellIsMissing } from '../support/shell-session.ts';

const functions = ['managers/apt/scan.sh', 'managers/apt/refresh.sh'].map((name) =>
  readFileSync(new URL(`../../src/remote/posix/${name}`, import.meta.url), 'utf8'),
);

for (const shell of ['dash', 'busybox'] as const) {
  const [program, ...args] = shell === 'dash' ? ['dash'] : ['busybox', 'sh'];
  const reasonsOf = (printed: string): string[] => {
    const text = `${functions.join('\n')}\nreasons`;
    const { stdout } = spawnSync(program ?? 'sh', [...args, '-c', text], { input: printed, encoding: 'utf8' });
    return stdout.split('\n').filter((line) => line !== '');
  };

  describe(`the reasons that apt gives, read by ${shell}`, { skip: shellIsMissing(shell) ?? false }, () => {
    test('are one for each repository that does not answer, without credentials', () => {
      const printed = `Ign:1 http://u:secret@a.example/debian s InRelease
Err:1 http://u:secret@a.example/debian s InRelease
  Could not connect to a.example:80 (192.0.2.1), connection timed out
Err:2 http://b.example/debian s InRelease
  Temporary failure resolving 'b.example'
Err:3 http://c.example/x ./ InRelease
  404  Not Found [IP: 192.0.2.3 80]
Reading package lists...
W: Failed to fetch http://a.example/debian/dists/s/InRelease  Could not connect to a.example:80
E: Some index files failed to download. They have been ignored, or old ones used instead.
`;
      assert.deepEqual(reasonsOf(printed), [
        'http://a.example/debian s InRelease: Could not connect to a.example:80 (192.0.2.1), connection timed out',
        "http://b.example/debian s InRelease: Temporary failure resolving 'b.example'",
        'http://c.example/x ./ InRelease: 404  Not Found [IP: 192.0.2.3 80]',
      ]);
    });

    test('name the key that is missing', () => {
      const printed = `Get:1 http://a.example s InRelease [1 B]
Reading package lists...
W: GPG error: http://a.example s InRelease: The public key is not available: NO_PUBKEY 0E98404D386FA1D9
E: The repository 'http://a.example s InRelease' is not signed.
N: Updating from such a repository can't be done securely, and is therefore disabled by default.
`;
      assert.deepEqual(reasonsOf(printed), [
        'GPG error: http://a.example s InRelease: The public key is not available: NO_PUBKEY 0E98404D386FA1D9',
        "The repository 'http://a.example s InRelease' is not signed.",
      ]);
    });

    test('are the last words of a package whose own script fails', () => {
      const printed = `Reading package lists...
Unpacking grubx (2) over (1) ...
Setting up libx (2) ...
libx is fine
Setting up grubx (2) ...
You must correct your GRUB install devices before proceeding
dpkg: error processing package grubx (--configure):
 installed grubx package post-installation script subprocess returned error exit status 1
Errors were encountered while processing:
 grubx
E: Sub-process /usr/bin/dpkg returned an error code (1)
`;
      assert.deepEqual(reasonsOf(printed), [
        'You must correct your GRUB install devices before proceeding',
        'dpkg: error processing package grubx (--configure): installed grubx package post-installation script subprocess returned error exit status 1',
      ]);
    });

    test('name the dependency that is not met', () => {
      const printed = `Reading package lists...
You might want to run 'apt --fix-broken install' to correct these.
The following packages have unmet dependencies:
 foo : Depends: bar (>= 2) but it is not installed
E: Unmet dependencies. Try 'apt --fix-broken install' with no packages (or specify a solution).
`;
      assert.equal(reasonsOf(printed)[0], 'foo : Depends: bar (>= 2) but it is not installed');
    });
  });
}
