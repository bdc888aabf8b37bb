import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FettleError } from '../../../../src/domain/error.ts';
import { WsmanClient } from '../../../../src/transport/winrm/wsman/client.ts';
import type { Endpoint } from '../../../../src/transport/winrm/http/endpoint.ts';
import { envelope, namespaces, type EnvelopeContext } from '../../../../src/transport/winrm/soap/envelope.ts';
import * as soap from '../../../../src/transport/winrm/soap/soap.ts';
import { queryWql } from '../../../../src/transport/winrm/wsman/wql.ts';
import { attribute, childOf, descendants, parseXml, type XmlElement } from '../../../../src/domain/xml.ts';
import { mutations, seeded } from '../fuzz.ts';

const endpoint: Endpoint = { hostName: 'win01', address: '10.0.0.1', port: 5986, scheme: 'https', path: '/wsman' };
const messageId = '11111111-2222-4333-8444-555555555555';
const context: EnvelopeContext = {
  url: 'https://10.0.0.1:5986/wsman',
  sessionId: 'AAAAAAAA-0000-4000-8000-000000000000',
  operationTimeoutSec: 20,
  newId: () => messageId,
};
const command = { shellId: 'SHELL', commandId: 'ID' };

function reply(body: string, relatesTo = `uuid:${messageId}`): string {
  const declarations = Object.entries(namespaces).map(([prefix, uri]) => ` xmlns:${prefix}="${uri}"`);
  const header = relatesTo === '' ? '' : `<a:RelatesTo>${relatesTo}</a:RelatesTo>`;
  return `<s:Envelope${declarations.join('')}><s:Header>${header}</s:Header><s:Body>${body}</s:Body></s:Envelope>`;
}

const bodyOf = (xml: string): XmlElement => soap.bodyOf(parseXml(reply(xml)));

/** A client whose host answers with these texts, one after the other. */
function clientOf(...texts: readonly string[]): { readonly client: WsmanClient; readonly resets: () => number } {
  const waiting = [...texts];
  let resets = 0;
  const channel = {
    post: () => Promise.resolve(waiting.shift() ?? assert.fail('nothing more was to be asked')),
    reset: () => {
      resets += 1;
    },
  };
  return { client: new WsmanClient(channel, endpoint, context), resets: () => resets };
}

describe('a request', () => {
  test('has the header block every service wants, in order', () => {
    const message = soap.startCommand('SHELL', 'ID', 'a & "b" <c>');
    const root = parseXml(envelope(context, message).text);
    const header = childOf(root, namespaces.s, 'Header') ?? assert.fail();
    assert.deepEqual(
      header.children.map(({ name }) => name),
      [
        ...['To', 'ReplyTo', 'Action', 'MessageID', 'ResourceURI', 'MaxEnvelopeSize', 'OperationTimeout', 'Locale'],
        ...['DataLocale', 'SessionId', 'OptionSet', 'SelectorSet'],
      ],
    );
    const text = (name: string): string | undefined => header.children.find((child) => child.name === name)?.text;
    assert.equal(text('To'), context.url);
    assert.equal(text('Action'), `${namespaces.rsp}/Command`);
    assert.equal(text('MessageID'), `uuid:${messageId}`);
    assert.equal(text('OperationTimeout'), 'PT20S');
    assert.equal(text('MaxEnvelopeSize'), '153600');
    assert.deepEqual(
      descendants(header, namespaces.w, 'Option').map((option) => [attribute(option, 'Name'), option.text]),
      [
        ['WINRS_CONSOLEMODE_STDIN', 'FALSE'],
        ['WINRS_SKIP_CMD_SHELL', 'FALSE'],
      ],
    );
    const selector = descendants(header, namespaces.w, 'Selector')[0];
    assert.deepEqual([attribute(selector, 'Name'), selector?.text], ['ShellId', 'SHELL']);
    const line = descendants(root, namespaces.rsp, 'CommandLine')[0] ?? assert.fail();
    assert.equal(attribute(line, 'CommandId'), 'ID');
    assert.equal(childOf(line, namespaces.rsp, 'Command')?.text, 'a & "b" <c>');
  });

  test('is on one line, whatever stands in it', () => {
    assert.doesNotMatch(envelope(context, soap.startCommand('S', 'I', 'a\nb\r\nc')).text, /[\r\n]/);
  });
});

