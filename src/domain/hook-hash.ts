import { createHash } from 'node:crypto';
import type { Hook } from './playbook.ts';

/** What a signer vouches for: SHA-256 (hex) of the remote script's bytes, or of the argument list as JSON. */
export function hookSha256(hook: Pick<Hook, 'local' | 'remote'>): string {
  const text = hook.remote ?? JSON.stringify(hook.local ?? []);
  return createHash('sha256').update(text).digest('hex');
}
