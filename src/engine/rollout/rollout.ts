import type { Admission, AdmissionControl } from '../../domain/admission.ts';
import { asFettleError, FettleError } from '../../domain/error.ts';
import type { RunEvent } from '../../domain/event.ts';
import type { ExitName } from '../../domain/exit.ts';
import type { IdentityJudgement, NamedMachine } from '../../domain/identity.ts';
import { verdicts, type Outcome } from '../../domain/outcome.ts';
import { emit } from '../context.ts';
import type { RunContext } from '../context.ts';
import { checkHost, runHost } from '../host/host-run.ts';
import type { HostTask } from '../host/host-state.ts';
import { isInFlight, setPhase } from './rollout-host.ts';
import type { RolloutHost } from './rollout-host.ts';
import { RunLeases } from '../run-leases.ts';
import { admissionOf, assignWaves, describeSpent, faultWords, heldBy, hostsOf, ofMember } from './admission-state.ts';
import { resultOf, stoppedAs, taskOf, toStart, waitForSlot, warningsOf, waveOf } from './admission-state.ts';
import type { RolloutOptions, Stopping } from './admission-state.ts';
import type { RunResult } from './result.ts';

/**
 * One rollout while it lasts: its hosts' phases, the leases and their heartbeat, the two signals, the reboot slots. All
 * decisions are made by `AdmissionControl`. A ledger that fails stops admission and detaches from hosts in flight: their
 * jobs continue.
 */
export class Rollout implements AsyncDisposable {
  readonly members: readonly RolloutHost[];
  readonly #byName: ReadonlyMap<string, RolloutHost>;
  readonly #options: RolloutOptions;
  #control: AdmissionControl;
  readonly #context: RunContext;
  readonly #stop = new AbortController();
  readonly #detach = new AbortController();
  readonly #onOuterStop = (): void => this.#wake();
  readonly #leases: RunLeases;
  #change = Promise.withResolvers<void>();
  #stopping: Stopping | undefined;
  #publishedStop: Stopping | undefined;
  /** Nothing can be recorded any more, or fettle itself failed. */
  #fault: FettleError | undefined;
  /** Why: another process goes on with the run, and the record is its business now. */
  #handedOver: FettleError | undefined;
  #wave: number | undefined;
  #leftWave: number | undefined;
  #budgetShown = '';

