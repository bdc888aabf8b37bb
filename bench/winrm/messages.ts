// What one sealed message of 150 KB costs: the size that a WinRM service accepts at most by default.
import { randomBytes } from 'node:crypto';
import { namespaces } from '../../src/transport/winrm/soap/envelope.ts';
import { clientFlags } from '../../src/transport/winrm/auth/ntlm-message.ts';
import { NtlmSealing } from '../../src/transport/winrm/auth/sealing.ts';
import type { SecurityContext } from '../../src/transport/winrm/auth/security-context.ts';
import { bodyOf, readOutput } from '../../src/transport/winrm/soap/soap.ts';
import { sealBody, unsealBody } from '../../src/transport/winrm/auth/token-framing.ts';
import { parseXml } from '../../src/domain/xml.ts';

const messageBytes = 150_000;
/** As base64 they make an envelope of that size. */
const outputBytes = 111_000;
const commandId = '11111111-2222-4333-8444-555555555555';
const rounds = 15;

/** Milliseconds of processor time, one figure for each message. */
export interface MessageCost {
  /** Sealing it and unsealing it. */
  readonly sealing: readonly number[];
  /** Unsealing an answer of that size and reading it: frame, XML, base64. */
  readonly reading: readonly number[];
}

export function measureMessages(): MessageCost {
  const sessionKey = randomBytes(16);
  using client = endOf(sessionKey, 'client');
  using server = endOf(sessionKey, 'server');
  const plain = randomBytes(messageBytes);
  const answer = answerWith(randomBytes(outputBytes));
  const [sealing, reading]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    sealing.push(cpuMs(() => server.unseal(client.seal(plain))));
    const { contentType, body } = sealBody(server, answer);
    reading.push(
      cpuMs(() => {
        const text = unsealBody(client, contentType, body).toString('utf8');
        const { pieces } = readOutput(bodyOf(parseXml(text)), commandId);
        const bytes = pieces.reduce((sum, piece) => sum + piece.bytes.length, 0);
        if (bytes !== outputBytes) throw new Error(`${bytes} bytes came out of an answer with ${outputBytes}`);
      }),
    );
  }
  return { sealing, reading };
}

/** One end of a connection whose handshake is over. */
function endOf(sessionKey: Buffer, side: 'client' | 'server'): SecurityContext {
  const sealing = new NtlmSealing({ sessionKey, flags: clientFlags, side });
  return {
    scheme: 'Negotiate',
    sealingProtocol: 'application/HTTP-SPNEGO-session-encrypted',
    isComplete: true,
    step: () => undefined,
    seal: (message) => sealing.seal(message),
    unseal: (message) => sealing.unseal(message),
    [Symbol.dispose]: () => sealing[Symbol.dispose](),
  };
}

/** An answer to Receive. */
function answerWith(output: Buffer): Buffer {
  const { s, rsp } = namespaces;
  const stream = `<rsp:Stream Name="stdout" CommandId="${commandId}">${output.toString('base64')}</rsp:Stream>`;
  const state = `<rsp:CommandState CommandId="${commandId}" State="${rsp}/CommandState/Running"/>`;
  const body = `<rsp:ReceiveResponse>${stream}${state}</rsp:ReceiveResponse>`;
  return Buffer.from(`<s:Envelope xmlns:s="${s}" xmlns:rsp="${rsp}"><s:Body>${body}</s:Body></s:Envelope>`);
}

function cpuMs(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
