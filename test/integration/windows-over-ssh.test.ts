// The Windows scripts over SSH: a real sshd whose commands run on a simulated Windows host, as Win32-OpenSSH would.
import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { loginName, noSshd, Sshd } from '../support/sshd.ts';
import { monthOfUpdates } from '../support/windows/defaults.ts';
import { skipWithoutDotnet } from '../support/windows/engine.ts';
import { createWindowsHost, type WindowsHost } from '../support/windows/host.ts';
import { Rig } from './rig.ts';

const playbook = `
kind: patch
version: 1
name: month
targets: { select: all }
policy: { exclude: [{ packages: [KB5065432] }] }
verify: { retries: 0 }
`;

/** A command that runs in the environment of the host, where `powershell.exe` is a plain name. */
async function entryTo(host: WindowsHost, rig: Rig): Promise<string> {
  const powershell = join(host.directory, 'c/Windows/System32/WindowsPowerShell/v1.0');
  const variables = { ...host.environment, PATH: `${powershell}:${process.env['PATH'] ?? ''}` };
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'\n`);
  const entry = await rig.write('entry', `#!/bin/sh\n${exports.join('')}exec sh -c "$SSH_ORIGINAL_COMMAND"\n`);
  await chmod(entry, 0o755);
  return entry;
}

test(
  'a Windows host that is reached by SSH is scanned, patched by a task of SYSTEM and verified',
  { skip: noSshd === false ? skipWithoutDotnet : noSshd },
  async () => {
    await using rig = await Rig.make();
    await using host = createWindowsHost({ model: { updates: monthOfUpdates() } });
    await using sshd = await Sshd.start({ config: [`ForceCommand ${await entryTo(host, rig)}`] });
    const vars = {
      ansible_host: '127.0.0.1',
      ansible_port: sshd.port,
      ansible_user: loginName,
      ansible_ssh_private_key_file: sshd.clientKey.file,
      ansible_ssh_common_args: sshd.arguments().join(' '),
      ansible_shell_type: 'powershell',
    };
    await rig.write('inventory.yaml', stringify({ all: { vars, hosts: { win01: null } } }));
    const ended = await rig.run(['patch', await rig.write('playbook.yaml', playbook), '--yes']);
    assert.equal(ended.code, 0, `${ended.stdout}${ended.stderr}`);
    assert.match(ended.stderr, /\[win01\] verified: everything planned is installed/);
    const { history, updates, tasks } = host.model();
    const installed = history.map(({ updateId }) => updates.find(({ id }) => id === updateId)?.kb[0] ?? '');
    assert.deepEqual(installed.toSorted(), ['5065111', '890830']);
    assert.deepEqual(Object.keys(tasks), ['fettle-scan']);
    const said = await rig.run(['exec', '--', '1 + 1; exit 3']);
    assert.match(said.stdout, /exit 3[^]*2/);
  },
);
