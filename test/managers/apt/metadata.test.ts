import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readMetadata } from '../../../src/managers/apt/metadata.ts';

const nowMs = Date.UTC(2026, 10, 30, 3, 0);
const dayMs = 86_400_000;
const main = 'http://deb.example/debian/dists/bookworm/';
const security = 'http://sec.example/debian/dists/bookworm-security/';

function ago(ms: number): string {
  return String(Math.floor((nowMs - ms) / 1000));
}

interface Host {
  readonly files?: string;
  readonly targets?: string;
  readonly memory?: string;
  readonly stamp?: string;
}

function metadata({ files, targets, memory = '', stamp = '' }: Host, maxAgeMs = dayMs, skewMs = 0) {
  const sections = new Map([
    [
      'apt-metadata',
      files ?? `main_Release\t${ago(40 * dayMs)}\tLabel=Debian\t\nsec_InRelease\t${ago(3_600_000)}\tLabel=Security\t\n`,
    ],
    ['apt-targets', targets ?? `+\t${main}\tmain_\n+\t${security}\tsec_\n`],
    ['apt-refreshes', memory],
    ['apt-success', stamp],
  ]);
  return readMetadata(sections, { collectedMs: nowMs, maxAgeMs, skewMs });
}

describe('what a host knows of its repositories', () => {
  test('is as old as the repository that was fetched longest ago', () => {
    const { fetchedMs, isStale, refreshFailed } = metadata({});
    assert.deepEqual([fetchedMs, isStale, refreshFailed], [nowMs - 40 * dayMs, true, undefined]);
  });

  test('is fresh where each answered a refresh by fettle, although nothing had changed there for long', () => {
    const memory = `${main}\t${ago(60_000)}\t\t\n${security}\t${ago(120_000)}\t\t\n`;
    const { fetchedMs, isStale } = metadata({ memory });
    assert.deepEqual([fetchedMs, isStale], [nowMs - 120_000, false]);
  });

  test('is fresh where the host has a stamp of success of its own', () => {
    assert.equal(metadata({ stamp: ago(60_000) }).isStale, false);
  });

  test('keeps a failed refresh with its reason and time until one succeeds', () => {
    const reason = 'http://deb.example/debian bookworm InRelease: Connection refused';
    const memory = `${main}\t${ago(2 * dayMs)}\t${ago(dayMs)}\t${reason}\n${security}\t${ago(60_000)}\t\t\n`;
    const { refreshFailed, isStale, fetchedMs, repositories } = metadata({ memory, stamp: ago(60_000) });
    assert.deepEqual(refreshFailed, { message: reason, sinceMs: nowMs - dayMs });
    assert.deepEqual([isStale, fetchedMs], [true, nowMs - 2 * dayMs], 'a stamp of later says nothing of this one');
    assert.deepEqual(
      repositories.map((item) => item.failsSinceMs),
      [nowMs - dayMs, undefined],
    );
  });

  test('is good again where the lists changed after the failure, whoever fetched them', () => {
    const memory = `${main}\t\t${ago(dayMs)}\tno answer\n${security}\t${ago(60_000)}\t\t\n`;
    const files = `main_Release\t${ago(3_600_000)}\tLabel=Debian\t\nsec_InRelease\t${ago(3_600_000)}\tLabel=Security\t\n`;
    const { refreshFailed, isStale } = metadata({ memory, files });
    assert.deepEqual([refreshFailed, isStale], [undefined, false]);
  });

  test('keeps a refresh that failed as a whole', () => {
    const memory = `${main}\t${ago(60_000)}\t\t\n${security}\t${ago(60_000)}\t\t\n*\t\t${ago(30_000)}\tType dbe is not known\n`;
    assert.deepEqual(metadata({ memory }).refreshFailed, { message: 'Type dbe is not known', sinceMs: nowMs - 30_000 });
  });

  test('is stale where one was never fetched, but not for a disc of the installer', () => {
    const fresh = `${main}\t${ago(60_000)}\t\t\n${security}\t${ago(60_000)}\t\t\n`;
    const targets = `+\t${main}\tmain_\n+\t${security}\tsec_\n`;
    const disc = metadata({ memory: fresh, targets: `${targets}-\tcdrom:[Debian 12 Bookworm]/\tdisc_\n` });
    assert.equal(disc.isStale, false);
    assert.equal(disc.repositories[2]?.name, 'cdrom:[Debian 12 Bookworm]/');
    assert.equal(metadata({ memory: fresh, targets: `${targets}-\thttp://new.example/\tnew_\n` }).isStale, true);
  });

  test('is judged by the clock of the controller where the host is years ahead', () => {
    const skewMs = 7 * 365 * dayMs;
    const memory = [main, security].map((site) => `${site}\t${ago(40 * dayMs - skewMs)}\t\t\n`).join('');
    const { fetchedMs, isStale } = metadata({ memory, files: 'x\t0\t\n' }, dayMs, skewMs);
    assert.deepEqual([fetchedMs, isStale], [nowMs - 40 * dayMs, true]);
  });
});
