// What every transport's session must do, run against each of them.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FettleError, type ErrorCode } from '../../src/domain/error.ts';
import type { Dialogue, Session } from '../../src/transport/session.ts';
import { eventually } from '../support/eventually.ts';

export interface ContractRig extends AsyncDisposable {
  readonly session: Session;
  /** Breaks the connection under a running command. */
  readonly cut: () => void | Promise<void>;
}

export interface ContractOptions {
  readonly skip: string | false;
  readonly rig: () => Promise<ContractRig>;
  /** False where commands end with numbers only. Default true. */
  readonly hasSignals?: boolean;
}

export function sessionContract(name: string, { skip, rig, hasSignals = true }: ContractOptions): void {
  describe(`the session contract, ${name}`, { skip }, () => {
    if (hasSignals) describeSignals(rig);
    describeResults(rig);
    describeStreams(rig);
    describeEnds(rig);
  });
}

export function rejectsWith(work: Promise<unknown>, code: ErrorCode, words: RegExp): Promise<void> {
  return assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof FettleError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    return true;
  });
}

type MakeRig = ContractOptions['rig'];

function describeSignals(rig: MakeRig): void {
  test('a command that a signal ended has no exit code and names the signal', async () => {
    await using made = await rig();
    const result = await made.session.exec({ command: 'kill -TERM $$' });
    assert.equal(result.exitCode, null);
    assert.equal(result.signal, 'SIGTERM');
  });
}

function describeResults(rig: MakeRig): void {
  test('a non-zero exit is a result', async () => {
    await using made = await rig();
    const result = await made.session.exec({ command: 'echo out; echo err >&2; exit 7' });
    assert.equal(result.exitCode, 7);
    assert.equal(result.stdout.toString(), 'out\n');
    assert.equal(result.stderr.toString(), 'err\n');
    assert.equal(result.signal, undefined);
  });

  test('commands that end at once are never taken for lost', async () => {
    await using made = await rig();
    for (let round = 0; round < 30; round += 1) {
      assert.equal((await made.session.exec({ command: 'exit 3' })).exitCode, 3);
    }
  });

  test('more commands than the host allows at once all get their turn', async () => {
    await using made = await rig();
    const numbers = Array.from({ length: 25 }, (_, index) => index);
    const results = await Promise.all(
      numbers.map((number) => made.session.exec({ command: 'cat; sleep 0.05', stdin: `${number}` })),
    );
    assert.deepEqual(
      results.map((result) => Number(result.stdout.toString())),
      numbers,
    );
  });
}

function describeStreams(rig: MakeRig): void {
  test('stdin is read to its end, and is empty where nothing is given', async () => {
    await using made = await rig();
    const counted = await made.session.exec({ command: 'wc -c', stdin: 'x'.repeat(100_000) });
    assert.equal(counted.stdout.toString().trim(), '100000');
    assert.equal((await made.session.exec({ command: 'wc -c' })).stdout.toString().trim(), '0');
  });

  test('5 MB of any bytes go there and come back unchanged', async () => {
    await using made = await rig();
    const bytes = randomBytes(5_000_000);
    const result = await made.session.exec({ command: 'cat', stdin: bytes });
    assert.equal(digest(result.stdout), digest(bytes));
  });

  test('a command that does not read its stdin is no error', async () => {
    await using made = await rig();
    const result = await made.session.exec({ command: 'exec <&-; exit 4', stdin: randomBytes(3_000_000) });
    assert.equal(result.exitCode, 4);
  });

  test('output past the cap is dropped and counted, for each stream', async () => {
    await using made = await rig();
    const seen = { stdout: 0, stderr: 0 };
    const result = await made.session.exec({
      command: 'head -c 100000 /dev/zero; head -c 50000 /dev/zero >&2',
      outputLimitBytes: 1_000,
      onStdout: (chunk) => {
        seen.stdout += chunk.length;
      },
      onStderr: (chunk) => {
        seen.stderr += chunk.length;
      },
    });
    assert.deepEqual([result.stdout.length, result.stdoutTruncatedBytes], [1_000, 99_000]);
    assert.deepEqual([result.stderr.length, result.stderrTruncatedBytes], [1_000, 49_000]);
    assert.deepEqual(seen, { stdout: 100_000, stderr: 50_000 });
  });

  test('a flood on stderr that nobody reads does not hold stdout up', async () => {
    await using made = await rig();
    const command = 'head -c 20000000 /dev/zero >&2; echo done';
    const result = await made.session.exec({ command, outputLimitBytes: 100 });
    assert.equal(result.stdout.toString(), 'done\n');
    assert.equal(result.stderrTruncatedBytes, 20_000_000 - 100);
  });

  test('a slow reader holds the host back', async () => {
    await using made = await rig();
    const dir = mkdtempSync(join(tmpdir(), 'fettle-held-'));
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const command = 'IFS= read -r mark; head -c 40000000 /dev/zero; : >"$mark"';
    const mark = join(dir, 'through');
    const running = made.session.exec({
      command,
      stdin: `${mark}\n`,
      outputLimitBytes: 10,
      onStdout: () => {
        begin();
        return held;
      },
    });
    await begun;
    const look = 'IFS= read -r mark; sleep 0.1; test -e "$mark"';
    for (let round = 0; round < 3; round += 1) {
      assert.equal((await made.session.exec({ command: look, stdin: `${mark}\n` })).exitCode, 1);
    }
    release();
    assert.equal((await running).stdoutTruncatedBytes, 40_000_000 - 10);
    assert.equal((await made.session.exec({ command: look, stdin: `${mark}\n` })).exitCode, 0);
    rmSync(dir, { recursive: true });
  });

  test('an error thrown by the reader ends the command with that error', async () => {
    await using made = await rig();
    const onStdout = async (): Promise<void> => Promise.reject(new Error('the reader is full'));
    await assert.rejects(made.session.exec({ command: 'echo x', onStdout }), /the reader is full/);
  });

  test('a dialogue holds stdin back until it is finished, and what it recognised is no output', async () => {
    await using made = await rig();
    const live: Buffer[] = [];
    const result = await made.session.exec({
      command: 'printf %s "name? " >&2; read name; echo "ready" >&2; echo "after $name" >&2; cat',
      stdin: 'the rest',
      dialogue: askName(),
      outputLimitBytes: 12,
      onStderr: (chunk) => void live.push(Buffer.from(chunk)),
    });
    assert.equal(result.stdout.toString(), 'the rest');
    assert.equal(result.stderr.toString(), 'after web01\n');
    assert.equal(Buffer.concat(live).toString(), 'after web01\n');
  });

  test('a dialogue that is not through in its time ends with the name of the limit', async () => {
    await using made = await rig();
    const dialogue: Dialogue = { limitMs: 50, next: () => ({ kind: 'wait' }) };
    await rejectsWith(made.session.exec({ command: 'cat', dialogue }), 'timeout', /0\.05 s \(elevation limit\)/);
  });
}

