// What every package manager must do, run against each of them with an answer of a real or simulated host.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FettleError } from '../../src/domain/error.ts';
import type { JobResult } from '../../src/domain/job.ts';
import { updateStates } from '../../src/domain/outcome.ts';
import type { PlannedUpdate } from '../../src/domain/plan.ts';
import type { InstallSettings } from '../../src/domain/playbook.ts';
import { packageKey, type PackageId, type Update } from '../../src/domain/update.ts';
import type { PackageManager, PackageScan } from '../../src/managers/contract/package-manager.ts';
import type { Sections } from '../../src/managers/contract/sections.ts';
import { packageManagerNames } from '../../src/managers/registry.ts';
import { encodeRequest } from '../../src/remote/launch.ts';
import { aScan } from '../domain/fixtures.ts';

export interface PackageManagerRig {
  readonly manager: PackageManager;
  /** The probe's answer of a host that has updates. */
  readonly answer: Sections;
  /** Sections of it without which it is no answer. */
  readonly essential: readonly string[];
  /** The answer to a simulation of these updates on the same host. */
  readonly simulation: (updates: readonly Update[]) => Sections;
  /** What a job reads back where nothing went in. */
  readonly untouched: Readonly<Record<string, string>>;
}

const settings: InstallSettings = {
  timeoutMs: 60_000,
  lockWaitMs: 1_500,
  conffile: 'keep-old',
  onDrift: 'refuse-host',
  restartServices: 'never',
  maxAgeMs: 1,
};

const nowMs = Date.parse('2026-11-30T12:00:00Z');

export function packageManagerContract(rig: PackageManagerRig): void {
  const { manager, answer } = rig;
  const { facts, privileges } = aScan();
  const scan = (sections: Sections): PackageScan =>
    manager.parseScan(sections, { collectedMs: nowMs, maxAgeMs: Infinity, facts, privileges });
  const planned = (updates: readonly Update[]): PlannedUpdate[] =>
    updates.map(({ heldBack: _heldBack, securityTo: _securityTo, isDownloaded: _isDownloaded, ...update }) => ({
      ...update,
      reason: 'every update is wanted',
      untried: false,
    }));
  const { updates, packages, newPackages = [] } = scan(answer);

  describe(`the package manager contract, ${manager.name}`, () => {
    test('is in the registry under a name that requests can carry', () => {
      assert.match(manager.name, /^[a-z][a-z0-9-]*$/);
      assert.ok(packageManagerNames.includes(manager.name));
    });

    test('names itself in everything that it reports', () => {
      assert.ok(updates.length > 0 && packages.length > 0);
      for (const item of [...packages, ...updates, ...newPackages]) assert.equal(item.manager, manager.name);
    });

    test('reports each package and each update once', () => {
      for (const list of [packages, updates, newPackages] as readonly (readonly PackageId[])[]) {
        assert.equal(new Set(list.map(packageKey)).size, list.length);
      }
    });

    test('offers another version than the installed one, and a newer one where versions have an order', () => {
      for (const { from, to, heldBack, name } of updates) {
        assert.notEqual(from, to, name);
        if (heldBack?.kind === 'downgrade') continue;
        assert.ok((manager.compareVersions?.(to, from) ?? 1) > 0, `${name} ${from} ${to}`);
      }
    });

    test('never takes a missing part of the answer for an empty one', () => {
      for (const name of rig.essential) {
        const cut = new Map(answer);
        assert.ok(cut.delete(name), name);
        assert.throws(() => scan(cut), FettleError, name);
      }
    });

    test('reports what is installed without a search for updates as in a scan', () => {
      const keys = (list: readonly PackageId[]): string[] => list.map(packageKey).toSorted();
      const installed = manager.parseState(answer).packages;
      for (const key of keys(installed)) assert.ok(keys(packages).includes(key), key);
    });

    test('asks for one row an update, each of its own, in the alphabet of requests', () => {
      for (const request of [manager.simulateRequest(updates), manager.installRequest(planned(updates), settings)]) {
        const rows = request.rows ?? [];
        assert.equal(rows.length, updates.length);
        assert.equal(new Set(rows.map((row) => row.join(','))).size, rows.length);
        assert.match(encodeRequest({ verb: 'start', ...request }, 'ab'), /^v1 ab start [A-Za-z0-9.+~:_@/,= -]+$/);
      }
    });

    test('simulates what is on offer: it goes in at that version, from where the host stands', () => {
      const simulation = manager.parseSimulation(rig.simulation(updates));
      const wanted = new Map(updates.map((update) => [packageKey(update), update]));
      assert.ok(simulation.installs.length > 0);
      for (const item of simulation.installs) {
        assert.equal(item.manager, manager.name);
        const update = wanted.get(packageKey(item));
        if (update === undefined) assert.equal(item.from, null, packageKey(item));
        else assert.deepEqual([item.from, item.to], [update.from, update.to], packageKey(item));
      }
      for (const key of Object.keys(simulation.installed)) assert.ok(key.startsWith(`${manager.name}/`), key);
    });

    test('reads one result for each planned update, in their order', () => {
      const all = planned(updates);
      const results = manager.readInstall(ended(rig.untouched), all, all);
      assert.deepEqual(results.map(packageKey), all.map(packageKey));
      for (const [at, result] of results.entries()) assert.equal(result.to, all[at]?.to);
    });

    test('believes the package database and not the exit code', () => {
      const all = planned(updates);
      for (const { state, name } of manager.readInstall(ended(rig.untouched), all, all)) {
        assert.equal(updateStates[state].isAsPlanned, false, `${name} ${state}`);
      }
    });

    test('takes a result without its sections for none', () => {
      const all = planned(updates);
      assert.throws(() => manager.readInstall(ended({}), all, all), { code: 'parse' });
    });

    test('describes what it cannot promise', () => {
      const { simulation, exactVersion, securityClass, wholeUpgrade } = manager.limits;
      for (const words of [simulation, exactVersion, securityClass, wholeUpgrade].flatMap((text) => text ?? []))
        assert.match(words, /^[a-zA-Z].{20,}$/);
    });
  });
}

function ended(sections: Readonly<Record<string, string>>): JobResult {
  return { exitCode: 0, verdict: 'ok', sections };
}
