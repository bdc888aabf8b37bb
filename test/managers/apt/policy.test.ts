import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parsePolicy, parseReleases } from '../../../src/managers/apt/policy.ts';

const releases = `Package files:
 100 /var/lib/dpkg/status
     release a=now
 500 http://mirror.example/ubuntu noble-security/main amd64 Packages
     release v=24.04,o=Ubuntu,a=noble-security,n=noble,l=Ubuntu,c=main,b=amd64
     origin mirror.example
 500 http://mirror.example/ubuntu noble-updates/main amd64 Packages
     release v=24.04,o=Ubuntu,a=noble-updates,n=noble,l=Ubuntu,c=main,b=amd64
     origin mirror.example
 510 https://esm.example/apps/ubuntu noble-apps-security/main amd64 Packages
     release v=24.04,o=UbuntuESMApps,a=noble-apps-security,n=noble,l=UbuntuESMApps,c=main,b=amd64
 500 http://corp.example ./ Packages
     release o=Corp,a=prod,n=prod,l=Corp Fixes,c=
Pinned packages:
`;

const policy = `libsystemd0:
  Installed: 255.4-1ubuntu8
  Candidate: 255.4-1ubuntu8.19
  Version table:
     255.4-1ubuntu8.19 500 (phased 10%)
        500 http://mirror.example/ubuntu noble-updates/main amd64 Packages
     255.4-1ubuntu8.18 500
        500 http://mirror.example/ubuntu noble-security/main amd64 Packages
 *** 255.4-1ubuntu8 100
        100 /var/lib/dpkg/status
newdep:
  Installed: (none)
  Candidate: 1.0
  Version table:
     1.0 500
        500 http://corp.example ./ Packages
`;

describe('apt-cache policy', () => {
  test('names releases as the simulation does, and knows the security sources among them', () => {
    const read = [...parseReleases(releases).values()].map((item) => `${item.name} ${item.isSecurity}`);
    assert.deepEqual(read, [
      ':now false',
      'Ubuntu:24.04/noble-security true',
      'Ubuntu:24.04/noble-updates false',
      'UbuntuESMApps:24.04/noble-apps-security true',
      'Corp Fixes:prod false',
    ]);
  });

  test('takes a configured origin or label for a security source', () => {
    for (const origin of ['Corp', 'Corp Fixes']) {
      assert.ok(
        [...parseReleases(releases, [origin]).values()].some(
          (item) => item.name === 'Corp Fixes:prod' && item.isSecurity,
        ),
      );
    }
    assert.ok(
      ![...parseReleases(releases, ['']).values()].some((item) => item.name === 'Corp Fixes:prod' && item.isSecurity),
    );
  });

  test('lists versions newest first with where they come from, how far they are phased and what is security', () => {
    const packages = parsePolicy(policy, parseReleases(releases));
    assert.deepEqual(packages.get('libsystemd0'), {
      installed: '255.4-1ubuntu8',
      candidate: '255.4-1ubuntu8.19',
      versions: [
        { version: '255.4-1ubuntu8.19', origins: ['Ubuntu:24.04/noble-updates'], isSecurity: false, phasedPercent: 10 },
        { version: '255.4-1ubuntu8.18', origins: ['Ubuntu:24.04/noble-security'], isSecurity: true },
      ],
    });
    assert.equal(packages.get('newdep')?.installed, undefined);
  });
});
