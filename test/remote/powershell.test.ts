import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { runText } from '../../src/remote/exec.ts';
import { parseFrame } from '../../src/remote/frame.ts';
import { encodeRequest, runScript } from '../../src/remote/launch.ts';
import { bootstrapCommand, decodeAnswer, encodePayload, runPowerShell } from '../../src/remote/powershell.ts';
import { textCommand } from '../../src/remote/powershell-text.ts';
import type { RemoteScript } from '../../src/remote/script.ts';
import { inPowerShell, jobScript, probeScript } from '../../src/remote/scripts.ts';
import type { ExecResult, Session } from '../../src/transport/session.ts';
import { skipWithoutDotnet } from '../support/windows/engine.ts';
import { createWindowsHost } from '../support/windows/host.ts';
import { WindowsSession } from '../support/windows/session.ts';

const request = { mark: 'ab12', line: 'v1 ab12 boot --' };
const [winrm, ssh] = [{ transport: 'winrm' }, { transport: 'ssh' }];

function scriptOf(text: string): RemoteScript {
  return { name: 'test', text: `param($RequestLine, $ScriptText)\n${text}`, sha256: '', files: [] };
}

/** The library and a frame around what the test asks of it. */
function scriptWith(text: string): RemoteScript {
  const [library = ''] = inPowerShell({ name: 'job' }).text.split('\n# JSON as we want it');
  const body = `$request = Read-Request $RequestLine\n$frame = New-Frame $request.Mark\n${text}\nComplete-Frame $frame\n`;
  return { name: 'test', text: `${library}\n${body}`, sha256: '', files: [] };
}

function answer(bytes: Buffer, mark = request.mark): string {
  const digest = createHash('sha256').update(bytes).digest('hex');
  return `<<FETTLE:${mark}:${bytes.length}:${digest}:${bytes.toString('base64')}\n>>\n`;
}

