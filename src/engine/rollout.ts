import { admit, effectiveWaves } from '../domain/admission.ts';
import type { Admission } from '../domain/admission.ts';
import { FettleError } from '../domain/error.ts';
import type { RunEvent } from '../domain/event.ts';
import type { ExitName } from '../domain/exit.ts';
import type { Host } from '../domain/host.ts';
import type { IdentityJudgement } from '../domain/identity.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Plan } from '../domain/plan.ts';
import type { HostFacts } from '../domain/scan.ts';
import { asFettleError } from './context.ts';
import type { RunContext } from './context.ts';
import type { HostRemote } from './host-remote.ts';
import { checkHost, runHost } from './host-run.ts';
import type { HostTask } from './host-work.ts';
import { isInFlight } from './member.ts';
import type { Member } from './member.ts';
import { runResult } from './run-result.ts';
import type { RunResult } from './run-result.ts';

export interface RolloutOptions extends RunContext {
  readonly plan: Plan;
  readonly members: readonly Member[];
  readonly openRemote: (host: Host) => HostRemote;
  readonly isController: (facts: HostFacts) => boolean;
}

/** A lease is worth three missed heartbeats. */
const leaseMs = 120_000;
const renewMs = 40_000;
/** How soon `run stop` from another process is noticed. */
const stopPollMs = 2_000;

type StopCause = Extract<RunEvent, { readonly type: 'run.stopping' }>['cause'];

interface Stopping {
  readonly cause: StopCause;
  readonly message: string;
}

/**
 * One rollout while it lasts: its hosts' phases, the leases and their heartbeat, the two signals, the reboot slots. All
 * decisions are `admit`'s. A ledger that fails stops admission and lets go of what is in flight: jobs go on on hosts.
 */
export class Rollout implements AsyncDisposable {
  readonly members: readonly Member[];
  readonly #options: RolloutOptions;
  readonly #context: RunContext;
  readonly #stop = new AbortController();
  readonly #detach = new AbortController();
  readonly #heart = new AbortController();
  readonly #onOuterStop = (): void => this.#wake();
  #heartbeat: Promise<void> = Promise.resolve();
  #change = Promise.withResolvers<void>();
  #stopping: Stopping | undefined;
  #toldStop: Stopping | undefined;
  #ledgerError: FettleError | undefined;
  #wave: number | undefined;
  #budgetShown = '';

