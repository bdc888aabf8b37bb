// When the scan can leave out the simulation with security sources alone, by what `apt-cache policy` prints (apt 2.6).
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { shellIsMissing } from '../support/shell-session.ts';

const functions = readFileSync(new URL('../../src/remote/posix/managers/apt/scan.sh', import.meta.url), 'utf8');

const installed = ' 100 /var/lib/dpkg/status\n     release a=now\n';
const source = (priority: number, release: string, site = 'http://deb.example/debian'): string =>
  ` ${priority} ${site} bookworm/main amd64 Packages\n     release ${release}\n     origin deb.example\n`;
const usual = source(500, 'v=12.11,o=Debian,a=stable,n=bookworm,l=Debian,c=main,b=amd64');
const security = (priority: number): string =>
  source(priority, 'v=12,o=Debian,a=stable-security,n=bookworm-security,l=Debian-Security,c=main,b=amd64');
const backports = source(
  100,
  'v=,o=Debian Backports,a=stable-backports,n=bookworm-backports,l=Debian Backports,c=main,b=amd64',
);
const policy = (...sources: readonly string[]): string => `Package files:\n${sources.join('')}Pinned packages:\n`;

for (const shell of ['dash', 'busybox'] as const) {
  const [program = 'sh', ...args] = shell === 'dash' ? ['dash'] : ['busybox', 'sh'];
  const isUsual = (printed: string): boolean => {
    const work = mkdtempSync(join(tmpdir(), 'fettle-views-'));
    try {
      writeFileSync(join(work, 'releases'), printed);
      const { status, stderr } = spawnSync(program, [
        ...args,
        '-c',
        `work=$1\n${functions}\nhas_usual_priorities`,
        'sh',
        work,
      ]);
      assert.equal(stderr.toString(), '');
      return status === 0;
    } finally {
      rmSync(work, { recursive: true });
    }
  };

  describe(
    `no update of a security source is hidden, read by ${shell}`,
    { skip: shellIsMissing(shell) ?? false },
    () => {
      test('where every source has the priority 500, and backports theirs', () => {
        assert.equal(isUsual(policy(installed, security(500), usual)), true);
        assert.equal(isUsual(policy(installed, backports, security(500), usual)), true);
      });

      const cases: Readonly<Record<string, string>> = {
        'a target release is preferred': policy(installed, security(500), source(990, 'v=12.11,a=stable,n=bookworm')),
        'the security source has a low priority': policy(installed, security(100), usual),
        'the security source never goes in': policy(installed, security(-1), usual),
        'the last source has a priority of its own': policy(installed, usual, source(1, 'o=Own,a=own,n=own')),
        'a package is pinned': `${policy(installed, security(500), usual)}     openssl -> 3.0.16 with priority 990\n`,
        'a release only sounds like backports': policy(
          installed,
          source(100, 'o=Own,a=not-backports-at-all,n=own'),
          usual,
        ),
        'nothing was printed': '',
      };
      for (const [what, printed] of Object.entries(cases)) {
        test(`is not known where ${what}`, () => assert.equal(isUsual(printed), false));
      }
    },
  );
}
