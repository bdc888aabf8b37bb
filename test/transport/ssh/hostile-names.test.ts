// Values of an inventory must not become commands of the controller; OpenSSH refuses them too (CVE-2023-51385).
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Connection } from '../../../src/domain/host.ts';
import { openTransports } from '../../../src/transport/registry.ts';
import { rejectsWith } from '../../contract/session.ts';
import { sshHost } from '../../support/sshd.ts';

describe('a value of the inventory', () => {
  const dir = mkdtempSync(join(tmpdir(), 'fettle-names-'));
  const mark = join(dir, 'touched');
  after(() => rmSync(dir, { recursive: true, force: true }));

  const configFile = (text: string): string => {
    const file = join(dir, 'config');
    writeFileSync(file, text);
    return file;
  };

  async function open(name: string, config: string, overrides: Partial<Connection>): Promise<void> {
    await using transports = openTransports({ env: process.env, homeDir: dir, userName: 'tester' });
    const { sshArguments = [], ...rest } = overrides;
    const words = ['-F', configFile(config), ...sshArguments];
    const host = sshHost(name, { hostKeyPolicy: 'off', sshArguments: words, ...rest });
    await transports.get('ssh')?.open(host, {});
  }

  const proxied = 'Host *\n  ProxyCommand nc %h %p %r\n';
  const touch = `$(touch ${mark})`;
  const cases: readonly [title: string, config: string, overrides: Partial<Connection>][] = [
    ['an address', proxied, { address: touch }],
    ['an address with a redirection', proxied, { address: `a|touch<x>${mark}` }],
    ['a user', proxied, { user: touch }],
    ['a user of the ssh arguments', proxied, { sshArguments: ['-l', touch] }],
    ['a host name of the ssh arguments', proxied, { sshArguments: ['-o', `HostName=${touch}`] }],
    ['a port of the ssh arguments', proxied, { sshArguments: ['-o', `Port=22;touch ${mark}`] }],
    ['a jump host', 'Host *\n', { sshArguments: ['-J', touch] }],
    ['a user that a shell would take apart', proxied, { user: 'DOM\\user' }],
    ['an address in Match exec', `Match exec "echo %h"\n  User x\n`, { address: touch }],
    ['a user in Match exec', `Match exec "echo %r"\n  Port 3\n`, { user: touch }],
    ['an option as address', 'Host *\n', { address: '-oProxyCommand=id' }],
    ['an option as user', proxied, { user: '-oProxyCommand=id' }],
  ];
  for (const [title, config, overrides] of cases) {
    test(`never runs: ${title}`, async () => {
      await rejectsWith(open('web01', config, overrides), 'config', /./);
      assert.equal(existsSync(mark), false);
    });
  }

  test('never leaves the directory of the keys', async () => {
    const opening = open('web01', 'Host *\n  IdentityFile ~/.ssh/%r\n', { user: '../../etc/shadow' });
    await rejectsWith(opening, 'config', /would put "\.\.\/\.\.\/etc\/shadow" in place of %r/);
  });

  test('a token that is not supported is refused by name, not handed on', async () => {
    const opening = open('web01', 'Host *\n  IdentityFile ~/.ssh/%C\n', {});
    await rejectsWith(opening, 'config', /has the token %C, which fettle does not support/);
  });

  test('a host key alias that stands for many hosts is refused', async () => {
    const opening = open('web01', 'Host *\n', { sshArguments: ['-o', 'HostKeyAlias=*'] });
    await rejectsWith(opening, 'config', /hostkeyalias "\*" for .* holds the character "\*"/);
  });
});
