import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOperator, type OperatorSources } from '../../../src/commands/invocation/operator.ts';

const passwd = 'root:x:0:0:root:/root:/bin/bash\nada:x:1000:1000:Ada,,,:/home/ada:/bin/bash\n';

function sources(given: Partial<OperatorSources>, loginUid?: string): OperatorSources {
  const files: Readonly<Record<string, string | undefined>> = {
    '/proc/self/loginuid': loginUid,
    '/etc/passwd': passwd,
  };
  const read = (path: string): string | undefined => files[path];
  return { env: {}, uid: 0, userName: 'root', controller: 'jump', pid: 7, read, ...given };
}

test('the login user is the one that the kernel kept, whatever SUDO_USER is', () => {
  const operator = readOperator(sources({ env: { SUDO_USER: 'alice' } }, '1000'));
  assert.deepEqual(operator, {
    user: 'root',
    loginUid: 1000,
    loginName: 'ada',
    sudoUser: 'alice',
    controller: 'jump',
    pid: 7,
  });
});

test('where nobody logged in, nobody is named but the user of the process', () => {
  for (const loginUid of ['4294967295\n', undefined, '', 'x']) {
    assert.deepEqual(readOperator(sources({}, loginUid)), { user: 'root', controller: 'jump', pid: 7 });
  }
});

test('a login without an account here keeps its number', () => {
  const operator = readOperator(sources({}, '70001'));
  assert.equal(operator.loginUid, 70_001);
  assert.equal(operator.loginName, undefined);
});

test('a user id without an account is named by its number, not by the environment', () => {
  const operator = readOperator(sources({ uid: 12_345, userName: undefined, env: { USER: 'alice' } }));
  assert.equal(operator.user, 'uid-12345');
});
