import type { HeldBack } from '../../domain/held-back.ts';

/** What goes in only where a playbook names it or its package manager: patching a system is not updating all its software. */
export function excludedSoftware(manager: string): HeldBack {
  return { kind: 'excluded', reason: `software of ${manager}, not of the system`, unless: 'pattern' };
}