  constructor(options: RolloutOptions) {
    this.#options = options;
    this.members = options.members;
    this.#byName = new Map(options.members.map((member) => [member.host.name, member]));
    this.#control = admissionOf(options.members, options.plan);
    this.#leftWave = options.leftWave;
    this.#context = {
      ...options,
      stop: AbortSignal.any([options.stop, this.#stop.signal]),
      detach: AbortSignal.any([options.detach, this.#detach.signal]),
    };
    this.#leases = new RunLeases({
      ...options,
      onLost: (hostId, error) => this.members.find((item) => item.host.id === hostId)?.lost.abort(error),
      onHandedOver: (error) => {
        this.#handedOver ??= error;
        this.#detach.abort(error);
      },
      onStopRequested: () => this.#stopFor('operator', 'a stop of the run was requested'),
      onFailure: (error) => this.#failWith(asFettleError(error)),
    });
    for (const signal of [this.#context.stop, this.#context.detach])
      signal.addEventListener('abort', this.#onOuterStop);
  }

  /** Detached: by the operator, or because nothing can be recorded. */
  get isDetached(): boolean {
    return this.#context.detach.aborted;
  }

  async emit(events: readonly RunEvent[]): Promise<void> {
    if (this.#handedOver === undefined) await emit(this.#context, events);
  }

  /** Does what needs the ledger; a failure of it ends admission and is part of the result. */
  async attempt(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      this.#failWith(asFettleError(error));
      return false;
    }
  }

  /** Hosts that another run holds are left alone and named. False when the ledger failed. */
  takeLeases(): Promise<boolean> {
    return this.attempt(async () => {
      const open = this.members.filter((member) => member.phase !== 'done');
      const answer = await this.#leases.take(open.map((member) => member.host.id));
      const fences = new Map(answer.taken.map((lease) => [lease.hostId, lease.fence]));
      for (const member of open) member.fence = fences.get(member.host.id) ?? 0;
      for (const held of answer.refused) {
        const member = open.find((item) => item.host.id === held.hostId);
        if (member !== undefined) await this.#endUnstarted(member, heldBy(held, member));
      }
      this.#leases.startHeartbeat();
    });
  }

  /** Hosts in flight from before go on at once, whatever their wave. */
  async goOn(): Promise<void> {
    this.#stopWhereSpent(this.#admission());
    const [inFlight, wave] = [this.members.filter(isInFlight), this.#leftWave];
    if (inFlight.length > 0 && wave !== undefined) await this.attempt(() => this.#begin(wave));
    for (const member of inFlight) this.#launch(member);
  }

  /**
   * Checks one host without changing packages; what it reports and proved distinguishes machines. Only hosts whose turn comes
   * soon stay connected: a fleet must not hold a connection to each of its hosts until its last wave.
   */
  async check(member: RolloutHost, isSoon: boolean): Promise<NamedMachine | undefined> {
    if (this.#context.stop.aborted) return undefined;
    let machine: NamedMachine | undefined;
    await this.attempt(async () => {
      await this.#commitStart(member);
      const { outcome, machine: found, checked } = await checkHost(await this.#task(member));
      machine = found;
      member.isRefreshed = true;
      if (outcome !== undefined) await this.#settle(member, outcome);
      else if (isSoon) member.checked = checked;
      else await this.#disconnect(member);
    });
    return machine;
  }

  /** Two names of one machine go once; the machine fettle runs on and hosts that others stand behind go last. */
  async place(judgement: IdentityJudgement): Promise<void> {
    await this.attempt(async () => {
      for (const { host, reason } of judgement.duplicates) {
        const member = this.#byName.get(host);
        if (member?.phase !== 'waiting') continue;
        const hint = 'keep one of the two names in the inventory, or set patch_enabled: false for one';
        const error = { code: 'config', message: reason, hint } as const;
        await this.#endUnstarted(member, { verdict: 'skipped', change: 'none', reason, hint, error });
      }
      if (judgement.warnings.length > 0) await this.emit(warningsOf(this.#options.run, judgement.warnings));
    });
    assignWaves(this.members, judgement.controller);
    this.#control = admissionOf(this.members, this.#options.plan);
  }

  /** Starts what `admit` allows after every change until nothing is in flight and nothing may start. */
  async throughWaves(): Promise<void> {
    for (;;) {
      const change = this.#change.promise;
      const admission = this.#admission();
      await this.attempt(() => this.#publish(admission));
      const starting = toStart(this.#byName, admission, this.#context);
      if (admission.status !== 'running' && starting.length === 0) return;
      for (const member of starting) this.#launch(member);
      await change;
    }
  }

  result(interruptedAs: ExitName | undefined): RunResult {
    const stopped = stoppedAs(this.#options, interruptedAs, this.#handedOver ?? this.#stopping);
    const result = resultOf(this.members, this.#options.plan, stopped);
    if (this.#fault === undefined) return result;
    const exitName = this.#fault.code === 'ledger' ? 'ledger' : 'internal';
    return { ...result, exitName, reasons: [faultWords(this.#fault), ...result.reasons] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leases[Symbol.asyncDispose]();
    this.#context.stop.removeEventListener('abort', this.#onOuterStop);
    this.#context.detach.removeEventListener('abort', this.#onOuterStop);
    await Promise.all(this.members.map(async (member) => member.remote?.[Symbol.asyncDispose]()));
  }

  #admission(): Admission {
    return this.#control.decide(this.#context.stop.aborted || this.isDetached);
  }

  /** Commits and shows what the admission means: waves that begin and end, the budget, a stop. */
  async #publish(admission: Admission): Promise<void> {
    const { run, log, stop } = this.#options;
    const { spent, allowed } = admission.budget;
    if (this.#budgetShown !== `${spent}/${allowed}`) log.show({ type: 'live.budget', spent, allowed });
    this.#budgetShown = `${spent}/${allowed}`;
    const begun = this.#wave ?? this.#leftWave;
    if (begun !== undefined && admission.wave !== begun) {
      await this.emit([{ type: 'wave.finished', ...waveOf(this.#options, begun) }]);
      this.#wave = this.#leftWave = undefined;
    }
    this.#stopWhereSpent(admission);
    if (stop.aborted) this.#stopFor('signal', 'interrupted: no new host is started');
    if (this.#publishedStop !== this.#stopping && this.#stopping !== undefined && this.#fault === undefined) {
      this.#publishedStop = this.#stopping;
      await this.emit([{ type: 'run.stopping', run, ...this.#stopping }]);
    }
    if (admission.wave === undefined || admission.wave === this.#wave || admission.start.length === 0) return;
    await this.#begin(admission.wave);
  }

  #begin(wave: number): Promise<void> {
    this.#wave = wave;
    return this.emit([{ type: 'wave.started', ...waveOf(this.#options, wave), hosts: hostsOf(this.members, wave) }]);
  }

  #stopWhereSpent({ spent }: Admission): void {
    if (spent !== undefined) this.#stopFor('budget', describeSpent(spent));
  }

  #stopFor(cause: Stopping['cause'], message: string): void {
    if (this.#stopping !== undefined) return;
    this.#stopping = { cause, message };
    this.#stop.abort(new Error(message));
  }

  #failWith(error: FettleError): void {
    this.#fault ??= error;
    this.#stopFor(error.code === 'ledger' ? 'ledger' : 'internal', faultWords(error));
    this.#detach.abort(error);
    this.#wake();
  }

  #wake(): void {
    const { resolve } = this.#change;
    this.#change = Promise.withResolvers<void>();
    resolve();
    this.#grantReboots();
  }

  #launch(member: RolloutHost): void {
    setPhase(member, 'running');
    void this.attempt(async () => {
      await this.#commitStart(member);
      const task = await this.#task(member);
      member.checked = undefined;
      await this.#settle(member, await runHost(task));
    }).then((isRecorded) => {
      if (isRecorded) return;
      const reason = 'detached: the ledger cannot be written';
      setPhase(member, 'done', member.outcome ?? { verdict: 'detached', change: 'unknown', reason });
      this.#wake();
    });
  }

  /** The attempt is a committed event before anything starts. */
  async #commitStart(member: RolloutHost): Promise<void> {
    if (member.isStarted) return;
    await this.emit([{ type: 'host.started', ...ofMember(this.#options.run, member), wave: member.wave }]);
    member.isStarted = true;
  }

  /** What the record knows of the host is read when it is needed and not kept: it holds a whole scan. */
  async #task(member: RolloutHost): Promise<HostTask> {
    const { plan, own, record, run } = this.#options;
    const isKnown = (member.state?.attempt ?? 0) > 0;
    const recorded = isKnown ? await record.recordedFacts(run, member.host.id) : undefined;
    member.remote ??= this.#options.openRemote(member.host);
    const rebootSlot = (signal: AbortSignal): Promise<Disposable> => waitForSlot(member, signal, () => this.#wake());
    const context = { ...this.#context, remote: member.remote, own, rebootSlot, collectsAtEnd: true } as const;
    return { ...taskOf(member, plan, context), ...(recorded === undefined ? {} : { recorded }) };
  }

  async #disconnect(member: RolloutHost): Promise<void> {
    await member.remote?.[Symbol.asyncDispose]();
    member.remote = undefined;
  }

  #grantReboots(): void {
    for (const name of this.#control.reboots()) {
      const member = this.#byName.get(name);
      if (member === undefined) continue;
      setPhase(member, 'rebooting');
      member.grantReboot?.();
    }
  }

  /** A host that never got as far as a check. */
  async #endUnstarted(member: RolloutHost, outcome: Outcome): Promise<void> {
    await this.#commitStart(member);
    await this.emit([{ type: 'host.finished', ...ofMember(this.#options.run, member), outcome }]);
    await this.#settle(member, outcome);
  }

  /** A run that is over holds nothing. Hosts that were detached from stay held until the lease expires or the run is resumed. */
  async releaseLeases(): Promise<void> {
    const over = this.members.filter((member) => !this.isDetached || member.outcome?.verdict !== 'detached');
    await this.#leases.release(over.map((member) => member.host.id));
  }

  /** The lease of a host that is lost or detached from stays while the run lasts: its job may continue. */
  async #settle(member: RolloutHost, outcome: Outcome): Promise<void> {
    setPhase(member, 'done', outcome);
    if (outcome.error?.code === 'ledger') this.#failWith(new FettleError('ledger', outcome.error.message));
    this.#wake();
    await this.#disconnect(member);
    if (!verdicts[outcome.verdict].mayBeAtWork) await this.#leases.release([member.host.id]);
  }
}
