import { createHash } from 'node:crypto';
import { textRunner } from './powershell-text.ts';
import { bootstrapText } from './powershell.ts';
import { assembledScripts } from './scripts.ts';
import type { HostScript } from './scripts.ts';

/**
 * Every text of ours that runs on hosts, with its SHA-256: the assembled scripts of both families, the bootstrap that
 * starts each of them in PowerShell, and what runs an operator's own text there.
 */
export function hostScripts(): readonly HostScript[] {
  return [
    ...assembledScripts(),
    { family: 'windows', name: 'bootstrap', verb: '*', sha256: sha256(bootstrapText()) },
    { family: 'windows', name: 'text', verb: 'exec', sha256: sha256(textRunner()) },
  ];
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
