import { createHash } from 'node:crypto';
import { bootstrapText } from './powershell.ts';
import { textRunner } from './powershell-text.ts';
import { scriptFile, scriptFiles } from './scripts.ts';

/** One text that runs on hosts. */
export interface HostScript {
  readonly family: 'posix' | 'windows';
  /** Its file below `src/remote/FAMILY/`, or what it is where it is no file. */
  readonly part: string;
  /** Of the text as it reaches the host, hexadecimal. */
  readonly sha256: string;
}

/**
 * Every text of fettle's that runs on hosts, with its SHA-256: the parts that scripts of both families are assembled
 * from, the bootstrap that starts each of them in PowerShell, and what runs an operator's own text there.
 */
export function hostScripts(): readonly HostScript[] {
  const families = ['posix', 'windows'] as const;
  const parts = families.flatMap((family) =>
    scriptFiles[family].map((part) => ({ family, part, sha256: sha256(scriptFile(family, part)) })),
  );
  return [
    ...parts,
    { family: 'windows', part: 'bootstrap', sha256: sha256(bootstrapText()) },
    { family: 'windows', part: 'text', sha256: sha256(textRunner()) },
  ];
}

/** One digest of all of them, as `fettle version` lists them: what a run records. */
export function hostScriptsSha256(): string {
  return sha256(
    hostScripts()
      .map(({ family, part, sha256: own }) => `${family} ${part} ${own}\n`)
      .join(''),
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
