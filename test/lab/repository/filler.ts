import { createCipheriv } from 'node:crypto';

/** Bytes that no compressor makes smaller, the same on every machine. */
export function incompressible(sizeBytes: number): Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16, 9));
  return cipher.update(Buffer.alloc(sizeBytes));
}
