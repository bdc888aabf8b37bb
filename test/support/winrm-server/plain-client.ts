// A client without NTLM for the tests of the server itself: Basic inside TLS, envelopes from templates.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { makeCertificate } from './certificate.ts';
import { ScriptedHost, type ScriptedHostOptions } from './scripted-host.ts';
import { ns, shellResource } from './soap.ts';
import { startWinrmServer, type WinrmServer, type WinrmServerOptions } from './winrm-server.ts';
import { child, parseXml, type XmlElement } from './xml-tree.ts';

export const account = { user: 'patcher', password: 'Passw0rd' };
const certificate = makeCertificate();
export const rsp = `${ns.shell}/`;
export const transfer = `${ns.transfer}/`;
export const enumeration = `${ns.enumeration}/`;

export interface Reply {
  readonly status: number;
  readonly text: string;
  readonly body: XmlElement | undefined;
  readonly faultCode: number | undefined;
}

export interface Operation {
  readonly action: string;
  readonly resource?: string;
  readonly shell?: string;
  readonly body?: string;
  readonly timeoutSec?: number;
}

export const create = {
  action: `${transfer}Create`,
  body: '<rsp:Shell><rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams></rsp:Shell>',
};

export function command(shell: string, line: string): Operation {
  const body = `<rsp:CommandLine><rsp:Command>${line}</rsp:Command></rsp:CommandLine>`;
  return { action: `${rsp}Command`, shell, body };
}

export function receive(shell: string, id: string): Operation {
  const stream = `<rsp:DesiredStream CommandId="${id}">stdout stderr</rsp:DesiredStream>`;
  return { action: `${rsp}Receive`, shell, body: `<rsp:Receive>${stream}</rsp:Receive>` };
}

export function send(shell: string, id: string, { text, isEnd }: { text: string; isEnd: boolean }): Operation {
  const data = Buffer.from(text).toString('base64');
  const stream = `<rsp:Stream Name="stdin" CommandId="${id}" End="${isEnd}">${data}</rsp:Stream>`;
  return { action: `${rsp}Send`, shell, body: `<rsp:Send>${stream}</rsp:Send>` };
}

export function terminate(shell: string, id: string): Operation {
  const body = `<rsp:Signal CommandId="${id}"><rsp:Code>${ns.shell}/signal/terminate</rsp:Code></rsp:Signal>`;
  return { action: `${rsp}Signal`, shell, body };
}

export function wql(query: string): Operation {
  const dialect = 'http://schemas.microsoft.com/wbem/wsman/1/WQL';
  const filter = `<w:Filter Dialect="${dialect}">${query}</w:Filter>`;
  const body = `<n:Enumerate><w:OptimizeEnumeration/><w:MaxElements>32000</w:MaxElements>${filter}</n:Enumerate>`;
  return { action: `${enumeration}Enumerate`, resource: `${ns.wmi}/root/cimv2/*`, body };
}

export function streams(text: string): { readonly stdout: string; readonly stderr: string } {
  const of = (name: string): string =>
    [...text.matchAll(new RegExp(`<rsp:Stream Name="${name}"[^>]*>([^<]*)<`, 'g'))]
      .map(([, data = '']) => Buffer.from(data, 'base64').toString())
      .join('');
  return { stdout: of('stdout'), stderr: of('stderr') };
}

export class Rig implements AsyncDisposable {
  readonly server: WinrmServer;
  readonly commands: ScriptedHost;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(server: WinrmServer, commands: ScriptedHost) {
    this.server = server;
    this.commands = commands;
  }

  async ask(operation: Operation, password = account.password): Promise<Reply> {
    const { status, text } = await this.#post(envelope(operation), password);
    const root = text === '' ? undefined : parseXml(text);
    const body = child(root, 'Body')?.children[0];
    const code = /WSManFault[^>]* Code="(\d+)"|<p:error_Code>(\d+)</.exec(text);
    return { status, text, body, faultCode: code === null ? undefined : Number(code[1] ?? code[2]) };
  }

  async shell(): Promise<string> {
    const { text } = await this.ask(create);
    return /<rsp:ShellId>([^<]+)</.exec(text)?.[1] ?? assert.fail(text);
  }

  async command(shell: string, line: string): Promise<string> {
    const { text } = await this.ask(command(shell, line));
    return /<rsp:CommandId>([^<]+)</.exec(text)?.[1] ?? assert.fail(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    await this.server[Symbol.asyncDispose]();
    this.commands[Symbol.dispose]();
  }

  async #post(text: string, password: string): Promise<{ readonly status: number; readonly text: string }> {
    const headers = {
      'Content-Type': 'application/soap+xml;charset=UTF-8',
      'Content-Length': Buffer.byteLength(text),
      Authorization: `Basic ${Buffer.from(`${account.user}:${password}`).toString('base64')}`,
    };
    const options = { host: '127.0.0.1', port: this.server.port, path: '/wsman', method: 'POST', headers };
    const isTls = this.server.certificate !== undefined;
    const made = isTls
      ? httpsRequest({ ...options, ca: certificate.certificate, agent: this.#agent })
      : httpRequest(options);
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
    made.on('error', reject);
    made.on('response', (response) => {
      buffer(response).then((body) => resolve({ status: response.statusCode ?? 0, text: body.toString() }), reject);
    });
    made.end(text);
    return promise;
  }
}

export async function serve(
  options: Partial<WinrmServerOptions>,
  host: ScriptedHostOptions = {},
  isTls = true,
): Promise<Rig> {
  const commands = new ScriptedHost(host);
  const tls = isTls ? { certificate } : {};
  const server = await startWinrmServer({ commands, accounts: [account], isBasicAllowed: true, ...tls, ...options });
  return new Rig(server, commands);
}

function envelope({ action, resource = shellResource, shell, body = '', timeoutSec = 20 }: Operation): string {
  const selector =
    shell === undefined ? '' : `<w:SelectorSet><w:Selector Name="ShellId">${shell}</w:Selector></w:SelectorSet>`;
  const spaces = Object.entries({ s: ns.soap, a: ns.addressing, w: ns.wsman, rsp: ns.shell, n: ns.enumeration })
    .map(([prefix, uri]) => `xmlns:${prefix}="${uri}"`)
    .join(' ');
  return (
    `<s:Envelope ${spaces}><s:Header><a:To>https://127.0.0.1/wsman</a:To>` +
    `<a:ReplyTo><a:Address>${ns.addressing}/role/anonymous</a:Address></a:ReplyTo><a:Action>${action}</a:Action>` +
    `<a:MessageID>uuid:${randomUUID()}</a:MessageID><w:ResourceURI>${resource}</w:ResourceURI>` +
    `<w:MaxEnvelopeSize>153600</w:MaxEnvelopeSize><w:OperationTimeout>PT${timeoutSec}S</w:OperationTimeout>${selector}` +
    `</s:Header><s:Body>${body}</s:Body></s:Envelope>`
  );
}
