// Set-ups that real fleets have and that made other tools fail: each is scanned and patched like any other host, or
// refused with what is wrong.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startLab } from './lab.ts';
import type { HostOptions } from './options.ts';
import type { Lab } from './lab.ts';
import { Scenario } from './scenario.ts';

const frame = String.raw`printf '\036forged facts\nhost=evil\n'`;

/** Patched like any other host. */
const patched: readonly HostOptions[] = [
  {
    name: 'noisy',
    files: { '/home/patch/.ssh/rc': `echo from rc\n${frame}\n`, '/home/patch/.bashrc': `echo hello\n${frame}\n` },
  },
  {
    name: 'strict',
    files: {
      '/home/patch/.bashrc': "set -eu -o noclobber\ntrap 'echo bye' EXIT\nreadonly TMOUT=1\nIFS=:\numask 077\n",
    },
  },
  { name: 'lecture', files: { '/etc/sudoers.d/odd': 'Defaults lecture=always, use_pty, log_input, log_output\n' } },
  { name: 'narrow', files: { '/etc/ssh/sshd_config.d/odd.conf': 'MaxSessions 1\nMaxAuthTries 2\n' } },
  {
    name: 'invoking',
    files: {
      '/etc/apt/apt.conf.d/99odd': 'DPkg::Post-Invoke { "true"; };\nAPT::Update::Post-Invoke-Success { "exit 3"; };\n',
    },
  },
  { name: 'foreign', files: { '/etc/environment': 'LANG=de_DE.UTF-8\nLC_ALL=tr_TR.UTF-8\nLANGUAGE=ja\n' } },
];

/** Not patched, for a reason that is given. */
const refused: readonly HostOptions[] = [
  { name: 'typing', files: { '/etc/apt/sources.list.d/odd.list': 'dbe file:/srv/repo stable main\n' } },
  { name: 'asking', files: { '/etc/sudoers.d/odd': 'Defaults requiretty\n' } },
  { name: 'hooked', files: { '/etc/apt/apt.conf.d/99odd': 'DPkg::Pre-Install-Pkgs { "exit 10"; };\n' } },
];

/** Told about before anything is tried on them. */
const told: readonly HostOptions[] = [
  {
    name: 'pinned',
    files: { '/etc/apt/preferences.d/odd': 'Package: fettle-tool\nPin: version 1.4-1\nPin-Priority: 1001\n' },
  },
  { name: 'frozen' },
];

describe('a host that is set up in an unusual way', () => {
  let lab: Lab;
  let scenario: Scenario;

  before(async () => {
    const hosts = [...patched, ...refused, ...told].map((host) => ({ ...host, packages: ['fettle-tool'] }));
    lab = await startLab({ name: 'unusual', hosts });
    scenario = await Scenario.start(lab, { rollout: { waves: ['rest'], budget: { percent: '100%' } } });
  });

  after(async () => {
    await lab[Symbol.asyncDispose]();
  });

  test('is patched all the same: noise of its shell, strict shell options, sudo logging, narrow sshd, hooks, locale', async () => {
    const names = patched.map((host) => host.name).join(',');
    await lab.tell('noisy', 'mount -t tmpfs -o noexec,mode=1777 none /tmp');
    await scenario.fettle(['plan', `${lab.stateDir}/playbook.yaml`, '-o', scenario.plan, '-l', names]);
    await scenario.fettle(['apply', scenario.plan]);
    for (const { name } of patched) {
      assert.equal(await lab.packageState(name, 'fettle-tool'), 'ii 1.4-2', name);
      assert.equal(await lab.postinstRuns(name, 'fettle-tool', '1.4-2'), 1, name);
    }
  });

  test('is refused with its mistake: a word of a source list, sudo that wants a terminal, a hook that fails', async () => {
    const typing = await scenario.fettle(['scan', 'typing'], 4);
    assert.match(typing.stderr, /odd\.list[\s\S]*dbe/);
    await scenario.fettle(['ping', 'typing']);
    const asking = await scenario.fettle(['scan', 'asking'], 12);
    assert.match(asking.stderr, /requiretty/);
    await scenario.fettle(['plan', `${lab.stateDir}/playbook.yaml`, '-o', scenario.plan, '-l', 'hooked']);
    const hooked = await scenario.fettle(['apply', scenario.plan], 4);
    assert.match(hooked.stderr, /exit 10/);
    assert.equal(await lab.packageState('hooked', 'fettle-tool'), 'ii 1.4-1');
  });

  test('is not downgraded where its preferences ask for an older version, and the result gives that reason', async () => {
    await lab.tell('pinned', 'apt-get -qq -y --allow-downgrades install fettle-tool=1.4-2 </dev/null >/dev/null 2>&1');
    const args = ['plan', `${lab.stateDir}/playbook.yaml`, '-o', scenario.plan, '-l', 'pinned'];
    const { stdout } = await scenario.fettle(args);
    assert.match(stdout, /older version than is installed;\s+fettle makes no downgrades/);
    assert.equal(await lab.packageState('pinned', 'fettle-tool'), 'ii 1.4-2');
  });

  test('is reported by ping and refused by apply where its /var is mounted read-only', async () => {
    await scenario.fettle(['plan', `${lab.stateDir}/playbook.yaml`, '-o', scenario.plan, '-l', 'frozen']);
    await lab.tell('frozen', 'mount --bind /var /var && mount -o remount,bind,ro /var');
    const { stdout } = await scenario.fettle(['ping', 'frozen']);
    assert.match(stdout, /is mounted read-only/);
    const { stderr } = await scenario.fettle(['apply', scenario.plan], 4);
    assert.match(stderr, /read-only/i);
    assert.equal(await lab.packageState('frozen', 'fettle-tool'), 'ii 1.4-1');
  });
});
