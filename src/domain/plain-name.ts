// Names from outside that end up in commands, paths and files: each may contain only what cannot be interpreted as more.

/** What most names are; expressions with classes of Unicode take milliseconds to make ready. */
const common = /^[A-Za-z0-9_][A-Za-z0-9_.@-]*$/;

/** The longest host name that resolvers take, NI_MAXHOST of getnameinfo(3). */
const longestHostName = 1025;

/**
 * What is wrong with a host's name in the network, its address, a jump host or a HostKeyAlias; undefined when it may be
 * used. Narrower than `valid_hostname` of OpenSSH's misc.c (CVE-2023-51385): known_hosts(5) would read `*`, `?`, `!`
 * and `,` as more than one host, and a path would read `/` as a directory.
 */
export function hostNameProblem(text: string): string | undefined {
  if (text.startsWith('-')) return 'begins with -, as an option does';
  if (text.length > longestHostName) return `has more than ${longestHostName} characters`;
  return unlike(text, /[\p{L}\p{M}\p{N}._:%@+=-]/u);
}

/** As `hostNameProblem`, for `HostKeyAlias`, which also names a port as known_hosts(5) does: `[name]:2222`. */
export function hostKeyAliasProblem(text: string): string | undefined {
  return hostNameProblem(/^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? text);
}

/**
 * What is wrong with a user's name. As `valid_ruser` of OpenSSH's ssh.c, control characters and `$` refused too, which
 * later versions do: `DOM\user`, `user@realm`, blanks inside and the `machine$` of Active Directory stay possible.
 */
export function userNameProblem(text: string): string | undefined {
  if (text.startsWith('-') || /\s-/.test(text)) return 'has a - where an option could begin';
  if (text.endsWith('\\')) return 'ends with a backslash';
  return unlike(text.replace(/\$$/, ''), /[^'"`$;&<>|(){}\p{Cc}\p{Zl}\p{Zp}]/u);
}

/** What is wrong with the name of a host in the inventory, which hooks receive as `{{host}}`. */
export function inventoryNameProblem(text: string): string | undefined {
  if (common.test(text)) return undefined;
  return /^[^\p{L}\p{N}_]/u.test(text) ? 'begins with no letter or digit' : unlike(text, /[\p{L}\p{M}\p{N}._@+-]/u);
}

/** Whether a shell takes the text as one word that means itself, and a path as one name. */
export function isPlainWord(text: string): boolean {
  if (common.test(text)) return true;
  return /^[\p{L}\p{M}\p{N}._:%@+=-]*$/u.test(text) && !text.startsWith('-') && text !== '.' && text !== '..';
}

function unlike(text: string, alphabet: RegExp): string | undefined {
  if (text === '') return 'is empty';
  if (common.test(text)) return undefined;
  const strange = [...text].find((letter) => !alphabet.test(letter));
  return strange === undefined ? undefined : `holds the character ${JSON.stringify(strange)}`;
}
