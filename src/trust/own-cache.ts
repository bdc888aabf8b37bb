import { statSync } from 'node:fs';
import { join } from 'node:path';
import { distrustOfDirectory, makeDirectory } from './trusted-path.ts';

export interface CachePlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Undefined where the platform has none. */
  readonly uid: number | undefined;
}

/**
 * The directory of compiled code and of other things that can be had again: `/var/cache/fettle` for root, else `fettle` in the XDG cache directory. Node.js
 * executes what it finds there, so undefined where anybody else could have put something into it.
 */
export function ownCacheDirectory(place: CachePlace): string | undefined {
  const { uid } = place;
  const parent = parentDirectory(place);
  if (parent === undefined || uid === undefined) return undefined;
  try {
    // A home directory, or /var/cache, is not for us to make.
    if (!statSync(parent.existing).isDirectory()) return undefined;
    const directory = join(parent.existing, parent.below, 'fettle');
    makeDirectory(directory, 0o700);
    return distrustOfDirectory(directory, { owners: [uid] }) === undefined ? directory : undefined;
  } catch {
    // Without a cache the start is slower, and that is all.
    return undefined;
  }
}

function parentDirectory({ env, uid }: CachePlace): { readonly existing: string; readonly below: string } | undefined {
  if (uid === 0) return { existing: '/var/cache', below: '' };
  const { XDG_CACHE_HOME: cache = '', HOME: home = '' } = env;
  // The XDG Base Directory Specification has relative paths ignored.
  if (cache.startsWith('/')) return { existing: '/', below: cache };
  return home.startsWith('/') ? { existing: home, below: '.cache' } : undefined;
}
