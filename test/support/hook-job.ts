// Small jobs for tests: a script that runs as a hook, followed to its end.
import { existsSync } from 'node:fs';
import type { JobPhase } from '../../src/domain/job.ts';
import { followJob } from '../../src/remote/jobs.ts';
import type { JobNews, StartOptions } from '../../src/remote/jobs.ts';
import { runScript, toOctal } from '../../src/remote/launch.ts';
import { jobScript } from '../../src/remote/scripts.ts';
import type { ShellSession } from './shell-session.ts';

export const noLinux = existsSync('/proc/self/stat') ? undefined : 'not a Linux machine';

export function hook(job: string, script: string, over: Partial<StartOptions> = {}): StartOptions {
  const request = { fields: { script: toOctal(script) } };
  return { job, kind: 'hook', run: 'R1', controller: 'jump host 1', fence: 1, request, ...over };
}

export async function ended(session: ShellSession, job: string): Promise<JobNews> {
  let [offset, log] = [0, Buffer.alloc(0)];
  for (;;) {
    const news = await followJob(session, job, offset, { waitSec: 10, maxBytes: 1024 * 1024 });
    offset = news.offset;
    log = Buffer.concat([log, news.log]);
    if (!['running', 'claimed'].includes(news.status.phase) && news.log.length === 0) return { ...news, log };
  }
}

export async function phaseOf(session: ShellSession, job: string): Promise<JobPhase> {
  return (await followJob(session, job, 0, { waitSec: 0, maxBytes: 1 })).status.phase;
}

/** Claims without starting: what a controller leaves that dies between the two. */
export async function claimOnly(session: ShellSession, start: StartOptions): Promise<void> {
  const { job, kind, run, fence, request } = start;
  const fields = { ...request.fields, job, kind, run, controller: 'one', fence, only: 'claim' };
  await runScript(session, jobScript(), { verb: 'start', fields });
}
