import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FettleError } from '../../../src/domain/error.ts';
import { jsonList } from '../../../src/report/text/json.ts';
import { execJson, renderExec, renderLogs, type ExecAnswer } from '../../../src/report/tables/exec.ts';
import { fakeOutput, nasty, steering } from '../fake-output.ts';

function answer(name: string, stdout: string, exitCode = 0, stderr = ''): ExecAnswer {
  return { host: { name }, exitCode, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr), truncatedBytes: 0 };
}

const answers: readonly ExecAnswer[] = [
  answer('web03', 'broken\n', 3, 'why\n'),
  answer('web01', '6.1\n'),
  { host: { name: 'db' }, error: new FettleError('auth', 'db refused the key', { hint: 'check patch_user' }) },
  answer('web02', '6.1\n'),
  answer('web04', '6.6'),
];

test('equal output of several hosts is printed once, failures last', () => {
  assert.equal(
    renderExec(answers, { output: fakeOutput().output, raw: false }),
    '--- web[01-02] (2)\n6.1\n--- web04 (1)\n6.6\n--- web03 (1)  exit 3\nbroken\nstderr:\nwhy\n' +
      '--- db (1)  auth\ndb refused the key\nhint: check patch_user\n',
  );
});

test('output is neutralised unless raw was asked for, and on a terminal even then', () => {
  const evil = [answer('web01', nasty, 0, nasty)];
  const show = (isTty: boolean, raw: boolean): string =>
    Buffer.from(renderExec(evil, { output: fakeOutput({ isTty }).output, raw })).toString();
  assert.deepEqual(steering(show(false, false)), []);
  assert.deepEqual(steering(show(true, true)), []);
  assert.equal(show(false, true), nasty + nasty);
});

test('bytes that are no text come through raw as they are', () => {
  const bytes = Uint8Array.from([0, 255, 254, 10, 200]);
  const raw = renderExec([{ ...answer('a', ''), stdout: bytes }], {
    output: fakeOutput().output,
    raw: true,
  });
  assert.deepEqual(Buffer.from(raw), Buffer.from(bytes));
});

test('what was not kept is reported', () => {
  const cut = { ...answer('a', 'x'), truncatedBytes: 99 } as ExecAnswer;
  assert.match(
    String(renderExec([cut], { output: fakeOutput().output, raw: false })),
    /^… 99 more bytes were not kept$/m,
  );
});

test('JSON has one object a host with exit, streams and error', () => {
  const { hosts } = jsonList(execJson, answers, 'host,exitCode,error') as { hosts: unknown[] };
  assert.deepEqual(hosts[2], {
    host: 'db',
    exitCode: null,
    error: { code: 'auth', message: 'db refused the key', hint: 'check patch_user' },
  });
});

test('logs come step by step, neutralised, raw only into a pipe', () => {
  const row = {
    step: 'install',
    attempt: 1,
    startedMs: 0,
    ok: false,
    message: nasty,
    output: Buffer.from(`${nasty}\n`),
  };
  const text = String(renderLogs([row], { output: fakeOutput({ isTty: true }).output, raw: true }));
  assert.match(text, /^--- install {2}attempt 1 {2}1970-01-01 00:00 UTC {2}failed\n/);
  assert.deepEqual(steering(text), []);
  assert.equal(Buffer.from(renderLogs([row], { output: fakeOutput().output, raw: true })).toString(), `${nasty}\n`);
});
