import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { readArguments } from '../../../src/transport/ssh/arguments.ts';
import { SshConfiguration, type SshQuery } from '../../../src/transport/ssh/configuration.ts';
import type { SshOptions } from '../../../src/transport/ssh/options.ts';
import { openTransports } from '../../../src/transport/registry.ts';
import { sshHost } from '../../support/sshd.ts';
import { rejectsWith } from '../../contract/session.ts';

const dir = mkdtempSync(join(tmpdir(), 'fettle-config-'));
after(() => rmSync(dir, { recursive: true }));
const home = join(dir, 'home');
mkdirSync(join(home, '.ssh'), { recursive: true });

const noSsh = hasSsh() ? false : 'there is no ssh program: install openssh-client';
let files = 0;

function hasSsh(): boolean {
  try {
    execFileSync('ssh', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function configFile(text: string): string {
  files += 1;
  const path = join(dir, `config-${files}`);
  writeFileSync(path, text);
  return path;
}

function configuration(env = process.env): SshConfiguration {
  return new SshConfiguration({ env, homeDir: home, userName: 'alice' });
}

interface Asked extends Partial<SshQuery> {
  readonly config?: string;
}

function ask(asked: Asked, by = configuration()): Promise<SshOptions> {
  const { config, ...query } = asked;
  const file = config === undefined ? ['-F', 'none'] : ['-F', configFile(config)];
  return by.options({ host: 'web01', ...query, arguments: [...file, ...(query.arguments ?? [])] });
}

describe('the way to a host', { skip: noSsh }, () => {
  async function route(config: string, address: string): Promise<readonly string[]> {
    await using transports = openTransports({ env: process.env, homeDir: home, userName: 'alice' });
    const host = sshHost(address, { address, sshArguments: ['-F', configFile(config)] });
    return (await transports.get('ssh')?.route?.(host)) ?? assert.fail('ssh knows its way');
  }

  test('leads through the jump hosts of the configuration, and through theirs', async () => {
    const config = `Host web*
  ProxyJump me@jump2:2222
Host jump2
  HostName 192.0.2.2
  ProxyJump jump1
Host old
  ProxyCommand ssh -W %h:%p gate
`;
    assert.deepEqual(await route(config, 'web01'), ['jump1', 'jump2', '192.0.2.2']);
    assert.deepEqual(await route(config, 'jump2'), ['jump1']);
    assert.deepEqual(await route(config, 'old'), ['gate']);
    assert.deepEqual(await route(config, 'direct'), []);
  });

  test('ends where jump hosts lead through each other', async () => {
    const config = 'Host web01\n  ProxyJump b\nHost a\n  ProxyJump b\nHost b\n  ProxyJump a\n';
    assert.deepEqual(await route(config, 'web01'), ['a', 'b']);
  });
});

describe('the options of a host', { skip: noSsh }, () => {
  test('the configuration is obeyed', async () => {
    const options = await ask({
      config: `Host web*
  HostName %h.example.com
  Port 2222
  User deploy
  IdentityFile ~/.ssh/web
  IdentitiesOnly yes
  ProxyJump jump1,bob@jump2:2022
  UserKnownHostsFile /etc/known_one /etc/known_two
  StrictHostKeyChecking accept-new
  HostKeyAlias webs
  ConnectTimeout 7
  ServerAliveInterval 5
  ServerAliveCountMax 2
  AddressFamily inet
  HashKnownHosts yes
  PreferredAuthentications password,publickey
  CertificateFile ~/.ssh/web-cert.pub
`,
    });
    assert.equal(options.hostName, 'web01.example.com');
    assert.equal(options.port, 2222);
    assert.equal(options.user, 'deploy');
    assert.deepEqual(options.identityFiles, [join(home, '.ssh/web')]);
    assert.equal(options.identitiesOnly, true);
    assert.deepEqual(options.proxyJump, ['jump1', 'bob@jump2:2022']);
    assert.deepEqual(options.userKnownHosts, ['/etc/known_one', '/etc/known_two']);
    assert.equal(options.strictHostKeyChecking, 'accept-new');
    assert.equal(options.hostKeyAlias, 'webs');
    assert.deepEqual([options.connectMs, options.idleMs, options.family], [7_000, 10_000, 4]);
    assert.equal(options.hashesKnownHosts, true);
    assert.deepEqual(options.methods, ['password', 'publickey']);
    assert.match(options.beyondUs.join(), /the certificate .*web-cert\.pub/);
  });

  test('the inventory beats the file, and its own port and user beat its ssh arguments', async () => {
    const config = 'Host *\n  Port 1\n  User file\n  IdentityFile /file\n  ProxyJump filejump\n';
    const byArguments = await ask({ config, arguments: ['-p2', '-l', 'args', '-i', '/args', '-J', 'argjump'] });
    assert.deepEqual([byArguments.port, byArguments.user], [2, 'args']);
    assert.deepEqual(byArguments.identityFiles, ['/args', '/file']);
    assert.deepEqual(byArguments.proxyJump, ['argjump']);
    const own = await ask({ config, port: 3, user: 'own', arguments: ['-o', 'Port=2', '-o', 'User args'] });
    assert.deepEqual([own.port, own.user], [3, 'own']);
  });

  test('tokens of paths and commands are put in for each host', async () => {
    const config = 'Host *\n  IdentityFile ~/.ssh/k_%h_%r\n  ProxyCommand nc -x proxy %h %p %%\n  User deploy\n';
    const by = configuration();
    const path = configFile(config);
    for (const host of ['web01', 'web02']) {
      const options = await by.options({ host, port: 2222, arguments: ['-F', path] });
      assert.deepEqual(options.identityFiles, [join(home, `.ssh/k_${host}_deploy`)]);
      assert.equal(options.proxyCommand, `nc -x proxy ${host} 2222 %`);
    }
    assert.equal(by.questions, 1);
  });

  test('ssh is asked once for each set of matching blocks, not once for each host', async () => {
    const path = configFile(`Host web* !web13
  User web
Host db?
  User db
Match host *9
  Port 99
Host jump
  HostName jump.example.com
Host *
  ServerAliveInterval 30
`);
    const by = configuration();
    const options = await Promise.all(
      Array.from({ length: 50 }, (_, index) => by.options({ host: `web${index}`, arguments: ['-F', path] })),
    );
    assert.deepEqual(
      options.map(({ hostName }) => hostName),
      Array.from({ length: 50 }, (_, index) => `web${index}`),
    );
    assert.notEqual(options[13]?.user, 'web');
    assert.deepEqual([options[12]?.user, options[12]?.port, options[19]?.port], ['web', 22, 99]);
    // web*, web* and *9, web13.
    assert.equal(by.questions, 3);
    const jump = await by.options({ host: 'jump', arguments: ['-F', path] });
    assert.equal(jump.hostName, 'jump.example.com');
    assert.equal(by.questions, 4);
  });

  test('users and ports of their own share one answer, unless a block or a token asks for them', async () => {
    const plain = configFile('Host *\n  ServerAliveInterval 30\n');
    const by = configuration();
    const logins = [
      { user: 'ann', port: 2201 },
      { user: 'bob', port: 2202 },
    ];
    const all = await Promise.all(
      logins.map((login) => by.options({ host: 'web1', ...login, arguments: ['-F', plain] })),
    );
    assert.deepEqual(
      all.map(({ user, port }) => ({ user, port })),
      logins,
    );
    assert.equal(by.questions, 1);
    const matching = configFile('Match user ann\n  UserKnownHostsFile /a\nMatch all\n  UserKnownHostsFile /b/%r\n');
    const own = await Promise.all(
      logins.map((login) => by.options({ host: 'web1', ...login, arguments: ['-F', matching] })),
    );
    assert.deepEqual(
      own.map(({ userKnownHosts }) => userKnownHosts),
      [['/a'], ['/b/bob']],
    );
    assert.equal(by.questions, 3);
  });

  test('hosts whose own name decides are asked for one by one', async () => {
    for (const config of ['Host *\n  HostName %h.example.com\n', 'Match exec "test %h = web01"\n  Port 7\n']) {
      const path = configFile(config);
      const by = configuration();
      const both = await Promise.all(['web01', 'web02'].map((host) => by.options({ host, arguments: ['-F', path] })));
      assert.equal(by.questions, 2);
      assert.notDeepEqual(both[0]?.hostName === 'web01' ? both[0].port : both[0]?.hostName, both[1]?.hostName);
    }
  });

  test('blocks of included files count, and the block around the Include goes on after it', async () => {
    const included = configFile('Host db*\n  User db\n');
    const path = configFile(`Host web*\n  Include ${included}\n  HostName %h.example.com\nHost *\n  Port 7\n`);
    const by = configuration();
    const web = await by.options({ host: 'web01', arguments: ['-F', path] });
    const web2 = await by.options({ host: 'web02', arguments: ['-F', path] });
    const other = await by.options({ host: 'mail', arguments: ['-F', path] });
    assert.deepEqual([web.hostName, web2.hostName], ['web01.example.com', 'web02.example.com']);
    assert.deepEqual([other.hostName, other.port], ['mail', 7]);
  });

  test('what ssh itself does not understand in the file is a config error in its words', async () => {
    const asked = ask({ config: 'Host *\n  NoSuchOption yes\n' });
    await rejectsWith(asked, 'config', /ssh rejects the options for web01: .*nosuchoption/is);
  });
});

describe('without an ssh program', () => {
  const env = { PATH: join(dir, 'empty') };

  test('the same options come from the user’s file and the arguments', async () => {
    const config = 'Host web*\n  User deploy\n  IdentityFile ~/.ssh/web\n  Port 2222\n  ProxyJump jump\n';
    const options = await ask({ config, arguments: ['-p', '7'] }, configuration(env));
    assert.deepEqual([options.hostName, options.port, options.user], ['web01', 7, 'deploy']);
    assert.deepEqual(options.identityFiles, [join(home, '.ssh/web')]);
    assert.deepEqual(options.proxyJump, ['jump']);
  });

  test('OpenSSH’s defaults apply where nothing is set', async () => {
    const options = await ask({}, configuration(env));
    assert.deepEqual([options.port, options.user], [22, 'alice']);
    assert.ok(options.identityFiles.includes(join(home, '.ssh/id_ed25519')));
    assert.equal(options.userKnownHosts[0], join(home, '.ssh/known_hosts'));
    assert.equal(options.globalKnownHosts[0], '/etc/ssh/ssh_known_hosts');
  });
});

describe('ssh arguments of an inventory', () => {
  test('what Ansible adds by default and what people copy has no effect and is no error', () => {
    const words = ['-C', '-o', 'ControlMaster=auto', '-o', 'ControlPersist=60s', '-oControlPath=~/.cm-%r@%h', '-vvv'];
    const more = ['-tt', '-q', '-o', 'BatchMode yes', '-oGSSAPIAuthentication=no', '-S', 'none', '-A'];
    assert.deepEqual(readArguments([...words, ...more], 'web01'), { configFile: undefined, options: [] });
  });

  test('flags read as the options they stand for', () => {
    const words = ['-F', '/etc/own', '-p', '2222', '-lbob', '-J', 'jump', '-4', '-o', 'ProxyCommand = nc %h %p'];
    assert.deepEqual(readArguments(words, 'web01'), {
      configFile: '/etc/own',
      options: [
        ['port', '2222'],
        ['user', 'bob'],
        ['proxyjump', 'jump'],
        ['addressfamily', 'inet'],
        ['proxycommand', 'nc %h %p'],
      ],
    });
  });

  for (const words of [
    ['-L', '80:a:80'],
    ['-o', 'Ciphersuite=aes128-ctr'],
    ['-o'],
    ['-p'],
    ['web02'],
    ['-W', 'a:1'],
    ['-'],
    [''],
  ]) {
    test(`${JSON.stringify(words)} is an error that names it`, async () => {
      const shown = (words[0] === '-o' ? words.join(' ') : (words[0] ?? '')).replace(/[.*+?^$()|[\]\\]/g, '\\$&');
      const work = Promise.resolve().then(() => readArguments(words, 'web01'));
      await rejectsWith(work, 'config', new RegExp(`the ssh argument ${shown}.* for web01 is not recognised`));
    });
  }
});
