import { readdirSync, readFileSync } from 'node:fs';

export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

/** Processes that were started with this host's model in their environment: tasks, and what scripts started. */
export function processesOf(directory: string): number[] {
  const wanted = `FETTLE_WINDOWS_MODEL=${directory}`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && environmentOf(name).includes(wanted))
    .map(Number);
}

function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
