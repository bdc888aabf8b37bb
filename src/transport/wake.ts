import { createSocket } from 'node:dgram';
import { FettleError } from '../domain/error.ts';

/** The discard port, on which nothing listens; network cards only match the bytes. */
export const wakePort = 9;

/** Six bytes of ones, then the address sixteen times. `mac` is twelve hexadecimal digits. */
function magicPacket(mac: string): Buffer {
  const address = Buffer.from(mac, 'hex');
  if (address.length !== 6) throw new RangeError(`${mac} is not a hardware address`);
  return Buffer.concat([Buffer.alloc(6, 0xff), ...Array.from({ length: 16 }, () => address)]);
}

export interface WakeCall {
  readonly macs: readonly string[];
  /** IPv4 address of one host, of its network, or the broadcast address. */
  readonly address: string;
  readonly port?: number;
}

/** Sends each packet three times: none is answered, and any may be lost. */
export async function sendWake({ macs, address, port = wakePort }: WakeCall): Promise<void> {
  const socket = createSocket('udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(0, () => {
        socket.setBroadcast(true);
        resolve();
      });
    });
    for (const packet of macs.map(magicPacket)) {
      for (let time = 0; time < 3; time += 1) await send(packet);
    }
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new FettleError('connect', `the packet to ${address} cannot be sent: ${words}`, {
      cause,
      hint: "set patch_wake_address to the broadcast address of the host's network",
    });
  } finally {
    socket.close();
  }

  function send(packet: Buffer): Promise<void> {
    return new Promise((resolve, reject) =>
      socket.send(packet, port, address, (error) => (error === null ? resolve() : reject(error))),
    );
  }
}
