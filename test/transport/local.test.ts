import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CredentialGuard } from '../../src/transport/credential-guard.ts';
import { localTransport } from '../../src/transport/local.ts';
import { sessionContract } from '../contract/session.ts';
import { sshHost } from '../support/sshd.ts';

const environment = { env: process.env, credentials: new CredentialGuard() };

sessionContract('local', {
  skip: false,
  rig: async () => {
    const session = await localTransport(environment).open(sshHost('here', { transport: 'local' }), {});
    const close = async (): Promise<void> => session[Symbol.asyncDispose]();
    return { session, cut: close, [Symbol.asyncDispose]: close };
  },
});

test('a local command has a process group of its own, so that Ctrl-C does not reach it', async () => {
  await using session = await localTransport(environment).open(sshHost('here'), {});
  const { stdout } = await session.exec({ command: 'echo $$; ps -o pgid= -p $$' });
  const [pid, group] = stdout.toString().split('\n').map(Number);
  assert.equal(group, pid);
});

test('a local command finds the environment that was handed in and nothing else', async () => {
  const env = { PATH: process.env['PATH'], GREETING: 'hello' };
  await using session = await localTransport({ ...environment, env }).open(sshHost('here'), {});
  const { stdout } = await session.exec({ command: 'echo "$GREETING ${HOME-unset}"' });
  assert.equal(stdout.toString(), 'hello unset\n');
});
