// Algorithms that both ssh_config(5) and ssh2 allow.
import type { Algorithms, CipherAlgorithm, KexAlgorithm, MacAlgorithm, ServerHostKeyAlgorithm } from 'ssh2';
import { FettleError } from '../../domain/error.ts';

/** Undefined: ssh's own default holds, and ssh2's order of the same algorithms is the faster one. */
export interface AllowedAlgorithms {
  readonly kex: readonly string[] | undefined;
  readonly ciphers: readonly string[] | undefined;
  readonly macs: readonly string[] | undefined;
  readonly hostKeys: readonly string[] | undefined;
  /** Of keys that log in. */
  readonly userKeys: readonly string[] | undefined;
}

/** ssh2's constants.js, `SUPPORTED_…`, less what Node.js 24 has no implementation of. */
const ours = {
  KexAlgorithms: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group-exchange-sha256',
    'diffie-hellman-group14-sha256',
    'diffie-hellman-group15-sha512',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group17-sha512',
    'diffie-hellman-group18-sha512',
    'diffie-hellman-group-exchange-sha1',
    'diffie-hellman-group14-sha1',
    'diffie-hellman-group1-sha1',
  ] satisfies readonly KexAlgorithm[],
  Ciphers: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
    'chacha20-poly1305@openssh.com',
    'aes256-cbc',
    'aes192-cbc',
    'aes128-cbc',
  ] satisfies readonly CipherAlgorithm[],
  MACs: [
    'hmac-sha2-256-etm@openssh.com',
    'hmac-sha2-512-etm@openssh.com',
    'hmac-sha1-etm@openssh.com',
    'hmac-sha2-256',
    'hmac-sha2-512',
    'hmac-sha1',
  ] satisfies readonly MacAlgorithm[],
  HostKeyAlgorithms: [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-512',
    'rsa-sha2-256',
    'ssh-rsa',
  ] satisfies readonly ServerHostKeyAlgorithm[],
} as const;

/** SHA-1, which OpenSSH signs and accepts only where `HostKeyAlgorithms` names it (since 8.8). */
const sha1HostKey = 'ssh-rsa';

/**
 * Lists for ssh2. `known` are the key types that the host is known by: they come first, as OpenSSH orders them,
 * unless the configuration gives an order. Throws `config` if a list leaves no common algorithm.
 */
export function algorithmsFor(allowed: AllowedAlgorithms, known: readonly string[], host: string): Algorithms {
  const both = (keyword: keyof typeof ours, list: readonly string[] | undefined): string[] | undefined => {
    if (list === undefined) return undefined;
    const able: readonly string[] = ours[keyword];
    const common = list.filter((name) => able.includes(name));
    if (common.length > 0) return common;
    throw new FettleError(
      'config',
      `${keyword} for ${host} lists no algorithm that fettle supports: ${list.join(',')}`,
      {
        hint: `fettle supports ${able.join(', ')}`,
      },
    );
  };
  const kex = both('KexAlgorithms', allowed.kex) as KexAlgorithm[] | undefined;
  const cipher = both('Ciphers', allowed.ciphers) as CipherAlgorithm[] | undefined;
  const hmac = both('MACs', allowed.macs) as MacAlgorithm[] | undefined;
  const hostKeys = both('HostKeyAlgorithms', allowed.hostKeys) as ServerHostKeyAlgorithm[] | undefined;
  return {
    ...(kex === undefined ? {} : { kex }),
    ...(cipher === undefined ? {} : { cipher }),
    ...(hmac === undefined ? {} : { hmac }),
    serverHostKey: hostKeys ?? knownFirst(known),
  };
}

/** `ssh-rsa` in known_hosts is every RSA signature. */
function knownFirst(known: readonly string[]): ServerHostKeyAlgorithm[] {
  const isKnown = (name: string): boolean =>
    known.includes(name) || (known.includes('ssh-rsa') && name.startsWith('rsa-'));
  const modern = ours.HostKeyAlgorithms.filter((name) => name !== sha1HostKey);
  return [...modern.filter(isKnown), ...modern.filter((name) => !isKnown(name))];
}

/** Whether `PubkeyAcceptedAlgorithms` lets a key of this type log in; an RSA key signs by any of three names. */
export function mayLogIn(keyType: string, { userKeys }: Pick<AllowedAlgorithms, 'userKeys'>): boolean {
  if (userKeys === undefined) return true;
  const names = keyType === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'] : [keyType];
  return names.some((name) => userKeys.includes(name));
}
