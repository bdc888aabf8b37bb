// The quotas, refusals and disorders of the tests' WinRM server, by plain requests inside TLS.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import {
  account,
  command,
  create,
  enumeration,
  receive,
  rsp,
  send,
  serve,
  streams,
  terminate,
  transfer,
  wql,
  type Operation,
} from '../support/winrm-server/plain-client.ts';
import { ns } from '../support/winrm-server/soap.ts';
import { child } from '../support/winrm-server/xml-tree.ts';

test('shells are counted for each user, and a deleted one gives its place back', async () => {
  await using made = await serve({ quotas: { maxShellsPerUser: 2 } });
  const [one] = [await made.shell(), await made.shell()];
  assert.equal((await made.ask(create)).faultCode, 2150859173);
  await made.ask({ action: `${transfer}Delete`, shell: one });
  assert.equal((await made.ask(create)).status, 200);
});

test('a command that was signalled keeps its place among the operations until its shell is gone', async () => {
  await using made = await serve({ quotas: { maxOperationsPerUser: 1 } });
  const shell = await made.shell();
  const id = await made.command(shell, 'true');
  assert.equal((await made.ask(terminate(shell, id))).status, 200);
  const refused = await made.ask(command(shell, 'true'));
  assert.equal(refused.faultCode, 2150859174);
  assert.match(refused.text, /MSFT_WmiError/);
  assert.doesNotMatch(refused.text, /RelatesTo/);
  await made.ask({ action: `${transfer}Delete`, shell });
  assert.equal((await made.ask(command(await made.shell(), 'true'))).status, 200);
});

test('what is not there is not found: shell, command, class, page', async () => {
  await using made = await serve({});
  const shell = await made.shell();
  const asked: readonly (readonly [Operation, number])[] = [
    [command(randomUUID(), 'true'), 2150858843],
    [receive(shell, randomUUID()), 2150858843],
    [
      {
        action: `${rsp}Receive`,
        shell,
        body: '<rsp:Receive><rsp:DesiredStream>stdout</rsp:DesiredStream></rsp:Receive>',
      },
      87,
    ],
    [wql('select * from Win32_Nothing'), 2150859002],
    [{ ...create, timeoutSec: 61 }, 2150858764],
    [{ ...create, action: `${transfer}Put`, shell }, 2150858752],
    [{ ...command(shell, 'true'), action: '' }, 2150858817],
  ];
  for (const [operation, code] of asked) assert.equal((await made.ask(operation)).faultCode, code);
});

test('an exit code is reported unsigned, and output that came in pieces stays in its order', async () => {
  const answer = { stdout: ['a', 'b'], stderr: ['x'], exitCode: -1 };
  await using made = await serve({ streamBytes: 1 }, { answer: () => answer });
  const shell = await made.shell();
  const { text } = await made.ask(receive(shell, await made.command(shell, 'anything')));
  assert.match(text, /<rsp:ExitCode>4294967295<\/rsp:ExitCode>/);
  assert.deepEqual(streams(text), { stdout: 'ab', stderr: 'x' });
});

test('a Receive waits as long as requested and ends with that fault', async () => {
  await using made = await serve({});
  const shell = await made.shell();
  const id = await made.command(shell, 'cat');
  assert.equal((await made.ask({ ...receive(shell, id), timeoutSec: 1 })).faultCode, 2150858793);
  await made.ask(send(shell, id, { text: 'there', isEnd: true }));
  assert.equal(streams((await made.ask(receive(shell, id))).text).stdout, 'there');
});

test('output that was lost with an answer is gone, or kept where the rule sets it', async () => {
  for (const isKept of [false, true]) {
    await using made = await serve({});
    const shell = await made.shell();
    const id = await made.command(shell, 'echo precious');
    made.server.faults.add({ on: 'Receive', fault: { kind: 'drop-response', isKept } });
    await assert.rejects(made.ask(receive(shell, id)), /hang up|ECONNRESET/);
    assert.equal(streams((await made.ask(receive(shell, id))).text).stdout, isKept ? 'precious\n' : '');
  }
});

test('rules affect the operation they name, as often as they set', async () => {
  await using made = await serve({});
  const shell = await made.shell();
  const id = await made.command(shell, 'cat');
  made.server.faults.add({
    on: 'Send',
    after: 1,
    times: 2,
    fault: { kind: 'fault', fault: { code: 170, message: 'busy' } },
  });
  const codes: (number | undefined)[] = [];
  for (let round = 0; round < 4; round += 1) {
    codes.push((await made.ask(send(shell, id, { text: `${round}`, isEnd: round === 3 }))).faultCode);
  }
  assert.deepEqual(codes, [undefined, 170, 170, undefined]);
  assert.equal(streams((await made.ask(receive(shell, id))).text).stdout, '03');
  assert.equal(made.server.faults.left, 0);
});

