import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownName } from '../../../src/commands/invocation/own-name.ts';

const checkout = {
  file: '/src/fettle/src/cli.ts',
  root: '/src/fettle',
  execPath: '/n/bin/node',
  cwd: '/src/fettle',
  env: {},
};

test('an installed package is typed by its name', () => {
  assert.equal(ownName({ ...checkout, file: '/usr/lib/fettle/dist/cli.js', cwd: '/root' }), 'fettle');
});

test('a source checkout is typed as its npm script in its own folder', () => {
  assert.equal(ownName(checkout), 'npm run fettle --');
  const env = { npm_lifecycle_event: 'start', INIT_CWD: '/src/fettle/playbooks' };
  assert.equal(ownName({ ...checkout, env }), 'npm run fettle --');
});

test('started by npm from another folder, npm gets the path of the checkout', () => {
  const env = { npm_lifecycle_event: 'start', INIT_CWD: '/root' };
  assert.equal(ownName({ ...checkout, env }), 'npm --prefix /src/fettle run fettle --');
});

test('started without npm in another folder, file names keep their meaning', () => {
  assert.equal(ownName({ ...checkout, cwd: '/src/fleet' }), '/n/bin/node ../fettle/src/cli.ts');
});
