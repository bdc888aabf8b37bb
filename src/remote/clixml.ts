const marker = '#< CLIXML';
/** More of a host's stderr than anybody reads. */
const maxChars = 256 * 1024;
const maxDepth = 4;

/**
 * The words in what powershell.exe writes to stderr: plain text, then `#< CLIXML` and one or more `<Objs>` documents
 * (MS-PSRP 2.2.5) of which errors and warnings count. Text of another form is returned unchanged, cut at
 * 256 Ki characters; never throws.
 */
export function decodeClixml(stderr: string): string {
  return decode(stderr.slice(0, maxChars), 0);
}

function decode(text: string, depth: number): string {
  const at = text.indexOf(marker);
  if (at < 0) return text;
  const before = text.slice(0, at);
  const rest = text.slice(at + marker.length);
  const { words, native } = readDocuments(rest);
  const inner = depth < maxDepth && words.includes(marker) ? decode(words, depth + 1) : words;
  return `${before}${inner}${native}`;
}

/** Strings of the streams that matter, and what stands between and behind the documents: stderr of native programs. */
function readDocuments(text: string): { readonly words: string; readonly native: string } {
  const words: string[] = [];
  const native: string[] = [];
  let at = 0;
  for (;;) {
    const open = text.indexOf('<Objs', at);
    if (open < 0) break;
    native.push(text.slice(at, open));
    const close = text.indexOf('</Objs>', open);
    const end = close < 0 ? text.length : close + '</Objs>'.length;
    words.push(...readStrings(text.slice(open, end)));
    at = end;
  }
  native.push(text.slice(at));
  return {
    words: words.join(''),
    native: native
      .join('')
      .replaceAll(/#< CLIXML(\r?\n)?/g, '')
      .replace(/^\s+/, ''),
  };
}

function readStrings(document: string): string[] {
  const found: string[] = [];
  const opening = /<S S="(Error|Warning|error|warning)">/g;
  for (let match = opening.exec(document); match !== null; match = opening.exec(document)) {
    const start = match.index + match[0].length;
    const close = document.indexOf('<', start);
    const end = close < 0 ? document.length : close;
    found.push(unescapeUnits(unescapeXml(document.slice(start, end))));
    opening.lastIndex = end;
  }
  return found;
}

const entities: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

function unescapeXml(text: string): string {
  return text.replace(/&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|([a-z]{2,4}));/g, (whole, hex, decimal, name) => {
    if (typeof name === 'string') return entities.get(name) ?? whole;
    const code = typeof hex === 'string' ? Number.parseInt(hex, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** `_xHHHH_` is one UTF-16 code unit (MS-PSRP 2.2.5.3.2); half a surrogate pair becomes U+FFFD. */
function unescapeUnits(text: string): string {
  return text
    .replace(/_x([0-9a-fA-F]{4})_/g, (_whole, unit: string) => String.fromCharCode(Number.parseInt(unit, 16)))
    .toWellFormed();
}
