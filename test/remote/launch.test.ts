import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseFrame } from '../../src/remote/frame.ts';
import { encodeRequest, launcher, runScript, toOctal } from '../../src/remote/launch.ts';
import type { RemoteScript, ScriptRequest } from '../../src/remote/script.ts';
import { jobScript, probeScript, scriptFile } from '../../src/remote/scripts.ts';
import { ShellSession, shellIsMissing } from '../support/shell-session.ts';

const shells = ['dash', 'busybox'] as const;

/** The first part of every script, and what the test asks of it. */
function scriptWith(text: string): RemoteScript {
  const library = scriptFile('posix', 'lib.sh');
  return { name: 'test', text: `${library}\nbegin\n${text}\nend\n`, sha256: '', files: [] };
}

describe('a request', () => {
  test('is one line of words', () => {
    const request = {
      verb: 'simulate',
      fields: { wait: 3, list: 'a,b' },
      rows: [['libc6', 'amd64', '2:1.0~rc1+b2-3']],
    };
    assert.equal(encodeRequest(request, 'ab'), 'v1 ab simulate wait=3 list=a,b -- libc6,amd64,2:1.0~rc1+b2-3');
  });

  const evil = [
    '$(touch x)',
    '`touch x`',
    "';touch x;'",
    '"',
    'a b',
    'a\nb',
    'a\tb',
    '\\',
    '*',
    '?',
    '|',
    '&',
    '\0',
    'ä',
    '#',
    '!',
    '{a}',
    '%s',
  ];
  for (const value of evil) {
    test(`never carries ${JSON.stringify(value)}, in a row only as digits, and in a field not at all`, () => {
      assert.throws(() => encodeRequest({ verb: 'a', fields: { name: value } }, 'ab'), { code: 'config' });
      assert.match(encodeRequest({ verb: 'a', rows: [[value]] }, 'ab'), /^v1 ab a -- ([A-Za-z0-9%-]|=[0-7]{3})+$/);
      assert.throws(() => encodeRequest({ verb: value }, 'ab'), { code: 'config' });
      assert.throws(() => encodeRequest({ verb: 'a', fields: { [value]: 'x' } }, 'ab'), { code: 'config' });
    });
  }

  test('has no row that reads as the end of its fields, and no cell that reads as two', () => {
    for (const row of [['--'], ['']]) {
      assert.throws(() => encodeRequest({ verb: 'a', rows: [row] }, 'ab'), { code: 'config' });
    }
    assert.equal(encodeRequest({ verb: 'a', rows: [['a,b', 'c=d']] }, 'ab'), 'v1 ab a -- a=054b,c=075d');
  });

  test('shows nothing of its script on the command line', () => {
    assert.ok(launcher.length < 600);
    assert.doesNotMatch(launcher, /v1 |FETTLE ab/);
  });
});

