import { hash } from 'node:crypto';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { prepared, type Connection } from './sqlite.ts';

/** Same bytes, same name; stored compressed once. */
export function putBlob(connection: Connection, bytes: Uint8Array): string {
  const sha256 = hash('sha256', bytes);
  const known = prepared(connection, 'SELECT 1 FROM blob WHERE sha256 = ?').get(sha256);
  if (known === undefined) {
    const insert = prepared(connection, 'INSERT INTO blob (sha256, size, body) VALUES (?, ?, ?)');
    insert.run(sha256, bytes.length, zstdCompressSync(bytes));
  }
  return sha256;
}

export function getBlob(connection: Connection, sha256: string): Buffer | undefined {
  const row = prepared(connection, 'SELECT body FROM blob WHERE sha256 = ?').get(sha256) as
    { body: Buffer } | undefined;
  return row === undefined ? undefined : zstdDecompressSync(row.body);
}

/** Every blob matches its hash, and each that an event names exists; `references` gives the event. */
export function checkBlobs(
  connection: Connection,
  references: ReadonlyMap<string, number>,
): { count: number; problems: string[] } {
  const problems: string[] = [];
  const there = new Set<string>();
  const rows = connection.prepare('SELECT sha256, size, body FROM blob').iterate() as IterableIterator<{
    sha256: string;
    size: number;
    body: Buffer;
  }>;
  for (const { sha256, size, body } of rows) {
    there.add(sha256);
    const bytes = decompressed(body);
    if (bytes === undefined || hash('sha256', bytes) !== sha256) problems.push(`blob ${sha256} was altered`);
    else if (bytes.length !== size) problems.push(`blob ${sha256} was altered: its size differs`);
  }
  for (const [sha256, seq] of references) {
    if (!there.has(sha256)) problems.push(`blob ${sha256}, which event ${seq} names, is missing`);
  }
  return { count: there.size, problems };
}

function decompressed(body: Buffer): Buffer | undefined {
  try {
    return zstdDecompressSync(body);
  } catch {
    return undefined;
  }
}