test('answers come torn, chunked, twice, or not to their end', async () => {
  await using made = await serve({});
  for (const shape of [{ splitBytes: 1 }, { chunkBytes: 3, hasTrailers: true }, {}]) {
    made.server.shape = shape;
    assert.equal((await made.ask(create)).status, 200);
  }
  made.server.faults.add({ fault: { kind: 'close-mid-body' } });
  await assert.rejects(made.ask(create), /aborted|ECONNRESET/);
  made.server.faults.add({ fault: { kind: 'drop-request' } });
  await assert.rejects(made.ask(create), /hang up|ECONNRESET/);
  made.server.faults.add({ fault: { kind: 'foreign-relates-to' } });
  assert.match((await made.ask(create)).text, /RelatesTo>uuid:00000000/);
  assert.equal(made.server.shells.length, 5);
});

test('a host that is off sends nothing, one that boots is not ready, and one that has booted knows no shell', async () => {
  await using made = await serve({ statusWhileBooting: 500 });
  const shell = await made.shell();
  made.commands.state = 'off';
  await assert.rejects(made.ask(create));
  made.commands.state = 'booting';
  const early = await made.ask(create);
  assert.deepEqual([early.status, early.text], [500, '']);
  made.commands.restart();
  made.commands.state = 'running';
  // Connections of before are gone; a request on one of them notices it.
  await made.ask(create).catch(() => undefined);
  assert.equal((await made.ask(command(shell, 'true'))).faultCode, 2150858843);
});

test('rows of a query come whole or as the columns asked for, page by page', async () => {
  const rows = ['one', 'two', 'three'].map((Name) => ({ Name, State: 'Running', InstallDate: '' }));
  await using made = await serve({ pageItems: 2 }, { classes: { win32_service: rows } });
  const first = await made.ask(wql('select Name from Win32_Service'));
  assert.match(first.text, /<w:XmlFragment[^>]*><Name>one<\/Name><\/w:XmlFragment>/);
  assert.doesNotMatch(first.text, /three|EndOfSequence/);
  const context = child(first.body, 'EnumerationContext')?.text ?? '';
  const pull = `<n:Pull><n:EnumerationContext>${context}</n:EnumerationContext><n:MaxElements>9</n:MaxElements></n:Pull>`;
  const rest = await made.ask({ action: `${enumeration}Pull`, resource: `${ns.wmi}/root/cimv2/*`, body: pull });
  assert.match(rest.text, /three/);
  assert.match(rest.text, /EndOfSequence/);
  const boot = await made.ask(wql('select * from Win32_OperatingSystem'));
  assert.match(boot.text, /<p:LastBootUpTime><cim:Datetime>2030-01-02T03:01:04\.500000\+01:00</);
});

test('the configuration and the list of shells can be read', async () => {
  await using made = await serve({});
  await made.ask({ ...create, body: create.body.replace('<rsp:Shell>', '<rsp:Shell Name="fettle &amp; co">') });
  const config = await made.ask({ action: `${transfer}Get`, resource: ns.config });
  assert.match(config.text, /<cfg:MaxEnvelopeSizekb>500</);
  const body = '<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>50</w:MaxElements></n:Enumerate>';
  const list = await made.ask({ action: `${enumeration}Enumerate`, resource: ns.shell, body });
  assert.match(list.text, /<rsp:Name>fettle &amp; co<\/rsp:Name>/);
});

test('an envelope that is too large is refused, and the connection lives on', async () => {
  await using made = await serve({ quotas: { maxEnvelopeBytes: 60_000 } });
  assert.equal((await made.ask({ ...create, body: 'x'.repeat(60_000) })).status, 413);
  assert.equal((await made.ask(create)).status, 200);
  assert.equal(made.server.stats.connections, 1);
});

test('Basic over plain HTTP gets nowhere and is counted', async () => {
  await using made = await serve({}, {}, false);
  assert.equal((await made.ask(create)).status, 401);
  assert.equal(made.server.stats.cleartextPasswords, 1);
});

test('an account that is locked out is refused', async () => {
  await using made = await serve({ lockoutThreshold: 2 });
  for (const password of ['a', 'b', account.password]) {
    assert.equal((await made.ask(create, password)).status, 401);
  }
  assert.equal(made.server.stats.failedLogins.length, 3);
});

test('a connection that never gets to TLS does not outlive the server', async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  {
    await using made = await serve({});
    const socket = connect({ host: '127.0.0.1', port: made.server.port });
    socket.on('error', () => undefined).on('close', () => resolve());
    await new Promise<void>((there) => socket.once('connect', () => there()));
  }
  await closed;
});

test('connections without traffic are closed', async () => {
  await using made = await serve({ idleCloseMs: 20 });
  assert.equal((await made.ask(create)).status, 200);
  await eventually(() => made.server.stats.openConnections === 0, 'the connection is closed');
});