describe('an answer', () => {
  test('to Create names the shell in its selector or in itself', () => {
    const selector =
      '<w:SelectorSet><w:Selector Name="Other">x</w:Selector><w:Selector Name="ShellId"> S1 </w:Selector></w:SelectorSet>';
    assert.equal(
      soap.readShellId(
        bodyOf(`<x:ResourceCreated><a:ReferenceParameters>${selector}</a:ReferenceParameters></x:ResourceCreated>`),
      ),
      'S1',
    );
    assert.equal(soap.readShellId(bodyOf('<rsp:Shell><rsp:ShellId>S2</rsp:ShellId></rsp:Shell>')), 'S2');
    assert.throws(() => soap.readShellId(bodyOf('<rsp:Shell/>')), { code: 'parse' });
  });

  test('to Receive has its pieces in order, those of other commands and streams left out', () => {
    const stream = (name: string, text: string, id = 'id'): string =>
      `<rsp:Stream Name="${name}" CommandId="${id}">${Buffer.from(text).toString('base64')}</rsp:Stream>`;
    const state =
      '<rsp:CommandState CommandId="ID" State="x/CommandState/Done"><rsp:ExitCode>4294967295</rsp:ExitCode></rsp:CommandState>';
    const streams = [
      stream('stdout', 'a'),
      stream('stderr', 'b'),
      stream('stdout', ''),
      stream('stdout', 'c'),
      stream('stdout', 'no', 'OTHER'),
      stream('debug', 'no'),
    ];
    const output = soap.readOutput(
      bodyOf(`<rsp:ReceiveResponse>${streams.join('')}${state}</rsp:ReceiveResponse>`),
      'ID',
    );
    assert.deepEqual(
      output.pieces.map(({ stream: name, bytes }) => [name, bytes.toString()]),
      [
        ['stdout', 'a'],
        ['stderr', 'b'],
        ['stdout', 'c'],
      ],
    );
    assert.equal(output.exitCode, -1);
  });

  test('to Receive has an exit code only when the command is done, 0 where none is named', () => {
    const state = (word: string, code = ''): string =>
      `<rsp:ReceiveResponse><rsp:CommandState CommandId="ID" State="x/CommandState/${word}">${code}</rsp:CommandState></rsp:ReceiveResponse>`;
    assert.equal(soap.readOutput(bodyOf(state('Running', '<rsp:ExitCode>0</rsp:ExitCode>')), 'ID').exitCode, undefined);
    assert.equal(soap.readOutput(bodyOf(state('Done')), 'ID').exitCode, 0);
    assert.throws(() => soap.readOutput(bodyOf(state('Done', '<rsp:ExitCode>x</rsp:ExitCode>')), 'ID'), {
      code: 'parse',
    });
  });

  test('may relate to the request in old ways, or not at all', async () => {
    for (const relatesTo of [`uuid.${messageId}`, messageId.toLowerCase(), '']) {
      const { client } = clientOf(reply('<ok/>', relatesTo));
      assert.equal((await client.ask(soap.deleteShell('S'), { phase: 'delete' })).kind, 'body');
    }
  });

  test('to another question is never taken, and the connection is given up', async () => {
    const { client, resets } = clientOf(reply('<ok/>', 'uuid:99999999-2222-4333-8444-555555555555'));
    await assert.rejects(client.ask(soap.receiveOutput(command), { phase: 'receive' }), { code: 'lost' });
    assert.equal(resets(), 1);
  });

  test('to Identify must be one', async () => {
    const fields =
      '<wsmid:ProtocolVersion>p</wsmid:ProtocolVersion><wsmid:ProductVendor>v</wsmid:ProductVendor><wsmid:ProductVersion>OS: 10.0.1</wsmid:ProductVersion>';
    const { client } = clientOf(
      reply(`<wsmid:IdentifyResponse>${fields}</wsmid:IdentifyResponse>`, ''),
      reply('<x/>', ''),
    );
    assert.deepEqual(await client.identify(), { protocolVersion: 'p', vendor: 'v', version: 'OS: 10.0.1' });
    await assert.rejects(client.identify(), /win01 .*cannot be parsed.*\(identify\)/);
  });

  test('of any bytes is parsed or is a FettleError, for every operation', async () => {
    const random = seeded(4);
    const output =
      '<rsp:ReceiveResponse><rsp:Stream Name="stdout" CommandId="ID">YWJj</rsp:Stream>' +
      '<rsp:CommandState CommandId="ID" State="x/CommandState/Done"><rsp:ExitCode>3</rsp:ExitCode></rsp:CommandState></rsp:ReceiveResponse>';
    const created = '<x:ResourceCreated><w:Selector Name="ShellId">S</w:Selector></x:ResourceCreated>';
    const fault =
      '<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>w:TimedOut</s:Value></s:Subcode></s:Code><s:Detail>' +
      '<f:WSManFault Code="2150858793"><f:Message>x</f:Message></f:WSManFault></s:Detail></s:Fault>';
    const readers = [
      (body: XmlElement) => soap.readOutput(body, 'ID'),
      soap.readShellId,
      soap.readCommandId,
      soap.readIdentity,
    ] as const;
    for (const sample of [output, created, fault]) {
      for (const bytes of mutations(random, Buffer.from(reply(sample)), 1_500)) {
        const { client } = clientOf(bytes.toString('utf8'));
        try {
          const answer = await client.ask(soap.receiveOutput(command), { phase: 'receive' });
          if (answer.kind === 'body') for (const read of readers) client.understand('receive', () => read(answer.body));
        } catch (error) {
          assert.ok(error instanceof FettleError && ['command', 'lost'].includes(error.code), String(error));
        }
      }
    }
  });
});