for (const shell of shells) {
  const missing = shellIsMissing(shell);
  describe(`under ${shell}`, { skip: missing ?? false }, () => {
    async function ask(script: RemoteScript, request: ScriptRequest): Promise<ReadonlyMap<string, string>> {
      await using session = new ShellSession({ shell });
      return parseFrame((await runScript(session, script, request)).stdout);
    }

    test('a script gets the fields and rows of its request and nothing of standard input', async () => {
      const script = scriptWith(
        'section seen\nfield one; echo; field none other; echo; echo "$rows"\nsection rest\ncat',
      );
      const sections = await ask(script, { verb: 'summary', fields: { one: 'a,b' }, rows: [['x', 'y'], ['z']] });
      assert.equal(sections.get('seen'), 'a,b\nother\nx,y z\n');
      assert.equal(sections.get('rest'), '');
    });

    test('any bytes arrive whole as octal digits', async () => {
      const bytes = String.fromCharCode(...Array.from({ length: 127 }, (_, index) => index + 1));
      const text = `${bytes}$(touch x) \\n %s é ✓\n\n`;
      const script = scriptWith('section text\noctal "$(field text)" | od -An -v -to1 | tr -d " \\n"');
      assert.equal(
        (await ask(script, { verb: 'summary', fields: { text: toOctal(text) } })).get('text'),
        toOctal(text),
      );
    });

    test('any bytes of a cell arrive whole', async () => {
      const bytes = String.fromCharCode(...Array.from({ length: 127 }, (_, index) => index + 1));
      const cell = `${bytes}$(touch x) \\n %s é ✓ a,b =101`;
      const script = scriptWith('section cell\nunescaped "${rows%%,*}" | od -An -v -to1 | tr -d " \\n"');
      assert.equal((await ask(script, { verb: 'summary', rows: [[cell, 'x']] })).get('cell'), toOctal(cell));
    });

    const forged = [
      'v1 ab look --  $(touch owned)',
      'v1 ab look -- `touch owned`',
      'v1 ab look a=b;touch -- owned',
      "v1 ab look -- ';touch owned;'",
      'v1 ab look -- *',
      'v1 ab ../look --',
      'v1 A$B look --',
      'v1 ab look =x --',
      'v2 ab look --',
      'v1',
      '',
    ];
    for (const line of forged) {
      test(`a forged request ${JSON.stringify(line)} is refused by the script itself`, async () => {
        await using session = new ShellSession({ shell });
        const { exitCode, stdout, stderr } = await session.exec({
          command: launcher,
          stdin: `${line}\n${scriptWith('section seen\ncd "$HOME"\nfor word in $rows $fields; do echo "$word"; done').text}`,
        });
        assert.equal(exitCode, 64);
        assert.equal(stdout.toString(), '');
        assert.match(stderr.toString(), /^fettle: /);
        assert.ok(!existsSync(join(session.home, 'owned')));
      });
    }

    test('rows that name no package are refused before anything is asked', async () => {
      for (const [manager, ...row] of [
        ['apt', 'libc6', 'amd64'],
        ['apt', '../x', 'amd64', '1'],
        ['apt', 'x', 'amd64', '/1/'],
        ['apt', 'x', 'amd64', '1', '2'],
        ['apt', '-x', 'all', '1'],
        ['flatpak', 'org.x.App', 'x86_64/stable'],
        ['flatpak', 'org.x.App', 'x86_64', 'be069cac8152'],
        ['flatpak', 'org.x.App', 'x86_64/stable/more', 'be069cac8152'],
        ['flatpak', 'org.x.App', 'x86_64/-stable', 'be069cac8152'],
        ['flatpak', '-org.x.App', 'x86_64/stable', 'be069cac8152'],
        ['flatpak', 'org.x.App', 'x86_64/stable', 'be069cac815'],
        ['flatpak', 'org.x.App', 'x86_64/stable', 'BE069CAC8152'],
        ['flatpak', 'org.x.App', 'x86_64/stable', 'be069cac8152', 'x'],
      ] as const) {
        await assert.rejects(
          ask(probeScript(), { verb: 'simulate', managers: [manager], rows: [row] }),
          { code: 'command', message: /no package/ },
          row.join(),
        );
      }
    });

    test('an environment that is already set does not hand the request to every child', async () => {
      await using session = new ShellSession({
        shell,
        env: { FETTLE_REQUEST: 'old', FETTLE_SCRIPT: 'old', LC_ALL: 'tr_TR.UTF-8' },
      });
      const script = scriptWith('section seen\nenv | grep -E "^(FETTLE|LC_ALL)"');
      const { stdout } = await runScript(session, script, { verb: 'summary', fields: { secret: 'x' } });
      assert.equal(parseFrame(stdout).get('seen'), 'LC_ALL=C\n');
    });

    test('a script that fails is an error with its last words', async () => {
      await assert.rejects(ask(scriptWith('echo "no \x1b[31mway" >&2; exit 7'), { verb: 'summary' }), {
        code: 'command',
        message: /ended with status 7: no \ufffd\[31mway/,
      });
    });

    test('an answer under the mark of another request is not taken', async () => {
      const script = scriptWith('');
      const strange = { ...script, text: script.text.replace('\nbegin\n', '\nmark=other\nbegin\n') };
      await assert.rejects(ask(strange, { verb: 'summary' }), { code: 'parse', message: /no FETTLE frame found/ });
    });

    test('a scan whose reader goes away leaves nothing behind', async () => {
      await using session = new ShellSession({ shell });
      const request = encodeRequest({ verb: 'probe' }, 'ab');
      const command = `{ ${launcher}; } 2>/dev/null | head -c 100 >/dev/null`;
      await session.exec({ command, stdin: `${request}\n${probeScript().text}` });
      assert.deepEqual(readdirSync(session.home), ['bin']);
    });
  });
}

describe('the scripts', () => {
  test('are the same text for every call, and name it by its digest', () => {
    assert.equal(probeScript(), probeScript());
    assert.match(jobScript().sha256, /^[0-9a-f]{64}$/);
    assert.notEqual(jobScript().sha256, probeScript().sha256);
  });
});
