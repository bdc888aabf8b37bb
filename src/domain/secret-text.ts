// Secrets inside text that was written for another purpose: command lines, reasons, scripts, URLs.

/** Names whose values are secrets; what they hold is never shown. */
export const secretName =
  /pass(word|wd|phrase)?($|_|\d)|secret|token|api_?key|(^|_)(vault_|pwd($|_)|community($|_))|(private|access|auth|encryption)_?key$/i;

/** Names that hold where a secret is, not the secret. */
const namesPlace = /(file|path|dir|name|prompt|policy|length)s?$/i;

const placeholder = '***';

/** RFC 3986, 3.2.1: what stands between `scheme://user:` and `@`. */
const passwordInUrl = /(:\/\/[^\s/:@]*:)[^\s/]+@/g;

/** The text with the passwords of its URLs replaced. */
export function sealUrls(text: string): string {
  return text.replace(passwordInUrl, `$1${placeholder}@`);
}

/** Header and programs whose arguments are secrets without a name: RFC 9110 11.6.2, curl(1), sshpass(1), mysql(1). */
const nameless: readonly RegExp[] = [
  /(authorization["']?\s{0,8}:\s{0,8}(?:basic|bearer|negotiate|token)\s{1,8})([^\s"']+)/gi,
  /(\bcurl\b[^\n;|&]{0,100}?\s(?:-u|--user)[\s=]{0,8}["']?[^\s:"']{1,200}:)([^\s"']+)/g,
  /(\bsshpass\s{1,8}-p\s{0,8})([^\s-]\S*)/g,
  /(\b(?:mysql|mariadb)[a-z-]{0,20}\b[^\n;|&]{0,100}?\s-p)(\S+)/g,
];

/** Each has what stands before a value, and the value. */
const forms = {
  json: /(["']\s{0,8}:\s{0,8}["']?)([^\s"',}\]]+)/y,
  assigned: /(\s{0,4}=\s{0,4})("[^"]*"|'[^']*'|[^\s"'`;|&<>(){},]+)/y,
  yaml: /(:\s{0,4})([^\s"'`;|&<>(){},:/]+)/y,
  option: /(\s{1,8})("[^"]*"|'[^']*'|[^\s"'`;|&<>(){},-][^\s"'`;|&<>(){},]*)/y,
};

/**
 * The text with what is recognisably a secret replaced by `***`: `password=…`, `"token": "…"`, `--api-key …`, URLs with
 * a password, `curl -u user:…`. A reference such as `$PASSWORD` stays. Costs linear time.
 */
export function sealText(text: string): string {
  const sealed = nameless.reduce(
    (before, pattern) =>
      before.replace(pattern, (whole, prefix: string, value: string) =>
        isReference(value) ? whole : `${prefix}${placeholder}`,
      ),
    sealUrls(text),
  );
  return sealNamed(sealed);
}

/** The same for every text at whatever depth of a value out of YAML or JSON. */
export function sealDeep(value: unknown): unknown {
  if (typeof value === 'string') return sealText(value);
  if (Array.isArray(value)) return value.map(sealDeep);
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sealDeep(item)]));
}

function sealNamed(text: string): string {
  const pieces: string[] = [];
  let done = 0;
  for (const { 0: name, index } of text.matchAll(/[\w-]+/g)) {
    if (index < done || !isSecretWord(name) || /[$]\{?$/.test(text.slice(Math.max(0, index - 2), index))) continue;
    const found = valueAfter(text, index + name.length, name.startsWith('-'));
    if (found === undefined || isReference(found.value) || isCounter(name, found.value)) continue;
    pieces.push(text.slice(done, found.start), placeholder);
    done = found.start + found.value.length;
  }
  return pieces.length === 0 ? text : `${pieces.join('')}${text.slice(done)}`;
}

function isSecretWord(word: string): boolean {
  return secretName.test(word.replaceAll('-', '_')) && !namesPlace.test(word);
}

function valueAfter(
  text: string,
  at: number,
  isOption: boolean,
): { readonly start: number; readonly value: string } | undefined {
  const candidates = [forms.json, forms.assigned, ...(isOption ? [forms.option] : [forms.yaml])];
  for (const form of candidates) {
    form.lastIndex = at;
    const [, before = '', value = ''] = form.exec(text) ?? [];
    if (value !== '') return { start: at + before.length, value };
  }
  return undefined;
}

/** What a shell or a template puts in later, or what is sealed already. */
function isReference(value: string): boolean {
  return /^["']?([$`*]|\{\{)/.test(value) || value === '""' || value === "''";
}

/** `pass=0` counts in many a script. */
function isCounter(name: string, value: string): boolean {
  return name === 'pass' && /^\d{1,3}$/.test(value);
}