describe('a query', () => {
  const row = (name: string, more = ''): string => `<p:Win32_X><p:Name>${name}</p:Name>${more}</p:Win32_X>`;

  test('is read to its end, over as many answers as it takes', async () => {
    const first = `<n:EnumerateResponse><n:EnumerationContext>c1</n:EnumerationContext><w:Items>${row('a')}</w:Items></n:EnumerateResponse>`;
    const second = `<n:PullResponse><n:EnumerationContext>c2</n:EnumerationContext><n:Items>${row('b')}</n:Items></n:PullResponse>`;
    const last = `<n:PullResponse><n:Items>${row('c')}</n:Items><n:EndOfSequence/></n:PullResponse>`;
    const { client } = clientOf(reply(first), reply(second), reply(last));
    const rows = await queryWql(client, { query: 'select Name from Win32_X' });
    assert.deepEqual(
      rows.map((found) => found['Name']),
      ['a', 'b', 'c'],
    );
  });

  test('gives nil as null, repeated properties as a list, and dates as text', async () => {
    const more =
      '<p:None xsi:nil="true"/><p:Many>1</p:Many><p:Many>2</p:Many><p:When><cim:Datetime xmlns:cim="urn:cim">2030-01-02T03:04:05Z</cim:Datetime></p:When><p:__proto__>x</p:__proto__>';
    const answer = `<n:EnumerateResponse><w:Items>${row('a', more)}</w:Items><w:EndOfSequence/><n:EnumerationContext/></n:EnumerateResponse>`;
    const [found] = await queryWql(clientOf(reply(answer)).client, { query: 'x' });
    assert.equal(found?.['None'], null);
    assert.deepEqual(found['Many'], ['1', '2']);
    assert.equal(found['When'], '2030-01-02T03:04:05Z');
    assert.equal(found['__proto__'], 'x');
  });

  test('that never ends is given up', async () => {
    const endless = `<n:PullResponse><n:EnumerationContext>c</n:EnumerationContext></n:PullResponse>`;
    const first = endless.replaceAll('Pull', 'Enumerate');
    const { client } = clientOf(reply(first), ...Array.from({ length: 1_000 }, () => reply(endless)));
    await assert.rejects(queryWql(client, { query: 'x' }), /does not end its answer/);
  });
});