  constructor(options: RolloutOptions) {
    this.#options = options;
    this.members = options.members;
    this.#context = {
      ...options,
      stop: AbortSignal.any([options.stop, this.#stop.signal]),
      detach: AbortSignal.any([options.detach, this.#detach.signal]),
    };
    this.#context.stop.addEventListener('abort', this.#onOuterStop);
    this.#context.detach.addEventListener('abort', this.#onOuterStop);
  }

  /** Let go: by a detach, or because nothing can be recorded any more. */
  get isLetGo(): boolean {
    return this.#context.detach.aborted;
  }

  async emit(events: readonly RunEvent[]): Promise<void> {
    await this.#context.record.append(events);
    for (const event of events) this.#context.sink.event(event);
  }

  /** Does what needs the ledger; a failure of it ends admission and is told by the result. */
  async attempt(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      this.#ledgerFailed(asFettleError(error));
      return false;
    }
  }

  /** Hosts that another run holds are left alone and named. False when the ledger failed. */
  takeLeases(): Promise<boolean> {
    const { run, operator, clock, record } = this.#options;
    return this.attempt(async () => {
      const open = this.members.filter((member) => member.phase !== 'done');
      const nowMs = clock.now();
      const hostIds = open.map((member) => member.host.id);
      const answer = await record.acquireLeases({ run, holder: operator, hostIds, nowMs, expiresMs: nowMs + leaseMs });
      const fences = new Map(answer.taken.map((lease) => [lease.hostId, lease.fence]));
      for (const member of open) member.fence = fences.get(member.host.id) ?? 0;
      for (const held of answer.refused) {
        const member = open.find((item) => item.host.id === held.hostId);
        if (member !== undefined) await this.#endUnstarted(member, heldBy(held));
      }
    });
  }

  startHeartbeat(): void {
    this.#heartbeat = this.#beat();
  }

  /** What the record knows of hosts that an earlier process worked on. */
  async recall(): Promise<void> {
    const { record, run } = this.#options;
    const known = this.members.filter((member) => member.phase !== 'done' && (member.state?.attempt ?? 0) > 0);
    await this.attempt(async () => {
      for (const member of known) member.recorded = await record.recordedFacts?.(run, member.host.id);
    });
  }

  /** Hosts in flight from before go on at once, whatever their wave. */
  goOn(): void {
    for (const member of this.members.filter(isInFlight)) this.#launch(member);
  }

  /** Looks at one host without changing packages; the facts tell machines apart. */
  async check(member: Member): Promise<HostFacts | undefined> {
    if (this.#context.stop.aborted) return undefined;
    let facts: HostFacts | undefined;
    await this.attempt(async () => {
      await this.#commitStart(member);
      const { outcome, scan } = await checkHost(this.#task(member));
      facts = scan?.facts;
      member.isRefreshed = true;
      if (outcome !== undefined) await this.#settle(member, outcome);
    });
    return facts;
  }

  /** Two names of one machine go once; the machine fettle runs on and hosts that others stand behind go last. */
  async place(judgement: IdentityJudgement): Promise<void> {
    await this.attempt(async () => {
      for (const { host, reason } of judgement.duplicates) {
        const member = this.members.find((item) => item.host.name === host);
        if (member?.phase !== 'waiting') continue;
        const hint = 'keep one of the two names in the inventory';
        await this.#endUnstarted(member, { verdict: 'skipped', change: 'none', reason, hint });
      }
      const { run } = this.#options;
      const notes = judgement.warnings.map((message) => ({ type: 'note', run, level: 'warn', message }) as const);
      if (notes.length > 0) await this.emit(notes);
    });
    for (const member of this.members) member.isController = judgement.controller.includes(member.host.name);
    const waves = effectiveWaves(this.members.map((member) => ({ ...member, host: member.host.name })));
    for (const member of this.members) member.wave = waves.get(member.host.name) ?? member.wave;
  }

  /** Starts what `admit` allows after every change until nothing is in flight and nothing may start. */
  async throughWaves(): Promise<void> {
    for (;;) {
      const change = this.#change.promise;
      const admission = this.#admission();
      await this.attempt(() => this.#tell(admission));
      if (admission.status !== 'running') return;
      const isStillOpen = !this.#context.stop.aborted;
      const starting = isStillOpen ? admission.start : [];
      for (const member of this.members) if (starting.includes(member.host.name)) this.#launch(member);
      await change;
    }
  }

  result(interruptedAs: ExitName | undefined): RunResult {
    const outcomes = new Map<string, Outcome>();
    for (const { host, outcome } of this.members) if (outcome !== undefined) outcomes.set(host.name, outcome);
    const pending = this.members.filter((member) => member.outcome === undefined).map((member) => member.host.name);
    const stopped = this.#stoppedAs(interruptedAs);
    const result = runResult({
      plan: this.#options.plan,
      outcomes,
      pending,
      ...(stopped === undefined ? {} : { stopped }),
    });
    if (this.#ledgerError === undefined) return result;
    const { message } = this.#ledgerError;
    return { ...result, exitName: 'ledger', reasons: [`the ledger failed: ${message}`, ...result.reasons] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#heart.abort();
    await this.#heartbeat;
    this.#context.stop.removeEventListener('abort', this.#onOuterStop);
    this.#context.detach.removeEventListener('abort', this.#onOuterStop);
    await Promise.all(this.members.map((member) => member.remote?.[Symbol.asyncDispose]()));
  }

  #stoppedAs(interruptedAs: ExitName | undefined): { exit: ExitName; reason: string } | undefined {
    const isSignal = this.#options.stop.aborted || this.#options.detach.aborted;
    if (isSignal) return { exit: interruptedAs ?? 'interrupted', reason: 'interrupted; the run can be resumed' };
    return this.#stopping === undefined ? undefined : { exit: 'stopped', reason: this.#stopping.message };
  }

  async #beat(): Promise<void> {
    const { clock, record, run } = this.#options;
    let renewedMs = clock.elapsedMs();
    while (!this.#heart.signal.aborted) {
      try {
        await clock.sleep(stopPollMs, this.#heart.signal);
      } catch {
        return;
      }
      await this.attempt(async () => {
        if (await record.stopRequested(run)) this.#stopFor('operator', 'somebody asked the run to stop');
        if (clock.elapsedMs() - renewedMs < renewMs) return;
        await record.renewLeases(run, clock.now() + leaseMs);
        renewedMs = clock.elapsedMs();
      });
    }
  }

  #admission(): Admission {
    const { plan } = this.#options;
    const rebootConcurrency = plan.reboot.concurrency;
    return admit({
      hosts: this.members.map((member) => ({
        host: member.host.name,
        wave: member.wave,
        phase: member.phase,
        ...(member.outcome === undefined ? {} : { outcome: member.outcome }),
        clusters: member.hostPlan.clusters,
        after: member.after,
        isController: member.isController,
      })),
      waves: plan.waves,
      concurrency: plan.concurrency,
      ...(rebootConcurrency === undefined ? {} : { rebootConcurrency }),
      budget: plan.budget,
      selected: plan.hosts.length + plan.absent.length,
      elsewhere: plan.absent.flatMap((item): Outcome[] =>
        item.kind === 'unreachable' || item.kind === 'failed'
          ? [{ verdict: item.kind, change: 'none', reason: item.reason }]
          : [],
      ),
      isStopping: this.#context.stop.aborted || this.#context.detach.aborted,
    });
  }

  /** Commits and shows what the admission means: waves that begin and end, the budget, a stop. */
  async #tell(admission: Admission): Promise<void> {
    const { run, plan, sink, stop } = this.#options;
    const { spent, allowed } = admission.budget;
    if (this.#budgetShown !== `${spent}/${allowed}`) sink.event({ type: 'live.budget', spent, allowed });
    this.#budgetShown = `${spent}/${allowed}`;
    if (this.#wave !== undefined && admission.wave !== this.#wave) {
      await this.emit([{ type: 'wave.finished', run, wave: this.#wave, name: plan.waves[this.#wave]?.name ?? '' }]);
      this.#wave = undefined;
    }
    if (admission.spent !== undefined) this.#stopFor('budget', describeSpent(admission.spent));
    else if (stop.aborted) this.#stopFor('signal', 'interrupted: no new host is started');
    if (this.#toldStop !== this.#stopping && this.#stopping !== undefined && this.#ledgerError === undefined) {
      this.#toldStop = this.#stopping;
      await this.emit([{ type: 'run.stopping', run, ...this.#stopping }]);
    }
    if (admission.wave === undefined || admission.wave === this.#wave || admission.start.length === 0) return;
    this.#wave = admission.wave;
    const hosts = this.members.filter((member) => member.wave === this.#wave).map((member) => member.host.name);
    await this.emit([{ type: 'wave.started', run, wave: this.#wave, name: plan.waves[this.#wave]?.name ?? '', hosts }]);
  }

  #stopFor(cause: StopCause, message: string): void {
    if (this.#stopping !== undefined) return;
    this.#stopping = { cause, message };
    this.#stop.abort(new Error(message));
  }

  #ledgerFailed(error: FettleError): void {
    this.#ledgerError ??= error;
    this.#stopFor('ledger', `the ledger failed: ${error.message}`);
    this.#detach.abort(error);
    this.#wake();
  }

  #wake(): void {
    const { resolve } = this.#change;
    this.#change = Promise.withResolvers<void>();
    resolve();
    this.#grantReboots();
  }

  #launch(member: Member): void {
    member.phase = 'running';
    void this.attempt(async () => {
      await this.#commitStart(member);
      await this.#settle(member, await runHost(this.#task(member)));
    }).then((isRecorded) => {
      if (isRecorded) return;
      member.outcome ??= { verdict: 'detached', change: 'unknown', reason: 'let go: the ledger cannot be written' };
      member.phase = 'done';
      this.#wake();
    });
  }

  /** The attempt is a committed event before anything starts. */
  async #commitStart(member: Member): Promise<void> {
    if (member.isStarted) return;
    const { host, attempt, wave } = member;
    const of = { run: this.#options.run, host: host.name, hostId: host.id };
    await this.emit([{ type: 'host.started', ...of, attempt, wave }]);
    member.isStarted = true;
  }

  #task(member: Member): HostTask {
    const { host, hostPlan, attempt, fence, state, recorded, isRefreshed } = member;
    member.remote ??= this.#options.openRemote(host);
    const context = {
      ...this.#context,
      host,
      remote: member.remote,
      attempt,
      fence,
      isController: this.#options.isController,
      rebootSlot: (signal: AbortSignal) => this.#rebootSlot(member, signal),
    };
    return {
      context,
      plan: this.#options.plan,
      hostPlan,
      isRefreshed,
      ...(state === undefined ? {} : { state }),
      ...(recorded === undefined ? {} : { recorded }),
    };
  }

  async #rebootSlot(member: Member, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    const granted = Promise.withResolvers<void>();
    const onAbort = (): void => granted.reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    member.grantReboot = granted.resolve;
    member.phase = 'wants-reboot';
    this.#grantReboots();
    try {
      await granted.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      member.grantReboot = undefined;
      if (signal.aborted) member.phase = 'running';
    }
    return {
      [Symbol.dispose]: () => {
        if (member.phase === 'rebooting') member.phase = 'running';
        this.#wake();
      },
    };
  }

  #grantReboots(): void {
    const granted = this.#admission().reboot;
    for (const member of this.members) {
      if (!granted.includes(member.host.name)) continue;
      member.phase = 'rebooting';
      member.grantReboot?.();
    }
  }

  /** A host that never got as far as a check. */
  async #endUnstarted(member: Member, outcome: Outcome): Promise<void> {
    await this.#commitStart(member);
    const { host, attempt } = member;
    const of = { run: this.#options.run, host: host.name, hostId: host.id };
    await this.emit([{ type: 'host.finished', ...of, attempt, outcome }]);
    await this.#settle(member, outcome);
  }

  /** The lease of a host that is lost or let go stays until it expires or the run is resumed: its job may go on. */
  async #settle(member: Member, outcome: Outcome): Promise<void> {
    member.outcome = outcome;
    member.phase = 'done';
    if (outcome.error?.code === 'ledger') this.#ledgerFailed(new FettleError('ledger', outcome.error.message));
    this.#wake();
    await member.remote?.[Symbol.asyncDispose]();
    member.remote = undefined;
    const isHeld = outcome.error?.code === 'lock-held' && member.fence === 0;
    if (outcome.verdict === 'lost' || outcome.verdict === 'detached' || isHeld) return;
    await this.#options.record.releaseLease(this.#options.run, member.host.id);
  }
}

type Refusal = Awaited<ReturnType<RunContext['record']['acquireLeases']>>['refused'][number];

function heldBy({ run, holder, expiresMs }: Refusal): Outcome {
  const who = `${holder.user}@${holder.controller}`;
  const reason = `run ${run} of ${who} (pid ${holder.pid}) holds it until ${new Date(expiresMs).toISOString()}`;
  const hint = `wait for it, or stop it: fettle run stop ${run}`;
  const error = { code: 'lock-held', message: reason, hint, details: { run, holder: who } } as const;
  return { verdict: 'skipped', change: 'none', reason, hint, error };
}

function describeSpent({ scope, name, state }: NonNullable<Admission['spent']>): string {
  const where = scope === 'run' ? 'of the run' : `of wave ${name}`;
  const parts = Object.entries(state.byClass).filter(([, count]) => count > 0);
  const what = parts.map(([kind, count]) => `${count} ${kind}`).join(', ');
  return `the budget ${where} is spent: ${what}; ${state.allowed} allowed`;
}