function describeEnds(rig: MakeRig): void {
  test('a cancelled command ends as cancelled and leaves the session usable', async () => {
    await using made = await rig();
    const { abort, signal } = aborter();
    const running = made.session.exec({ command: 'echo here; sleep 5', signal, onStdout: () => abort() });
    await rejectsWith(running, 'cancelled', /was cancelled/);
    assert.equal(made.session.isAlive, true);
    assert.equal((await made.session.exec({ command: 'echo on' })).stdout.toString(), 'on\n');
  });

  test('a command that waits for its turn can be cancelled too', async () => {
    await using made = await rig();
    const busy = aborter();
    const running = Array.from({ length: 8 }, () => made.session.exec({ command: 'sleep 5', signal: busy.signal }));
    const ends = Promise.allSettled(running);
    const late = aborter();
    const waiting = made.session.exec({ command: 'sleep 5', signal: late.signal });
    late.abort();
    await rejectsWith(waiting, 'cancelled', /was cancelled/);
    busy.abort();
    assert.ok((await ends).every(({ status }) => status === 'rejected'));
  });

  test('a signal that was aborted before starts nothing', async () => {
    await using made = await rig();
    const signal = AbortSignal.abort(new FettleError('cancelled', 'let go'));
    await rejectsWith(made.session.exec({ command: 'true', signal }), 'cancelled', /^let go$/);
  });

  test('a command past its time ends as timeout, naming the limit', async () => {
    await using made = await rig();
    await rejectsWith(made.session.exec({ command: 'sleep 5', timeoutMs: 60 }), 'timeout', /limit of 0\.06 s/);
    assert.equal(made.session.isAlive, true);
  });

  test('a connection that breaks under a command makes it lost, and the session dead', async () => {
    await using made = await rig();
    const running = made.session.exec({ command: 'echo here; sleep 5', onStdout: () => made.cut() });
    await rejectsWith(running, 'lost', /./);
    assert.equal(made.session.isAlive, false);
    await rejectsWith(made.session.exec({ command: 'true' }), 'lost', /./);
  });

  test('closing ends what runs as lost and leaves nothing open', async () => {
    const before = openThings();
    {
      await using made = await rig();
      await made.session.exec({ command: 'true' });
      const running = made.session.exec({ command: 'sleep 5' });
      const end = rejectsWith(running, 'lost', /closed/);
      await made.session[Symbol.asyncDispose]();
      await end;
      await made.session[Symbol.asyncDispose]();
    }
    await eventually(() => openThings() <= before, 'sockets, processes and timers are gone');
  });
}

function askName(): Dialogue {
  let isTold = false;
  return {
    next: (stderr) => {
      const ready = stderr.indexOf('ready\n');
      if (ready >= 0) return { kind: 'go', consumed: ready + 'ready\n'.length };
      if (isTold || !stderr.includes('name? ')) return { kind: 'wait' };
      isTold = true;
      return { kind: 'send', bytes: Buffer.from('web01\n'), consumed: stderr.length };
    },
  };
}

function aborter(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function openThings(): number {
  const counted = /TCPSocket|Process|Pipe|Timeout/;
  return process.getActiveResourcesInfo().filter((name) => counted.test(name)).length;
}
