import { FettleError } from '../domain/error.ts';

const opening = Buffer.from('\x1eFETTLE ');
const markPattern = /^[a-z0-9]{1,32}$/;
const namePattern = /^[a-z0-9-]{1,40}$/;

/**
 * Sections of an answer by name, as bytes. What a login banner prints before or a profile after the frame does not
 * matter; a frame that is cut off, has a section twice or two beginnings is an error.
 */
export function parseFrameBytes(answer: Buffer): ReadonlyMap<string, Buffer> {
  const start = answer.indexOf(opening);
  if (start < 0) throw unreadable('it has no beginning', answer);
  const lineEnd = answer.indexOf(0x0a, start);
  const [mark = '', word] = answer.toString('latin1', start + opening.length, Math.max(start, lineEnd)).split(' ');
  if (lineEnd < 0 || word !== 'begin' || !markPattern.test(mark))
    throw unreadable('its beginning does not read', answer);
  const separator = Buffer.from(`\n\x1e${mark} `);
  const sections = new Map<string, Buffer>();
  let at = answer.indexOf(separator, lineEnd);
  while (at >= 0) {
    const nameEnd = answer.indexOf(0x0a, at + separator.length);
    if (nameEnd < 0) break;
    const name = answer.toString('latin1', at + separator.length, nameEnd);
    if (name === 'end') return sections;
    if (!namePattern.test(name)) throw unreadable('a section has no proper name', answer);
    if (sections.has(name)) throw unreadable(`section ${name} comes twice`, answer);
    at = answer.indexOf(separator, nameEnd);
    if (at < 0) break;
    sections.set(name, answer.subarray(nameEnd + 1, at < nameEnd + 1 ? nameEnd + 1 : at));
  }
  throw unreadable('it is cut off', answer);
}

/** The same as text. */
export function parseFrame(answer: Buffer): ReadonlyMap<string, string> {
  return new Map([...parseFrameBytes(answer)].map(([name, bytes]) => [name, bytes.toString('utf8')]));
}

function unreadable(why: string, answer: Buffer): FettleError {
  const begins = answer.toString('utf8', 0, 200).trim();
  return new FettleError('parse', `the host's answer does not read: ${why}`, {
    hint: 'the login shell or its profile may print or change what it should not',
    details: { bytes: answer.length, begins },
  });
}
