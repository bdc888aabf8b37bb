// The current state of a run, folded from its events.
import type { AbsentHost, LiveEvent, RunEvent, RunKind, RunStarted, StepName } from '../../domain/event.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { newestLine } from '../../base/text.ts';

export interface HostProgress {
  readonly host: string;
  phase: 'waiting' | 'running' | 'done';
  attempt: number;
  step?: StepName;
  /** When the step began, in the same reading as `atMs` of `reduceRun`. */
  stepSinceMs: number;
  /** The current step of the job, as the host reports it. */
  note?: string;
  /** Newest line of output, as it came. */
  line?: string;
  /** Output since the last line break. */
  tail: string;
  outcome?: Outcome;
}

export interface RunProgress {
  run?: string;
  kind?: RunKind;
  playbook?: string;
  planSha256?: string;
  readonly hosts: Map<string, HostProgress>;
  /** Of the plan, with nothing to do. */
  idle: readonly string[];
  /** Took no part when the plan was made. */
  absent: readonly AbsentHost[];
  wave?: { readonly index: number; readonly name: string; readonly hosts: readonly string[] };
  budget?: { readonly spent: number; readonly allowed: number };
  /** Of the first event; undefined before it. */
  startedMs?: number;
  endedMs?: number;
  isResumed: boolean;
  stopping?: Extract<RunEvent, { readonly type: 'run.stopping' }>;
  detached?: Extract<RunEvent, { readonly type: 'run.detached' }>;
  finished?: Extract<RunEvent, { readonly type: 'run.finished' }>;
  readonly warnings: { readonly host?: string; readonly message: string }[];
}

export function emptyRun(): RunProgress {
  return { hosts: new Map(), idle: [], absent: [], isResumed: false, warnings: [] };
}

/** Longest part of an unfinished line that is kept; a host may print without end. */
const tailLimit = 1_000;

/**
 * Folds one event into the state and returns it. In place: a fleet sends too many events to copy the state for each.
 * `atMs` is a reading of any one clock; only differences are used.
 */
export function reduceRun(state: RunProgress, event: RunEvent | LiveEvent, atMs: number): RunProgress {
  state.startedMs ??= atMs;
  if ('run' in event && event.run !== undefined) state.run ??= event.run;
  if (event.type.startsWith('run.') || event.type.startsWith('wave.')) foldRun(state, event, atMs);
  else foldHost(state, event, atMs);
  return state;
}

function foldRun(state: RunProgress, event: RunEvent | LiveEvent, atMs: number): void {
  switch (event.type) {
    case 'run.started':
      state.kind = event.kind;
      if (event.playbook !== undefined) state.playbook = event.playbook;
      if (event.planSha256 !== undefined) state.planSha256 = event.planSha256;
      for (const host of event.hosts) hostOf(state, host);
      takeOthers(state, event);
      break;
    case 'run.resumed':
      state.kind ??= 'apply';
      takeOthers(state, event);
      state.isResumed = true;
      break;
    case 'run.stopping':
      state.stopping = event;
      break;
    case 'run.detached':
      state.detached = event;
      state.endedMs = atMs;
      break;
    case 'run.finished':
      state.finished = event;
      state.endedMs = atMs;
      break;
    case 'wave.started':
      state.wave = { index: event.wave, name: event.name, hosts: event.hosts };
      for (const host of event.hosts) hostOf(state, host);
      break;
    default:
  }
}

function takeOthers(state: RunProgress, { idle, absent }: Pick<RunStarted, 'idle' | 'absent'>): void {
  state.idle = idle ?? state.idle;
  state.absent = absent ?? state.absent;
}

function foldHost(state: RunProgress, event: RunEvent | LiveEvent, atMs: number): void {
  switch (event.type) {
    case 'host.started':
      begin(hostOf(state, event.host), event.attempt);
      break;
    case 'host.scanned':
      if (event.purpose === 'scan' && isReadOnly(state)) end(hostOf(state, event.host));
      break;
    case 'step.started':
      Object.assign(hostOf(state, event.host), { phase: 'running', step: event.step, stepSinceMs: atMs, tail: '' });
      break;
    case 'step.finished':
      finishStep(state, hostOf(state, event.host));
      break;
    case 'host.finished':
      foldOutcome(state, hostOf(state, event.host), event.outcome);
      break;
    case 'note':
      if (event.level === 'warn') state.warnings.push(warningOf(event));
      break;
    case 'live.output':
      foldOutput(hostOf(state, event.host), event.text);
      break;
    case 'live.note':
      hostOf(state, event.host).note = event.note;
      break;
    case 'live.budget':
      state.budget = { spent: event.spent, allowed: event.allowed };
      break;
    default:
  }
}

/** `plan` and `scan` query hosts: a host is finished once it was scanned. */
function isReadOnly(state: RunProgress): boolean {
  return state.kind === 'scan' || state.kind === 'plan';
}

function hostOf(state: RunProgress, name: string): HostProgress {
  const known = state.hosts.get(name);
  if (known !== undefined) return known;
  const made: HostProgress = { host: name, phase: 'waiting', attempt: 0, stepSinceMs: 0, tail: '' };
  state.hosts.set(name, made);
  return made;
}

function begin(host: HostProgress, attempt: number): void {
  host.attempt = attempt;
  host.phase = 'waiting';
  delete host.outcome;
}

function finishStep(state: RunProgress, host: HostProgress): void {
  const isOver = state.kind === 'exec' && host.step === 'exec';
  delete host.step;
  delete host.note;
  delete host.line;
  host.tail = '';
  host.phase = isOver || host.phase === 'done' ? 'done' : 'waiting';
}

/** A host whose metadata was refreshed for a plan ends that as `skipped`; it is scanned again afterwards. */
function foldOutcome(state: RunProgress, host: HostProgress, outcome: Outcome): void {
  end(host);
  if (isReadOnly(state) && outcome.verdict === 'skipped' && outcome.error === undefined) return;
  host.outcome = outcome;
}

function end(host: HostProgress): void {
  host.phase = 'done';
  delete host.step;
  delete host.note;
  delete host.line;
  host.tail = '';
}

function foldOutput(host: HostProgress, text: string): void {
  const all = host.tail + text;
  const line = newestLine(all.slice(-4 * tailLimit));
  if (line !== '') host.line = line.slice(0, tailLimit);
  host.tail = all.slice(all.lastIndexOf('\n') + 1).slice(-tailLimit);
}

function warningOf(event: Extract<RunEvent, { readonly type: 'note' }>): RunProgress['warnings'][number] {
  return event.host === undefined ? { message: event.message } : { host: event.host, message: event.message };
}
