import { FettleError } from '../domain/error.ts';
import type { JobId, JobKind, JobPhase, JobResult, JobStatus } from '../domain/job.ts';
import type { Session } from '../transport/session.ts';
import { parseFrame, parseFrameBytes } from './frame.ts';
import { runScript } from './launch.ts';
import type { ScriptInput, ScriptOptions, ScriptRequest } from './script.ts';
import { jobScript } from './scripts.ts';

export interface StartOptions {
  readonly job: JobId;
  readonly kind: JobKind;
  readonly run: string;
  readonly controller: string;
  /** Number of the lease: a host refuses a start with a smaller number than it has recorded. */
  readonly fence: number;
  /** The package manager that does the work; absent where none does. */
  readonly manager?: string;
  readonly request: ScriptInput;
  /** How long the host waits for the job's end before it answers, seconds; with its news in the same answer. */
  readonly waitSec?: number;
}

/** Where a job is after its start. */
export interface StartedJob extends JobStatus {
  /** Absent where none were waited for. */
  readonly news?: JobNews;
}

export interface FollowOptions {
  /** How long the host waits for news before it answers, seconds. */
  readonly waitSec: number;
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

export interface JobNews {
  readonly status: JobStatus;
  readonly log: Buffer;
  /** Where to read on, bytes. */
  readonly offset: number;
  readonly result?: JobResult;
}

/** Of a job's log in the answer to its start. */
const firstBytes = 64 * 1024;
/** How long a host may take for an answer besides the time that it was asked to wait. Milliseconds. */
const answerMs = 60_000;

const phases: readonly string[] = ['absent', 'claimed', 'running', 'done', 'crashed', 'interrupted', 'collected'];
const controllerWord = /[^A-Za-z0-9.+~:_@/-]/g;

/** Claims and starts the job once; a job that is there already is attached to. A host in another run is `lock-held`. */
export async function startJob(session: Session, start: StartOptions, options?: ScriptOptions): Promise<StartedJob> {
  const { job, kind, run, fence, manager, request, waitSec } = start;
  const controller = start.controller.replace(controllerWord, '_');
  const fields = {
    ...request.fields,
    ...(manager === undefined ? {} : { manager }),
    job,
    kind,
    run,
    controller,
    fence,
    ...(waitSec === undefined ? {} : { wait: waitSec, max: firstBytes }),
  };
  const managers = manager === undefined ? [] : [manager];
  const sections = await ask(session, { verb: 'start', managers, fields, rows: request.rows ?? [] }, options);
  const news = readNews(sections, 0);
  return sections.has('log') ? { ...news.status, news } : news.status;
}

/** What is new since `offset`; the host waits up to `waitSec` for it and has a minute more to answer. */
export async function followJob(
  session: Session,
  job: JobId,
  offset: number,
  options: FollowOptions,
): Promise<JobNews> {
  const { waitSec, maxBytes, signal } = options;
  const timeoutMs = waitSec * 1_000 + answerMs;
  const fields = { job, offset, wait: waitSec, max: maxBytes };
  const sections = await ask(
    session,
    { verb: 'follow', fields },
    { timeoutMs, ...(signal === undefined ? {} : { signal }) },
  );
  return readNews(sections, offset);
}

function readNews(sections: ReadonlyMap<string, Buffer>, offset: number): JobNews {
  const status = readStatus(sections.get('status')?.toString('utf8') ?? '');
  const log = sections.get('log') ?? Buffer.alloc(0);
  const result = sections.get('result');
  return {
    status,
    log,
    offset: offset + log.length,
    ...(result === undefined ? {} : { result: readResult(result) }),
  };
}

/** Removes the files of a job that is over and leaves its name, which keeps it from being started again. */
export async function collectJob(session: Session, job: JobId, options?: ScriptOptions): Promise<void> {
  await ask(session, { verb: 'collect', fields: { job } }, options);
}

/**
 * Collects jobs of other runs that ended more than a week ago and, where this run is `done` with the host, all of its
 * own that are over; answers with their names.
 */
export async function sweepJobs(
  session: Session,
  { run, isDone }: { readonly run: string; readonly isDone: boolean },
  options?: ScriptOptions,
): Promise<readonly JobId[]> {
  const fields = { job: 'sweep', own: run.toLowerCase(), over: isDone ? 'yes' : 'no' };
  const sections = await ask(session, { verb: 'sweep', fields }, options);
  return (sections.get('swept')?.toString('utf8') ?? '').split('\n', mostSwept).filter((line) => line !== '');
}

async function ask(
  session: Session,
  request: ScriptRequest,
  options?: ScriptOptions,
): Promise<ReadonlyMap<string, Buffer>> {
  const { stdout } = await runScript(session, jobScript(request), request, options);
  const sections = parseFrameBytes(stdout);
  const refused = sections.get('refused')?.toString('utf8').slice(0, longestMessage).split('\n', 2);
  if (refused !== undefined) throw refusal(refused[0] ?? '', refused[1] ?? '', String(request.fields?.['run'] ?? ''));
  return sections;
}

function refusal(code: string, words: string, ownRun: string): FettleError {
  switch (code) {
    case 'lock-held':
      return lockHeld(words, ownRun);
    case 'running':
      return new FettleError('lock-held', words, { hint: 'it can be collected when it has ended' });
    case 'queue':
      return new FettleError('lock-held', words, {
        hint: 'try again; if it persists, check that process on the host',
      });
    case 'read-only':
      return new FettleError('disk', words, {
        hint: 'find the cause (dmesg, /etc/fstab), then run on the host: mount -o remount,rw',
      });
    case 'task':
      return new FettleError('command', words, {
        hint: 'check the Task Scheduler service of the host and its Operational event log',
      });
    case 'bad-request':
      return new FettleError('command', `the host refuses the request: ${words}`);
    default:
      return new FettleError('disk', words, {
        hint: 'free space on that disk; if there is enough, check the owner of the job directory',
      });
  }
}

function lockHeld(words: string, ownRun: string): FettleError {
  const [run = '', job = '', controller = ''] = words.split(' ');
  if (run === ownRun) {
    return new FettleError('lock-held', `${job} of this run is still running`, {
      hint: `when it has ended: fettle run resume ${run}`,
      details: { run, job, controller },
    });
  }
  return new FettleError('lock-held', `another run is working on the host: ${run} from ${controller}`, {
    hint: `wait for that run, or release the host there with: fettle run abandon`,
    details: { run, job, controller },
  });
}

/** Some words a line; more is no status. */
const longestStatus = 16 * 1024;
/** Of the message of a job at its end. */
const longestMessage = 16 * 1024;
/** Names of jobs that one host may have swept at once. */
const mostSwept = 10_000;

function readStatus(text: string): JobStatus {
  const lines = new Map(
    text
      .slice(0, longestStatus)
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
  );
  const phase = lines.get('phase') ?? '';
  const logBytes = Number(lines.get('log') ?? '');
  if (!isPhase(phase) || !Number.isSafeInteger(logBytes)) {
    throw new FettleError('parse', 'the state of the job on the host cannot be parsed', {
      details: { text: text.slice(0, 200) },
    });
  }
  const [note, bootId] = [lines.get('note') ?? '', lines.get('boot') ?? ''];
  return { phase, logBytes, ...(note === '' ? {} : { note }), ...(bootId === '' ? {} : { bootId }) };
}

function isPhase(word: string): word is JobPhase {
  return phases.includes(word);
}

function readResult(bytes: Buffer): JobResult {
  const sections = parseFrame(bytes);
  const [first = '', message = ''] = (sections.get('verdict') ?? '').slice(0, longestMessage).split('\n', 2);
  const [verdict = '', code = ''] = first.split(' ');
  const [started, ended] = (sections.get('times') ?? '').split(' ', 2).map(Number);
  if (!/^[a-z-]+$/.test(verdict) || !/^\d{1,10}$/.test(code)) {
    throw new FettleError('parse', 'the result of the job on the host cannot be parsed', { details: { first } });
  }
  const words = message.trim();
  return {
    exitCode: Number(code),
    verdict,
    ...(words === '' ? {} : { message: words }),
    sections: Object.fromEntries([...sections].filter(([name]) => name !== 'verdict' && name !== 'times')),
    ...(Number.isFinite(started) ? { startedMs: Number(started) * 1000 } : {}),
    ...(Number.isFinite(ended) ? { endedMs: Number(ended) * 1000 } : {}),
  };
}
