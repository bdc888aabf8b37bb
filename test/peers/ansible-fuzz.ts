// Inventories made by chance, for fettle and Ansible to read alike.
import { isDeepStrictEqual } from 'node:util';
import { filesWith } from '../config/files.ts';
import { seeded, type Random } from '../transport/winrm/fuzz.ts';
import { readHere, type AnsiblePeer, type Answer, type ReadingRequest } from './ansible-peer.ts';

export interface FuzzResult {
  /** Read by both and equal. */
  readonly equal: number;
  /** Refused by both. */
  readonly refused: number;
  /** The first that differ, with their text. */
  readonly different: readonly string[];
}

const groups = ['web', 'db', 'app', 'prod', 'site', 'a_b'];
const hosts = [
  'h1',
  'h2',
  'h3.example',
  'web1',
  'db-a',
  'r[1:3]',
  'r[08:10]x',
  'l[a:c]',
  '10.0.0.1',
  'h4:2222',
  'r[1:2]:22',
];
const names = ['x', 'y', 'z', 'note', 'n1'];
const scalarPieces = '0123456789.:eE+-_xbo';
const literalPieces = [
  '0',
  '1',
  '9',
  '.',
  'e',
  '_',
  '-',
  '+',
  'x',
  "'",
  '"',
  '[',
  ']',
  '(',
  ')',
  ',',
  ' ',
  '#',
  '\\',
  'a',
  'True',
  'None',
  ':',
  '=',
];
const words = [
  'yes',
  'no',
  'off',
  '~',
  'null',
  'text',
  '"two words"',
  "'5'",
  '[1, a, 03:00]',
  '{k: 1, l: [x]}',
  '2024-01-01 1:02:03',
  '1.5e+3',
];
const patterns = [
  'web',
  'all',
  '*',
  'h*',
  'r1',
  'web1',
  'db-a',
  '~h\\d',
  'prod',
  'site',
  'r[0]',
  '10.*',
  'h4',
  'nosuch',
  'ungrouped',
];

function one<Item>(random: Random, items: readonly Item[]): Item {
  return items[random(items.length)] as Item;
}

function pieces(random: Random, from: string | readonly string[], most: number): string {
  return Array.from({ length: 1 + random(most) }, () => from[random(from.length)]).join('');
}

/** What YAML itself gives a meaning, and dates that are none, are left out. */
function scalar(random: Random): string {
  if (random(3) === 0) return one(random, words);
  const text = pieces(random, scalarPieces, 8);
  return /:$|^[-:.]*$|^-?:|^\d{4}-\d/.test(text) ? 'plain' : text;
}

/** Without imaginary numbers and `...`, which are text here. */
function literal(random: Random): string {
  return random(4) === 0 ? one(random, words) : pieces(random, literalPieces, 8).replaceAll('...', '.');
}

function yamlGroup(random: Random, depth: number): string {
  const parts: string[] = [];
  const variables = (): string =>
    `{${Array.from({ length: random(3) }, () => `${one(random, names)}: ${scalar(random).replace(/^[[{].*/, 'text')}`).join(', ')}}`;
  const host = (): string => `"${one(random, hosts)}": ${random(2) === 0 ? '' : variables()}`;
  const child = (): string => `${one(random, groups)}: ${depth > 2 ? '' : yamlGroup(random, depth + 1)}`;
  if (random(3) > 0) parts.push(`hosts: {${Array.from({ length: random(4) }, host).join(', ')}}`);
  if (random(3) === 0) parts.push(`children: {${Array.from({ length: random(3) }, child).join(', ')}}`);
  if (random(2) === 0) parts.push(`vars: ${variables()}`);
  if (random(9) === 0) parts.push(`vars: {ansible_group_priority: ${random(5)}}`);
  return `{${(random(2) === 0 ? parts : parts.toReversed()).join(', ')}}`;
}

function yamlText(random: Random): string {
  const block = `all:\n  vars:\n${Array.from({ length: 1 + random(6) }, () => `    ${one(random, names)}: ${scalar(random)}\n`).join('')}`;
  const rest = Array.from({ length: 1 + random(4) }, () => `${one(random, groups)}: ${yamlGroup(random, 0)}\n`).join(
    '',
  );
  return random(2) === 0 ? block + rest : rest;
}

function iniText(random: Random): string {
  const lines: string[] = [];
  const hostLine = (): string => {
    const variables = Array.from({ length: random(3) }, () => ` ${one(random, names)}=${literal(random)}`);
    return one(random, hosts) + variables.join('') + (random(5) === 0 ? ' # note' : '');
  };
  for (let count = random(3); count > 0; count -= 1) lines.push(hostLine());
  for (const group of groups.filter(() => random(2) === 0)) {
    lines.push(`[${group}]`, ...Array.from({ length: random(3) }, hostLine));
  }
  const declared = lines.filter((line) => /^\[\w+\]$/.test(line)).map((line) => line.slice(1, -1));
  for (const group of declared.filter(() => random(3) === 0)) {
    lines.push(
      `[${group}:vars]`,
      ...Array.from({ length: 1 + random(3) }, () => `${one(random, names)} = ${literal(random)}`),
    );
  }
  if (declared.length > 1 && random(2) === 0) lines.push(`[${declared[0] ?? ''}:children]`, ...declared.slice(1, 3));
  lines.push('[all:vars]', `x=${literal(random)}`, `y=${literal(random)}`);
  return `${lines.join('\n')}\n`;
}

/** Reads `count` inventories with both. */
export async function fuzz(peer: AnsiblePeer, { seed, count }: { seed: number; count: number }): Promise<FuzzResult> {
  const random = seeded(seed);
  let [equal, refused] = [0, 0];
  const different: string[] = [];
  for (let round = 0; round < count; round += 1) {
    const text = random(2) === 0 ? yamlText(random) : iniText(random);
    await using files = await filesWith({ hosts: text, 'group_vars/web.yml': `z: ${scalar(random)}\n` });
    const request: ReadingRequest = {
      sources: [files.path('hosts')],
      extraVars: [],
      patterns: patterns.filter(() => random(3) === 0).map((select) => ({ select })),
    };
    const [here, there] = [await readHere(request), await peer.read(request)];
    if ('refused' in here && 'refused' in there) refused += 1;
    else if (isDeepStrictEqual(comparable(here), comparable(there))) equal += 1;
    else if (different.length < 5)
      different.push(`${text}\nfettle:  ${JSON.stringify(here)}\nAnsible: ${JSON.stringify(there)}`);
  }
  return { equal, refused, different };
}

function comparable(answer: Answer): unknown {
  return 'refused' in answer ? answer : { ...answer, selected: answer.selected.map((found) => found ?? []) };
}
