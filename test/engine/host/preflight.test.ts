import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { judgePreflight, judgeSpace } from '../../../src/engine/host/preflight.ts';
import type { HostScan } from '../../../src/domain/scan.ts';
import { apt } from '../../../src/managers/apt/apt.ts';
import { dnf } from '../../../src/managers/dnf/dnf.ts';
import { fakeHost } from '../../support/rollout-fixture.ts';
import { aHostPlan, aPlanned, aScan } from '../../domain/fixtures.ts';

const mebibyte = 1024 * 1024;
const root = { mount: '/', freeBytes: 9_000 * mebibyte };
const kernel = (name: string) => aPlanned({ name, isKernel: true });

function lack(freeMib: number, names: readonly string[], kernelMib?: number): string | undefined {
  const disks = [root, { mount: '/boot', freeBytes: freeMib * mebibyte }];
  const scan = { disks, ...(kernelMib === undefined ? {} : { kernelBytes: kernelMib * mebibyte }) };
  return judgeSpace(scan, aHostPlan({ updates: names.map(kernel) }), [])?.message;
}

describe('room on /boot', () => {
  test('is asked for by what the newest kernel there takes', () => {
    assert.equal(lack(123, ['linux-image-6.1.0-32-amd64', 'linux-image-amd64'], 46), undefined);
    assert.match(lack(50, ['linux-image-6.1.0-32-amd64'], 46) ?? '', /\/boot: 50 MiB free, 58 MiB needed/);
  });

  test('is asked for once for each new kernel, not for packages that only name one', () => {
    assert.equal(lack(60, ['linux-image-amd64', 'linux-image-6.1.0-32-amd64'], 46), undefined);
    assert.match(lack(60, ['linux-image-6.1.0-32-amd64', 'linux-image-6.1.0-33-amd64'], 46) ?? '', /115 MiB needed/);
  });

  test('is asked for by a usual kernel where none is there to measure, and only by kernels', () => {
    assert.match(lack(120, ['linux-image-6.1.0-32-amd64']) ?? '', /128 MiB needed/);
    const disks = [root, { mount: '/boot', freeBytes: 0 }];
    assert.equal(judgeSpace({ disks }, aHostPlan({ updates: [aPlanned()] }), []), undefined);
  });
});

test('a refusal names the commands of the package managers that the host has', () => {
  const hostPlan = aHostPlan({ updates: [aPlanned()] });
  const refusal = (scan: HostScan, managers = [apt, dnf]): unknown =>
    judgePreflight({ run: 'R1', host: fakeHost('web01'), hostPlan, scan, managers, nowMs: 0, mayRepair: false }).failure
      ?.hint;
  const broken = {
    manager: 'dnf',
    name: 'alpha',
    arch: 'noarch',
    version: '1.0-1',
    state: 'broken',
    source: 'alpha',
    sourceVersion: '1.0-1',
  } as const;
  assert.equal(refusal({ ...aScan(), broken: [broken] }), 'repair them on the host (dnf check), then resume the run');
  assert.equal(
    refusal({ ...aScan(), disks: [{ ...root, freeBytes: 0 }] }),
    'free disk space on the host (apt-get clean, dnf clean packages, old kernels, logs), then resume the run',
  );
});

test('a container of which no reboot can be proven is warned about where one is expected', () => {
  const warnings = (facts: Partial<HostScan['facts']>, isExpected = true): readonly string[] => {
    const scan = aScan();
    const hostPlan = aHostPlan({ reboot: { expected: isExpected, reasons: [] } });
    const input = { run: 'R1', host: fakeHost('web01'), hostPlan, managers: [], nowMs: 0, mayRepair: false };
    return judgePreflight({ ...input, scan: { ...scan, facts: { ...scan.facts, ...facts } } }).warnings;
  };
  assert.match(warnings({ isContainer: true }).join(), /a reboot of it cannot be proven/);
  assert.deepEqual(warnings({ isContainer: true, initStart: 70_000 }), []);
  assert.deepEqual(warnings({ isContainer: true }, false), []);
  assert.deepEqual(warnings({}), []);
});
