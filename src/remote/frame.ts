import { FettleError } from '../domain/error.ts';

const opening = Buffer.from('\x1eFETTLE ');
const markPattern = /^[a-z0-9]{1,32}$/;
const namePattern = /^[a-z0-9-]{1,40}$/;
/** More sections, or larger ones, than any script of fettle prints. */
const maxSections = 100;
/** A line of the frame: the mark and a name. */
const maxOpeningBytes = 128;
const maxSectionBytes = 16 * 1024 * 1024;

/** Characters that a text has no use for; a line feed and a tab are all that the scripts print. */
const controls = new RegExp(String.raw`[\0-\x08\x0b-\x1f\x7f-\x9f]`, 'g');

/** The first frame's beginning with this mark, as an index into the answer; -1 where there is none. */
export function findFrame(answer: Buffer, mark: string): number {
  return answer.indexOf(`\x1eFETTLE ${mark} begin\n`);
}

/**
 * Sections of an answer by name, as bytes. What a login banner prints before or a profile after the frame does not
 * matter; a frame that is cut off, has a section twice or two beginnings is an error.
 */
export function parseFrameBytes(answer: Buffer): ReadonlyMap<string, Buffer> {
  const { mark, lineEnd } = readOpening(answer);
  const separator = Buffer.from(`\n\x1e${mark} `);
  const sections = new Map<string, Buffer>();
  let at = answer.indexOf(separator, lineEnd);
  while (at >= 0) {
    const nameEnd = answer.indexOf(0x0a, at + separator.length);
    if (nameEnd < 0) break;
    if (nameEnd - at > maxOpeningBytes) throw unreadable('a section has an invalid name', answer);
    const name = answer.toString('latin1', at + separator.length, nameEnd);
    if (name === 'end') return onlyOnce(sections, answer, findFrame(answer.subarray(lineEnd, at), mark));
    if (!namePattern.test(name)) throw unreadable('a section has an invalid name', answer);
    if (sections.has(name)) throw unreadable(`section ${name} appears twice`, answer);
    if (sections.size >= maxSections) throw unreadable('it has too many sections', answer);
    at = answer.indexOf(separator, nameEnd);
    if (at < 0) break;
    const section = answer.subarray(nameEnd + 1, Math.max(at, nameEnd + 1));
    if (section.length > maxSectionBytes) throw unreadable(`section ${name} is too large`, answer);
    sections.set(name, section);
  }
  throw unreadable('it is truncated', answer);
}

/** The same as text; control characters besides line feed and tab are replaced by U+FFFD. */
export function parseFrame(answer: Buffer): ReadonlyMap<string, string> {
  return new Map(
    [...parseFrameBytes(answer)].map(([name, bytes]) => [name, bytes.toString('utf8').replace(controls, '\ufffd')]),
  );
}

function readOpening(answer: Buffer): { readonly mark: string; readonly lineEnd: number } {
  const start = answer.indexOf(opening);
  if (start < 0) throw unreadable('no FETTLE frame found', answer);
  const lineEnd = answer.subarray(0, start + maxOpeningBytes).indexOf(0x0a, start);
  const line = answer.toString('latin1', start + opening.length, Math.max(start + opening.length, lineEnd));
  const [mark = '', word, ...more] = line.split(' ');
  if (lineEnd < 0 || word !== 'begin' || more.length > 0 || !markPattern.test(mark)) {
    throw unreadable('the start of its FETTLE frame is invalid', answer);
  }
  return { mark, lineEnd };
}

function onlyOnce<T>(sections: T, answer: Buffer, second: number): T {
  if (second >= 0) throw unreadable('it mixes two answers', answer);
  return sections;
}

/** The output of the host instead, without its control characters. */
export function unreadable(why: string, answer: Buffer): FettleError {
  const begins = answer.toString('utf8', 0, 200).replace(controls, '\ufffd').trim();
  return new FettleError('parse', `unexpected output from the host: ${why}`, {
    hint: 'the login shell or its profile may print text or alter the output',
    details: { bytes: answer.length, begins },
  });
}
