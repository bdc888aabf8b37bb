// A host's name and port as Ansible splits them (parse_address of its parsing/utils/addresses.py).

export interface HostAddress {
  readonly host: string;
  readonly port?: string;
}

const numbers = String.raw`\[[0-9]+:[0-9]+(?::[0-9]+)?\]`;
const hexadecimals = String.raw`\[[0-9a-f]+:[0-9a-f]+(?::[0-9]+)?\]`;
const letters = String.raw`\[(?:[a-z]:[a-z]|[0-9]+:[0-9]+)(?::[0-9]+)?\]`;
const octet = `(?:[01]?[0-9]{1,2}|2[0-4][0-9]|25[0-5]|${numbers})`;
const part = `(?:[0-9a-f]{1,4}|${hexadecimals})`;
const word = String.raw`[\p{L}\p{N}_]`;
const label = String.raw`(?:${word}|${letters})(?:[\p{L}\p{N}_-]|${letters})*(?<![_-])`;

const ipv4 = new RegExp(`^(?:${octet}\\.){3}${octet}$`, 'i');
const hostname = new RegExp(`^${label}(?:\\.${label})*$`, 'iu');
const ipv6 = new RegExp(
  [
    `^(?:(?:${part}:){7}${part}$`,
    `(?:${part}:){1,6}:`,
    ...[6, 5, 4, 3, 2, 1].map((most, at) => `(?:${part}:){${at + 1}}(?::${part}){1,${most}}`),
    `:(?::${part}){1,6}`,
    `${part}?::)`,
  ].join('|'),
  'i',
);
const bracketed = /^\[(.+)\]:([0-9]+)$/;
const plain = /^((?:[^:[\]]|\[[^\]]*\])*):([0-9]+)$/;

/** More than any name, so that no expression has much to try. */
const longest = 500;

/** Undefined for what is no name of the network, whose colons and brackets then belong to the name. */
export function splitAddress(text: string): HostAddress | undefined {
  if (text.length > longest) return undefined;
  const [, inner, innerPort] = bracketed.exec(text) ?? [];
  const [, name = inner ?? text, port = innerPort] = plain.exec(inner ?? text) ?? [];
  const isAddress = isCommonName(name) || ipv4.test(name) || ipv6.test(name) || hostname.test(name);
  return isAddress ? { host: name, ...(port === undefined ? {} : { port }) } : undefined;
}

/** Node.js takes milliseconds to make expressions with classes of Unicode ready, and most names are ASCII. */
function isCommonName(name: string): boolean {
  return name.split('.').every((one) => /^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(one) && !/[_-]$/.test(one));
}