/** A host that says the same to everything. */
function sayer(stdout: string, over: Partial<ExecResult> = {}): Session {
  const result = { stdout: Buffer.from(stdout), stderr: Buffer.alloc(0), exitCode: 0, ...over };
  return {
    hostName: 'win01',
    transport: 'winrm',
    shell: 'powershell',
    isAlive: true,
    exec: () => Promise.resolve({ stdoutTruncatedBytes: 0, stderrTruncatedBytes: 0, ...result }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

describe('a script for PowerShell', () => {
  test('is started by a constant line that cmd takes: short, without quotes, expanding nothing but its path', () => {
    const line = bootstrapCommand(winrm);
    assert.ok(line.length < 8191 - 200, String(line.length));
    assert.match(
      line,
      /^%SystemRoot%\\System32\\WindowsPowerShell\\v1\.0\\powershell\.exe [A-Za-z -]+ -EncodedCommand [\w+/=]+$/,
    );
    assert.match(bootstrapCommand(ssh), /^powershell\.exe -NoProfile /);
  });

  test('is handed over as ASCII, with the digest of what it is', () => {
    const [head = '', body = '', rest] = encodePayload(scriptOf("'\u00e9'"), request).split('\n');
    const payload = gunzipSync(Buffer.from(body, 'base64'));
    assert.equal(head, `v1 ab12 ${createHash('sha256').update(payload).digest('hex')}`);
    assert.equal(payload.toString(), `${request.line}\n${scriptOf("'\u00e9'").text}`);
    assert.equal(rest, '');
  });

  test('has an answer only between the sentinels of its own mark, whatever is printed around them', () => {
    const frame = Buffer.from('\x1eFETTLE ab12 begin\n\n\x1eab12 end\n');
    const noise = `Welcome <<FETTLE:zz:1:${'0'.repeat(64)}:AA>>\r\n`;
    assert.deepEqual(decodeAnswer(Buffer.from(`${noise}${answer(frame)}bye`), 'ab12'), frame);
    assert.equal(decodeAnswer(Buffer.from(`${noise}nothing`), 'ab12'), undefined);
  });

  test('whose answer is cut off or altered is refused', () => {
    const whole = answer(Buffer.from('0123456789'.repeat(100)));
    for (const text of [whole.slice(0, -4), whole.replace('MDEy', 'MDEz'), whole.replace('MDEy', '')]) {
      assert.throws(() => decodeAnswer(Buffer.from(text), 'ab12'), { code: 'parse' });
    }
  });

  test('is never given an answer that carries another mark inside', async () => {
    const foreign = answer(Buffer.from('\x1eFETTLE zz begin\n\n\x1ezz end\n'));
    await assert.rejects(runPowerShell(sayer(foreign), scriptOf(''), request), { code: 'parse' });
  });

  test('that a host cannot run at all is reported with its reason and a remedy', async () => {
    const cases: readonly [string, object][] = [
      [
        '<<FETTLE-CANNOT:language:ConstrainedLanguage>>',
        { code: 'config', message: /ConstrainedLanguage mode/, hint: /AppLocker/ },
      ],
      ['<<FETTLE-CANNOT:version:4.0>>', { code: 'config', message: /PowerShell 4\.0/, hint: /5\.1/ }],
    ];
    for (const [stdout, error] of cases) {
      await assert.rejects(runPowerShell(sayer(stdout, { exitCode: 1 }), scriptOf(''), request), error);
    }
  });

  test('whose answer went down with a connection was lost, not refused', async () => {
    for (const stdout of ['', '<<FETTLE:ab12:9:']) {
      await assert.rejects(runPowerShell(sayer(stdout, { hasGap: true }), scriptOf(''), request), { code: 'lost' });
    }
  });

  test('that gives no answer is reported with the output of the host instead, decoded', async () => {
    const said = '#< CLIXML\r\n<Objs><S S="Error">no_x000D__x000A_memory</S></Objs>';
    await assert.rejects(runPowerShell(sayer('', { exitCode: 5, stderr: Buffer.from(said) }), scriptOf(''), request), {
      code: 'command',
      message: /status 5 and no answer: no memory$/,
    });
  });

  test('that ended because the host goes down is lost, not failed', async () => {
    const gone = sayer('', { exitCode: 0xc000_013a });
    await assert.rejects(runPowerShell(gone, scriptOf(''), request), { code: 'lost' });
    const problem =
      'phase run\ntype x\nhresult 0x8007045B\nid x\nposition x\nmessage A system shutdown is in progress.';
    const told = sayer(answer(Buffer.from(`\x1eFETTLE ab12 begin\n\n\x1eab12 problem\n${problem}\n\x1eab12 end\n`)));
    await assert.rejects(runPowerShell(told, scriptOf(''), request), { code: 'lost' });
  });

  test('exists for every script there is, under the same name', () => {
    for (const script of [probeScript(), jobScript()]) assert.equal(inPowerShell(script).name, script.name);
    assert.throws(() => inPowerShell({ name: 'other' }), RangeError);
  });
});

describe('a script in PowerShell', { skip: skipWithoutDotnet }, () => {
  test('gets the request line and its own text, and answers with any characters', async () => {
    await using host = createWindowsHost();
    const text =
      "Add-Section $frame 'line' $RequestLine\nAdd-Section $frame 'text' $ScriptText\nAdd-Section $frame 'odd' ([char]0x20ac + ' \u00e9 \u2028')";
    const script = scriptWith(text);
    const { stdout, exitCode } = await runPowerShell(new WindowsSession(host), script, request);
    const sections = parseFrame(stdout);
    assert.equal(exitCode, 0);
    assert.equal(sections.get('line'), request.line);
    assert.equal(sections.get('text'), script.text);
    assert.equal(sections.get('odd'), '\u20ac \u00e9 \u2028');
  });

  test('gets the cells of its rows as they were sent, whatever is in them', async () => {
    await using host = createWindowsHost();
    const rows = [
      ['a,b', '"c" and \'d\'', 'x^y_z', '\u00e9 \u20ac \u{1f600}', '$(calc) `n %PATH% ; | & < >', '=101'],
      ['plain', '', 'line\nend\t', '1.0-2+b~3'],
    ];
    const line = encodeRequest({ verb: 'boot', rows }, request.mark);
    assert.match(line, /^[A-Za-z0-9.+~:_@/,= -]+$/);
    const text = "foreach ($row in $request.Rows) { $at++; Add-Section $frame ('row' + $at) ($row -join '|') }";
    const { stdout } = await runPowerShell(new WindowsSession(host), scriptWith(`$at = 0\n${text}`), {
      ...request,
      line,
    });
    const sections = parseFrame(stdout);
    for (const [at, row] of rows.entries()) assert.equal(sections.get(`row${at + 1}`), row.join('|'));
  });

  test('refuses cells that are malformed, or that are no text', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    for (const cell of ['=', '=9', '=400', 'a=12', '=303']) {
      const line = `v1 ${request.mark} boot -- ${cell}`;
      await assert.rejects(runPowerShell(session, scriptWith(''), { ...request, line }), {
        code: 'command',
        message: /refuses the request: a cell of the request/,
      });
    }
  });

  test('answers with megabytes', async () => {
    await using host = createWindowsHost();
    const script = scriptWith("Add-Section $frame 'much' ('x' * 3000000)");
    const { stdout } = await runPowerShell(new WindowsSession(host), script, request);
    assert.equal(parseFrame(stdout).get('much')?.length, 3_000_000);
  });

  test('that fails is an error with its words, type and position', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    await assert.rejects(runPowerShell(session, scriptWith("[IO.File]::ReadAllText('/no/such')"), request), (error) => {
      assert.ok(error instanceof Error);
      const { code, message, details } = error as Error & { code?: string; details?: Record<string, string> };
      assert.equal(code, 'command');
      assert.match(message, /the test script failed on the host: .*such/);
      assert.match(details?.['type'] ?? '', /^System\.IO\.\w+NotFoundException$/);
      assert.match(details?.['hresult'] ?? '', /^0x8007000[23]$/);
      assert.match(details?.['position'] ?? '', /line \d+/);
      return true;
    });
    await assert.rejects(runPowerShell(session, scriptOf('if ('), request), {
      code: 'command',
      message: /test script failed/,
    });
    await assert.rejects(runPowerShell(session, scriptWith("Stop-WithProblem 'disk' 'no room'"), request), {
      code: 'disk',
      message: 'no room',
    });
  });

  test('that did not arrive whole does not run', async () => {
    await using host = createWindowsHost();
    const session = new WindowsSession(host);
    const stdin = encodePayload(scriptOf("'x'"), request);
    for (const sent of ['', stdin.slice(0, -20), stdin.replace(/ [0-9a-f]{64}/, ` ${'0'.repeat(64)}`)]) {
      const { stdout, exitCode } = await session.exec({ command: bootstrapCommand(session), stdin: sent });
      assert.equal(exitCode, 1);
      const frame = decodeAnswer(stdout, request.mark);
      assert.match(parseFrame(frame ?? Buffer.alloc(0)).get('problem') ?? '', /^phase read\n/);
    }
  });

  test('is refused in constrained language mode and under an old PowerShell, each with its reason', async () => {
    await using locked = createWindowsHost({ model: { languageMode: 'ConstrainedLanguage' } });
    await assert.rejects(runScript(new WindowsSession(locked), probeScript(), { verb: 'boot' }), {
      code: 'config',
      message: /ConstrainedLanguage/,
    });
    await using old = createWindowsHost({ model: { powershellVersion: '4.0' } });
    await assert.rejects(runScript(new WindowsSession(old), probeScript(), { verb: 'boot' }), {
      code: 'config',
      message: /PowerShell 4\.0/,
    });
  });

  const bad = [
    ['v2 ab12 boot --', /is malformed/],
    ['v1 AB boot --', /is malformed/],
    ['v1 ab12 bo0t --', /is malformed/],
    ['v1 ab12', /is malformed/],
    ['v1 ab12 boot X=1 --', /field/],
    ['v1 ab12 boot =1 --', /field/],
    ['v1 ab12 boot a=$(x) --', /characters/],
    ['v1 ab12 boot a=\u00e9 --', /characters/],
    ["v1 ab12 boot a=' --", /characters/],
    ['v1 ab12 boot a=1;b --', /characters/],
  ] as const;
  test('refuses a request that the controller would not have sent', async () => {
    await using host = createWindowsHost();
    const lines = bad.map(([line]) => `'${line.replaceAll("'", "''")}'`).join(', ');
    const text = `$said = foreach ($line in ${lines}) {
      try { [void](Read-Request $line); 'taken' } catch { $_.Exception.Data['fettle'] + ': ' + $_.Exception.Message }
    }
    Add-Section $frame 'said' ($said -join [char]10)`;
    const { stdout } = await runPowerShell(new WindowsSession(host), scriptWith(text), request);
    const said = parseFrame(stdout).get('said')?.split('\n') ?? [];
    assert.equal(said.length, bad.length);
    for (const [index, [line, message]] of bad.entries()) {
      assert.match(said[index] ?? '', /^bad-request: /, line);
      assert.match(said[index] ?? '', message, line);
    }
    const sent = { ...request, line: 'v2 ab12 boot --' };
    await assert.rejects(runPowerShell(new WindowsSession(host), scriptWith(''), sent), {
      code: 'command',
      message: /is malformed/,
    });
  });

  test('reads fields and rows as they were sent', async () => {
    await using host = createWindowsHost();
    const line = 'v1 ab12 start a_b=x=y,z empty= -- KB1,aaaa-bb,200 only --';
    const text = `Add-Section $frame 'a' (Get-Field $request 'a_b' '')
Add-Section $frame 'b' ((Get-Field $request 'empty' 'none') + (Get-Field $request 'other' 'none'))
Add-Section $frame 'rows' (@($request.Rows | ForEach-Object { $_ -join '|' }) -join ';')`;
    const { stdout } = await runPowerShell(new WindowsSession(host), scriptWith(text), { ...request, line });
    const sections = parseFrame(stdout);
    assert.equal(sections.get('a'), 'x=y,z');
    assert.equal(sections.get('b'), 'none');
    assert.equal(sections.get('rows'), 'KB1|aaaa-bb|200;only;--');
  });
});

describe("the operator's own text in PowerShell", { skip: skipWithoutDotnet }, () => {
  test('needs no more of a shell than that it passes one quoted word on', () => {
    const [, quoted = '', rest] = textCommand(winrm).split('"');
    assert.equal(rest, '');
    assert.doesNotMatch(quoted, /[$%"'`^!\n]/);
  });

  const cases: readonly [string, number, string | RegExp, RegExp][] = [
    ["'one'; 'two'", 0, 'one\r\ntwo\r\n', /^$/],
    ["'caf\u00e9 \u20ac'", 0, 'caf\u00e9 \u20ac\r\n', /^$/],
    ['[Console]::In.ReadToEnd().Length', 0, '0\r\n', /^$/],
    ["'a'; exit 3010", 3010, 'a\r\n', /^$/],
    ["'a'; throw 'bad'; 'b'", 1, 'a\r\n', /bad/],
    ["'a'; no-such-command; 'b'", 0, 'a\r\nb\r\n', /no-such-command/],
    ["'a'; no-such-command", 1, 'a\r\n', /no-such-command/],
    ['if (', 1, '', /Missing|missing/],
    ['param($x = 5) $x', 0, '5\r\n', /^$/],
    ['begin { 1 } end { 2 }', 0, '1\r\n2\r\n', /^$/],
  ];
  test('has its own streams as plain text, and its own exit code', async () => {
    await using host = createWindowsHost();
    for (const [transport, some] of [
      ['winrm', cases],
      ['ssh', cases.slice(0, 1)],
    ] as const) {
      const session = new WindowsSession(host, transport);
      for (const [text, exitCode, stdout, stderr] of some) {
        const result = await runText(session, text, { timeoutMs: 60_000, outputLimitBytes: 10_000 });
        assert.equal(result.exitCode, exitCode, text);
        assert.equal(result.stdout.toString(), stdout, text);
        assert.match(result.stderr.toString(), stderr, text);
        assert.doesNotMatch(result.stderr.toString(), /CLIXML/);
      }
    }
  });

  test('is shown as it comes', async () => {
    await using host = createWindowsHost();
    const seen: string[] = [];
    const onOutput = (stream: string, chunk: Uint8Array): void =>
      void seen.push(`${stream} ${Buffer.from(chunk).toString().trim()}`);
    await runText(new WindowsSession(host), "'one'; [Console]::Error.WriteLine('two')", {
      timeoutMs: 60_000,
      outputLimitBytes: 100,
      onOutput,
    });
    assert.deepEqual(seen.toSorted(), ['stderr two', 'stdout one']);
  });
});
