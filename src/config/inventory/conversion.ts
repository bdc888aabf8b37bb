// How to turn what only Ansible reads into a file that fettle reads.
import { existsSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { shellWord } from '../../base/text.ts';

/** The command, whose result goes into a file that is not there yet. */
export function conversionHint(source: string): string {
  const name = basename(source, extname(source));
  const output = ['', '-2', '-3'].map((end) => join(dirname(source), `${name}-static${end}.yaml`));
  const free = output.find((file) => !existsSync(file)) ?? 'OUTPUT.yaml';
  return `write its result to a file, which then holds every secret in clear: ansible-inventory -i ${shellWord(source)} --list --yaml --output ${shellWord(free)}`;
}
