import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FettleError } from '../../../src/domain/error.ts';
import { HostSession } from '../../../src/engine/connection/host-session.ts';
import { pacedReading } from '../../../src/engine/connection/paced-reading.ts';
import { ManagedHost } from '../../../src/engine/connection/managed-host.ts';
import { packageManagerNamed } from '../../../src/managers/registry.ts';
import { parseFrame } from '../../../src/remote/frame.ts';
import { textLauncher } from '../../../src/remote/exec.ts';
import type { ExecRequest, ExecResult, Session } from '../../../src/transport/session.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fakeHost } from '../../support/rollout-fixture.ts';

const bootId = '01234567-89ab-cdef-0123-456789abcdef';
const host = fakeHost('web01');
const elevation = { method: 'sudo', user: 'root', flags: [] } as const;

type Answer = (verb: string, request: ExecRequest) => Record<string, string> | FettleError;

/** Answers the probe's requests with sections, framed by the mark of each request. */
class AnsweringSession implements Session {
  readonly hostName = 'web01';
  readonly transport = 'fake';
  readonly shell = 'posix';
  readonly isAlive = true;
  readonly requests: string[] = [];
  readonly #answer: Answer;

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  exec(request: ExecRequest): Promise<ExecResult> {
    const [line = ''] = String(request.stdin).split('\n');
    this.requests.push(line);
    const [, mark = '', verb = ''] = line.split(' ');
    const answer = this.#answer(verb, request);
    if (answer instanceof FettleError) return Promise.reject(answer);
    const sections = Object.entries(answer).map(([name, text]) => `\n\x1e${mark} ${name}\n${text}`);
    const stdout = Buffer.from(`\x1eFETTLE ${mark} begin\n${sections.join('')}\n\x1e${mark} end\n`);
    const none = { stderr: Buffer.alloc(0), stdoutTruncatedBytes: 1, stderrTruncatedBytes: 2 };
    return Promise.resolve({ ...none, stdout, exitCode: 0 });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

function answerOf(fixture: string): Readonly<Record<string, string>> {
  const file = join(import.meta.dirname, `../../fixtures/managers/${fixture}/everything/answer`);
  return Object.fromEntries(parseFrame(readFileSync(file)));
}

/** Captured from a Debian 12 with one update of each kind. */
const captured = answerOf('apt');
/** The part of dnf 4.14. */
const capturedOfDnf = Object.fromEntries(
  Object.entries(answerOf('dnf')).filter(([name]) => /^(dnf-|rpm-|scanned)/.test(name)),
);
/** What a host reports of itself, without any package manager. */
const ownSections = Object.fromEntries(
  Object.entries(captured).filter(([name]) => !/^(apt-|security-origins|conffile-leftovers)/.test(name)),
);

interface Fixture {
  readonly remote: ManagedHost;
  readonly sessions: AnsweringSession[];
}

function fixture(
  answer: Answer,
  over: { elevated?: boolean; securityOrigins?: string[]; managers?: readonly string[] } = {},
): Fixture {
  const sessions: AnsweringSession[] = [];
  const clock = new FakeClock();
  const { securityOrigins } = over;
  const of = {
    ...host,
    ...(over.elevated === true ? { connection: { ...host.connection, elevation } } : {}),
    ...(securityOrigins === undefined ? {} : { patch: { ...host.patch, securityOrigins } }),
  };
  const link = new HostSession(of, {
    open: () => {
      const session = new AnsweringSession(answer);
      sessions.push(session);
      return Promise.resolve(session);
    },
    elevate: (session) => session,
  });
  return {
    sessions,
    remote: new ManagedHost(link, {
      clock,
      packageManager: packageManagerNamed,
      knownManagers: () => Promise.resolve(over.managers),
      readPaced: pacedReading(clock),
    }),
  };
}

const { signal } = new AbortController();

describe('the remote of a host', () => {
  test('scans with one request, and each package manager reads its part of the answer', async () => {
    const { remote, sessions } = fixture(() => captured);
    const scan = await remote.scan({ maxAgeMs: 1, signal });
    assert.deepEqual([scan.managers, scan.updates.length], [['apt'], 12]);
    assert.equal(scan.collectedMs, new FakeClock().now());
    assert.match(sessions[0]?.requests.join('\n') ?? '', /^v1 [0-9a-f]+ probe managers=apt,snap --$/);
    assert.ok(scan.scripts?.includes('managers/apt/scan.sh'));
  });

  test('scans without a search for updates where the caller can do without', async () => {
    const { remote, sessions } = fixture(() => captured);
    const scan = await remote.scan({ maxAgeMs: 1, isStateOnly: true, signal });
    assert.match(sessions[0]?.requests.join('\n') ?? '', /^v1 [0-9a-f]+ state managers=apt,snap --$/);
    assert.deepEqual([scan.isStateOnly, scan.updates, scan.metadata.repositories], [true, [], []]);
    const whole = await remote.scan({ maxAgeMs: 1, signal });
    assert.deepEqual(
      [scan.packages, scan.broken, scan.health, scan.reboot, scan.conffileLeftovers],
      [whole.packages, whole.broken, whole.health, whole.reboot, whole.conffileLeftovers],
    );
  });

  test('sends a known host the scripts of its package managers alone', async () => {
    const { remote, sessions } = fixture(() => captured, { managers: ['apt'] });
    const scan = await remote.scan({ maxAgeMs: 1, signal });
    assert.match(sessions[0]?.requests.join('\n') ?? '', /^v1 [0-9a-f]+ probe managers=apt --$/);
    const ofOthers = scan.scripts?.filter((part) => part.startsWith('managers/') && !part.startsWith('managers/apt/'));
    assert.deepEqual(
      ofOthers?.filter((part) => !/\/(?:detect|fingerprint)\.sh$/.test(part)),
      [],
    );
  });

  test('sends a host of which nothing is known the usual scans, and then the one that it needs', async () => {
    const { remote, sessions } = fixture((_verb, { stdin }) =>
      String(stdin).includes(' managers=dnf ') ? capturedOfDnf : { ...ownSections, managers: 'dnf\n', scanned: '' },
    );
    assert.deepEqual((await remote.scan({ maxAgeMs: 1, signal })).managers, ['dnf']);
    assert.deepEqual(
      sessions[0]?.requests.map((line) => line.split(' ').slice(2).join(' ')),
      ['probe managers=apt,snap --', 'probe only=yes managers=dnf --'],
    );
  });

  test('asks once more for a package manager that turned up since', async () => {
    const { remote, sessions } = fixture(
      (_verb, { stdin }) => (String(stdin).includes(' managers=apt ') ? captured : { ...ownSections, scanned: '' }),
      { managers: [] },
    );
    const scan = await remote.scan({ maxAgeMs: 1, signal });
    assert.deepEqual([scan.managers, scan.updates.length], [['apt'], 12]);
    assert.deepEqual(
      sessions[0]?.requests.map((line) => line.split(' ').slice(2).join(' ')),
      ['probe --', 'probe only=yes managers=apt --'],
    );
    await remote.scan({ maxAgeMs: 1, signal });
    assert.equal(sessions[0]?.requests.length, 3);
  });

  test('gives a summary with one request that asks for nothing that is pending', async () => {
    const { remote, sessions } = fixture(() => captured, { securityOrigins: ['Corp'] });
    const summary = await remote.summary(signal);
    assert.deepEqual([summary.managers, summary.collectedMs], [['apt'], new FakeClock().now()]);
    assert.match(sessions[0]?.requests.join('\n') ?? '', /^v1 [0-9a-f]+ summary managers=apt,snap --$/);
  });

  test('names the security origins that were configured', async () => {
    const { remote, sessions } = fixture(() => captured, { securityOrigins: ['Corp', 'Other'] });
    await remote.scan({ maxAgeMs: 1, signal });
    assert.match(sessions[0]?.requests[0] ?? '', / probe security_origins=Corp,Other managers=apt,snap --$/);
  });

  test('runs nothing when it connects: the first script that needs the elevation tries it', async () => {
    const elevated = fixture(() => new FettleError('elevate', 'wrong password'), { elevated: true });
    await elevated.remote.connect(signal);
    assert.deepEqual(elevated.sessions[0]?.requests, []);
    await assert.rejects(elevated.remote.scan({ maxAgeMs: 1_000, signal }), { code: 'elevate' });
  });

  test('takes for a fingerprint what is a SHA-256, and nothing else', async () => {
    const digest = 'a'.repeat(64);
    for (const [answer, wanted] of [
      [`${digest}\n`, digest],
      ['', undefined],
      ['123 456\n', undefined],
    ] as const) {
      const { remote } = fixture(() => ({ fingerprint: answer }));
      assert.equal(await remote.fingerprint(signal), wanted);
    }
  });

  const boots: readonly [id: string, state: string, wanted: object][] = [
    [`${bootId}\n`, 'running\n', { bootId, isSettled: true }],
    [`${bootId}\n`, 'degraded\n', { bootId, isSettled: true }],
    [`${bootId}\n`, 'starting\n', { bootId, isSettled: false }],
    [`${bootId}\n`, '', { bootId, isSettled: false }],
    ['cat: No such file or directory\n', 'running\n', { isSettled: true }],
  ];
  for (const [id, state, wanted] of boots) {
    test(`reads boot id "${id.trim()}" and state "${state.trim()}" as ${JSON.stringify(wanted)}`, async () => {
      const { remote } = fixture(() => ({ 'boot-id': id, 'system-state': state }));
      assert.deepEqual(await remote.bootState(signal), wanted);
    });
  }

  test('opens another connection after one was lost', async () => {
    const { remote, sessions } = fixture(() =>
      sessions.length === 1 ? new FettleError('lost', 'gone') : { 'boot-id': bootId, 'system-state': 'running' },
    );
    await assert.rejects(remote.bootState(signal), { code: 'lost' });
    assert.equal((await remote.bootState(signal)).bootId, bootId);
    assert.equal(sessions.length, 2);
  });

  test('keeps its connection after a command that failed', async () => {
    const { remote, sessions } = fixture(() => new FettleError('command', 'it failed'));
    await assert.rejects(remote.bootState(signal), { code: 'command' });
    await assert.rejects(remote.bootState(signal), { code: 'command' });
    assert.equal(sessions.length, 1);
  });

  test('opens another connection after an answer that did not come in time: its channel may stay taken', async () => {
    const { remote, sessions } = fixture(() => new FettleError('timeout', 'too slow'));
    for (let question = 1; question <= 3; question += 1) {
      await assert.rejects(remote.bootState(signal), { code: 'timeout' });
      assert.equal(sessions.length, question);
    }
  });

  test('asks a host nothing without a limit, and gives it a minute more than it was asked to wait', async () => {
    const limits: (number | undefined)[] = [];
    const { remote } = fixture((_verb, request) => {
      limits.push(request.timeoutMs);
      return new FettleError('command', 'seen');
    });
    const updates: never[] = [];
    const job = { job: 'run1-0-install-1', kind: 'install', run: 'run1', controller: 'here', fence: 1 } as const;
    const questions = [
      () => remote.scan({ maxAgeMs: 1, signal }),
      () => remote.summary(signal),
      () => remote.simulate({ manager: 'apt', updates }, signal),
      () => remote.bootState(signal),
      () => remote.startJob({ ...job, request: {} }, signal),
      () => remote.followJob(job.job, 0, { waitSec: 20, maxBytes: 1, signal }),
      () => remote.collectJob(job.job, signal),
      () => remote.sweepRun('run1', signal),
      () => remote.exec('true', { signal, outputLimitBytes: 1, timeoutMs: 7 }),
    ];
    for (const ask of questions) await assert.rejects(ask());
    assert.equal(limits.length, questions.length);
    for (const limit of limits) assert.ok(limit !== undefined && limit > 0, String(limit));
    assert.equal(limits[5], 80_000);
  });

  test('an answer without a frame is a parse error, not an empty host', async () => {
    const { remote, sessions } = fixture(() => ({}));
    await remote.connect(signal);
    const [session] = sessions;
    assert.ok(session);
    session.exec = () =>
      Promise.resolve({
        stdout: Buffer.from('This account is currently not available.\n'),
        stderr: Buffer.alloc(0),
        exitCode: 0,
        stdoutTruncatedBytes: 0,
        stderrTruncatedBytes: 0,
      });
    await assert.rejects(remote.scan({ maxAgeMs: 1, signal }), { code: 'parse' });
  });

  test('runs the text of an operator by stdin, never on a command line', async () => {
    const seen: ExecRequest[] = [];
    const { remote } = fixture((_verb, request) => {
      seen.push(request);
      return {};
    });
    const result = await remote.exec('echo secret', { signal, outputLimitBytes: 10, timeoutMs: 1_000 });
    assert.equal(seen[0]?.command, textLauncher);
    assert.equal(seen[0].stdin, 'echo secret');
    assert.equal(seen[0].outputLimitBytes, 10);
    assert.equal(result.truncatedBytes, 3);
  });
});
