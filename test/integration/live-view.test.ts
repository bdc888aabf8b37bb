// The live view on a real pseudo-terminal, as a person sees it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import { test } from 'node:test';
import { cli } from '../support/cli.ts';
import { Screen } from '../support/screen.ts';
import { Terminal } from '../support/terminal.ts';
import { Rig } from './rig.ts';

/** Runs a command on this machine until `act` is over; what stands on the screen then. */
async function watched(
  env: Readonly<Record<string, string>>,
  act: (terminal: Terminal) => Promise<void>,
): Promise<{ readonly shown: string; readonly lines: readonly string[] }> {
  await using rig = await Rig.make();
  await rig.write('i.yaml', 'all: {hosts: {here: {ansible_connection: local}}}\n');
  const gate = rig.path('gate');
  execFileSync('mkfifo', [gate]);
  const words = [process.execPath, cli, 'exec', '-i', 'i.yaml', '--', `cat '${gate}'`];
  await using terminal = new Terminal(words, {
    cwd: rig.directory,
    env: { PATH: process.env['PATH'] ?? '', HOME: rig.directory, FETTLE_LEDGER: rig.path('ledger.db'), ...env },
  });
  await act(terminal);
  await (await open(gate, 'w')).close();
  assert.equal(await terminal.ended(), 0, terminal.shown);
  const screen = new Screen();
  screen.write(terminal.shown);
  return { shown: terminal.shown, lines: screen.lines() };
}

test('Enter and other keys typed during a run leave no stale line on the terminal', async () => {
  const { shown, lines } = await watched({}, async (terminal) => {
    await terminal.waitFor(/0\/1 done/);
    for (const [index, keys] of ['\r', '\r\r', 'ls\r'].entries()) {
      terminal.type(keys);
      const from = terminal.shown.length;
      await terminal.waitFor(new RegExp(`^[^]{${from}}[^]*0/1 done · ${index + 1}`));
    }
  });
  assert.match(shown, /0\/1 done/);
  assert.doesNotMatch(lines.join('\n'), /0\/1 done/, lines.join('\n'));
  assert.match(lines.join('\n'), /^exec: .*\n--- here \(1\)$/m);
});

test('a dumb terminal gets lines, and NO_COLOR a view without colours', async () => {
  const dumb = await watched({ TERM: 'dumb' }, (terminal) => terminal.waitFor(/./));
  assert.ok(!dumb.shown.includes('\u001b'), JSON.stringify(dumb.shown));
  const plain = await watched({ NO_COLOR: '1' }, (terminal) => terminal.waitFor(/0\/1 done/));
  assert.doesNotMatch(plain.shown, /\u001b\[[\d;]*m/);
});
