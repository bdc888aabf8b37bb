import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { encodeWellFormed } from '../../base/well-formed.ts';
import type { Host } from '../../domain/host.ts';

/**
 * SHA-256 (hex) over the RFC 8785 form of the host's resolved variables. A `Secret` counts as `***`, so a changed
 * password does not change it.
 */
export function inventorySha256(host: Pick<Host, 'variables'>): string {
  const text = encodeWellFormed(canonicalize, host.variables) ?? '{}';
  return createHash('sha256').update(text).digest('hex');
}
