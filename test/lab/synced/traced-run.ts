// Runs fettle under strace on the controller of a lab and proves what the trace shows.
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from '../lab.ts';
import { prove, readEvents, sideEffects, type Proof, type RecordedEvent, type SideEffect } from './proof.ts';
import { parseTrace } from './trace.ts';

const calls = 'fsync,fdatasync,pwrite64,write,writev,sendto,sendmsg,execve';
/** Of each buffer; a page of the log is 4096. */
const shownBytes = 4_200;

/** For `skip`: why nothing can be traced here; false where it can. */
export function noStrace(): string | false {
  const { error, status } = spawnSync('strace', ['-f', '--seccomp-bpf', '-o', '/dev/null', 'true']);
  if (error !== undefined) return 'there is no strace: install it';
  return status === 0 ? false : 'strace may not trace here';
}

export interface TracedRun {
  readonly trace: string;
  readonly events: readonly RecordedEvent[];
  readonly addresses: ReadonlyMap<string, string>;
}

/** `preload` is a module that Node loads before fettle, in every thread. @throws Error when fettle does not end with 0. */
export async function traceRun(lab: Lab, argv: readonly string[], preload: readonly string[] = []): Promise<TracedRun> {
  const file = join(lab.stateDir, `trace-${argv[0] ?? ''}`);
  const strace = ['strace', '-f', '--seccomp-bpf', '-v', '-ttt', '-T', '-yy', '-s', String(shownBytes), '-o', file];
  const node = [process.execPath, ...preload.flatMap((name) => ['--import', join(import.meta.dirname, name)])];
  const fettle = [join(import.meta.dirname, 'marking-fettle.ts'), ...argv, '-i', lab.inventoryPath];
  const { code, stdout, stderr } = await lab.exec([...strace, '-e', `trace=${calls}`, ...node, ...fettle]);
  if (code !== 0) throw new Error(`fettle ${argv.join(' ')} ended with ${code}\n${stdout}\n${stderr}`);
  return {
    trace: await readFile(file, 'utf8'),
    events: readEvents(lab.ledgerPath),
    addresses: new Map(lab.hosts.map((host) => [host.name, host.address])),
  };
}

export function proofsOf({ trace, events, addresses }: TracedRun): readonly Proof[] {
  const traced = parseTrace(trace);
  return prove(traced, sideEffects(traced, addresses), events);
}

/** `start install`, `collect reboot`, `hook before_host`: a job's part is between the host's digest and the attempt. */
export function titleOf({ kind, what }: SideEffect): string {
  const [, part] = /^[0-9a-z]{26}-[0-9a-f]{12}-(.*)-\d+$/.exec(what) ?? [];
  return `${kind} ${part ?? what}`;
}
