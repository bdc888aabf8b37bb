// A different secret goes into every way in; none may come out of any way out.
import assert from 'node:assert/strict';
import { chmod, readdir, readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { cli } from '../support/cli.ts';
import { Terminal } from '../support/terminal.ts';
import { Rig } from './rig.ts';

const planted = {
  inventoryPassword: 'planted-inventory-password',
  inventoryUrl: 'planted-inventory-url',
  inventoryCommunity: 'planted-inventory-community',
  neighbour: 'planted-group-vars',
  pair: 'planted-extra-pair',
  json: 'planted-extra-json',
  yaml: 'planted-extra-yaml',
  file: 'planted-extra-file',
  nested: 'planted-extra-nested',
  url: 'planted-extra-url',
  environment: 'planted-environment',
  passwordFile: 'planted-password-file',
  passwordProgram: 'planted-password-program',
  prompt: 'planted-prompt',
  reason: 'planted-reason',
  exec: 'planted-exec',
  execUrl: 'planted-exec-url',
  hook: 'planted-hook',
  hookUrl: 'planted-hook-url',
};

const extraVars = [
  ...['-e', `ansible_ssh_pass=${planted.pair}`],
  ...['-e', `{"ansible_winrm_pass": "${planted.json}", "app": {"api_token": "${planted.nested}"}}`],
  ...['-e', `{vault_x: ${planted.yaml}}`],
  ...['-e', '@vars.yaml'],
  ...['-e', `proxy=http://user:${planted.url}@proxy:3128`],
];

describe('planted secrets', () => {
  let rig: Rig;
  /** What was printed, by command. */
  const printed = new Map<string, string>();

  before(async () => {
    rig = await Rig.make();
    await rig.write(
      'i.yaml',
      `all:
  vars:
    ansible_connection: local
    ansible_become_password: ${planted.inventoryPassword}
    proxy_url: https://user:${planted.inventoryUrl}@proxy/
    snmp_community: ${planted.inventoryCommunity}
  hosts: {here: {}}
`,
    );
    await rig.write('vars.yaml', `app_secret: ${planted.file}\n`);
    await rig.write('password', `${planted.passwordFile}\n`);
    await chmod(rig.path('password'), 0o600);
    await rig.write('program', `#!/bin/sh\necho ${planted.passwordProgram}\n`);
    await chmod(rig.path('program'), 0o700);
  });
  after(() => rig[Symbol.asyncDispose]());

  async function keep(argv: readonly string[], code?: number): Promise<string> {
    const env = { FETTLE_EXTRA_VARS: `service_password=${planted.environment}` };
    const ended = await rig.run(argv, argv.includes('-e') ? {} : env);
    if (code !== undefined) assert.equal(ended.code, code, ended.stderr);
    const text = ended.stdout + ended.stderr;
    printed.set(argv.join(' ').replaceAll(/planted-[a-z-]+/g, '…'), text);
    return text;
  }

  function assertClean(text: string, where: string): void {
    for (const secret of Object.values(planted)) assert.ok(!text.includes(secret), `${where} holds ${secret}`);
  }

  test('are not printed by any command that takes them', async () => {
    const common = ['-i', 'i.yaml', ...extraVars];
    const files = ['--password-file', 'password', '--become-password-file', 'program'];
    const scanned = await keep(['scan', ...common, ...files, '--jsonl', '-vv', '--debug']);
    assert.match(scanned, /"run\.finished"/);
    await keep(['ping', '-i', 'i.yaml', '--json'], 0);
    await keep(['inventory', 'show', 'here', ...common, '--origin'], 0);
    await keep(['inventory', 'show', 'here', ...common, '--json'], 0);
    await keep(['inventory', 'lint', ...common, '--debug'], 0);
    const words = ['exec', ...common, '--reason', `new password: ${planted.reason}`, '-vv', '--debug'];
    await keep([...words, '--json', '--', 'true', '--password', planted.exec], 0);
    await keep([...words, '--', `exit 3; https://user:${planted.execUrl}@host/`], 4);
    for (const [command, text] of printed) assertClean(text, `what fettle ${command} prints`);
  });

  test('of a hook are refused before a plan could hold them, and not shown', async () => {
    const hooks = [
      `{name: a, remote: "deploy --token ${planted.hook}"}`,
      `{name: b, local: [curl, "https://user:${planted.hookUrl}@lb/drain"]}`,
    ];
    for (const hook of hooks) {
      await rig.write(
        'p.yaml',
        `kind: patch\nversion: 1\nname: p\ntargets: {select: all}\nhooks:\n  before_host:\n    - ${hook}\n`,
      );
      const said = await keep(['plan', 'p.yaml', '-i', 'i.yaml', '--debug'], 2);
      assert.match(said, /must not contain a secret/);
      assertClean(said, 'the refusal');
    }
  });

  test('of a prompt are not shown, not even when the person asks for it', async () => {
    await using terminal = new Terminal([process.execPath, cli, 'ping', '-i', 'i.yaml', '-k'], {
      cwd: rig.directory,
      env: { PATH: process.env['PATH'] ?? '', HOME: rig.directory, FETTLE_LEDGER: rig.path('ledger.db') },
    });
    await terminal.waitFor(/login password/);
    terminal.type(planted.prompt);
    // Ctrl-T is how prompts of this kind are asked to show what was typed.
    terminal.type('\u0014\r');
    assert.equal(await terminal.ended(), 0, terminal.shown);
    assertClean(terminal.shown, 'the terminal');
    assert.doesNotMatch(terminal.shown, /toggle/);
  });

  test('are in no event, no blob and no file of the ledger', async () => {
    const ledger = new Database(rig.path('ledger.db'), { readonly: true });
    const bodies = ledger.prepare('SELECT body FROM blob').all() as { body: Buffer }[];
    const envelopes = ledger.prepare('SELECT envelope FROM event').all() as { envelope: string }[];
    ledger.close();
    const started = envelopes.filter(({ envelope }) => envelope.includes('"run.started"'));
    assert.ok(started.length >= 3 && started.some(({ envelope }) => envelope.includes('***')));
    for (const { envelope } of envelopes) assertClean(envelope, 'an event');
    for (const { body } of bodies) assertClean(zstdDecompressSync(body).toString('latin1'), 'a blob');
    const files = (await readdir(rig.directory)).filter((name) => name.startsWith('ledger.db'));
    assert.ok(files.length > 0);
    for (const name of files) assertClean(await readFile(rig.path(name), 'latin1'), name);
  });

  test('on the command line are answered with a better way', () => {
    const said = [...printed.values()].find((text) => text.includes('process list')) ?? '';
    assert.match(said, /every user of this machine can read ansible_ssh_pass [\s\S]*--password-file/);
  });
});
