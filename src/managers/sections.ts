import { FettleError } from '../domain/error.ts';
import type { Sections } from './manager.ts';

/** Lines of a section that say something; a section that is missing has none. */
export function linesOf(sections: Sections, name: string): readonly string[] {
  return (sections.get(name) ?? '').split('\n').filter((line) => line !== '');
}

export function firstLine(sections: Sections, name: string): string | undefined {
  return linesOf(sections, name)[0]?.trim();
}

/** A section without which the answer means nothing. */
export function required(sections: Sections, name: string): string {
  const text = sections.get(name);
  if (text === undefined) throw new FettleError('parse', `the host's answer has no section ${name}`);
  return text;
}
