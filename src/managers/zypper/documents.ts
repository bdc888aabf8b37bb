import { FettleError } from '../../domain/error.ts';
import { fewEnough, shortEnough } from '../../domain/limits.ts';
import { attribute, descendants, parseXml, type XmlElement } from '../../domain/xml.ts';
import { required, type Sections } from '../contract/sections.ts';

const troubleLength = 2_000;

/** One answer of zypper (zypper(8), --xmlout), and the status it ended with. */
export interface ZypperDocument {
  readonly root: XmlElement;
  readonly exitCode: number;
}

/**
 * 0 and from 100 on, where zypper says what it found: 104 nothing of that name, 106 a repository was left out. 6: no
 * repository is defined.
 */
function isAnswer(exitCode: number): boolean {
  return exitCode === 0 || exitCode === 6 || (exitCode >= 100 && exitCode <= 106);
}

/**
 * The document of a section; undefined where zypper was not asked. `command` where it had no answer: no answer never means no
 * updates.
 */
export function readDocument(sections: Sections, name: string): ZypperDocument | undefined {
  const document = readAnyDocument(sections, name);
  if (document === undefined || isAnswer(document.exitCode)) return document;
  const why = messagesOf(document, 'error')[0] ?? `it ended with status ${document.exitCode}`;
  throw noAnswer(why);
}

/** The same, where a refusal is an answer, too. */
export function readAnyDocument(sections: Sections, name: string): ZypperDocument | undefined {
  const text = required(sections, name).trim();
  if (text === '') return undefined;
  const [, code] = /<!-- exit ([0-9]{1,3}) -->\s*$/.exec(text.slice(-60)) ?? [];
  if (code === undefined) throw noAnswer('its answer has no end');
  if (!text.includes('<stream>')) throw noAnswer(`it ended with status ${code} and without a document`);
  return { root: parseXml(text), exitCode: Number(code) };
}

function noAnswer(why: string): FettleError {
  return new FettleError('command', `zypper cannot report what is pending: ${why.slice(0, troubleLength)}`, {
    hint: 'check the host with: zypper --no-refresh list-updates',
  });
}

/** Elements of that name, wherever they stand. */
export function elementsOf(document: ZypperDocument | undefined, name: string): readonly XmlElement[] {
  if (document === undefined) return [];
  return fewEnough(descendants(document.root, '', name), `elements ${name} of an answer of zypper`);
}

/** What zypper prints for people, of one type. */
export function messagesOf(document: ZypperDocument, type: 'error' | 'warning'): readonly string[] {
  return elementsOf(document, 'message')
    .filter((message) => attribute(message, 'type') === type)
    .map(({ text }) => oneLine(text));
}

/** Why the solver found no way: the description of a question that nobody answers. */
export function problemsOf(document: ZypperDocument): readonly string[] {
  return elementsOf(document, 'prompt')
    .flatMap((prompt) => prompt.children.filter(({ name }) => name === 'description'))
    .map(({ text }) => oneLine(text.replace(/ Solution 1: [^]*/, '')));
}

function oneLine(text: string): string {
  return text.slice(0, troubleLength).replaceAll(/\s+/g, ' ').trim();
}

/** One package at one version, as every document names it. */
export interface NamedVersion {
  readonly name: string;
  readonly arch: string;
  readonly evr: string;
}

export function versionOf(element: XmlElement): NamedVersion {
  const [name = '', arch = '', evr = ''] = ['name', 'arch', 'edition'].map((key) => attribute(element, key));
  if (name === '' || arch === '' || evr === '') {
    throw new FettleError('parse', 'the answer of zypper cannot be parsed', { details: { element: element.name } });
  }
  return {
    name: shortEnough(name, 'package name'),
    arch: shortEnough(arch, 'architecture'),
    evr: shortEnough(evr, 'version'),
  };
}

/** A key of one version of one package. */
export function versionKey({ name, arch, evr }: NamedVersion): string {
  return `${name}.${arch}=${evr}`;
}
