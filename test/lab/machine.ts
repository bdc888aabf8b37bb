import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeHostKey } from './host-disk.ts';
import { cut, restore, setLink } from './network.ts';
import { hostDirOf, hostNetnsOf } from './places.ts';
import type { LabPlaces } from './places.ts';
import { insideOf } from './inside.ts';
import { run } from './shell.ts';
import { usualReboot } from './spec.ts';
import type { CutMode, HostSpec, HostState, HostStatus, RebootBehaviour } from './spec.ts';

const enterScript = join(import.meta.dirname, 'host/enter.sh');

/** The shell puts itself, and so everything after it, into the host's control group. */
const joinGroup = 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"';

const newKeyScript = `key=/etc/ssh/ssh_host_ed25519_key
rm -f "$key" "$key.pub"
ssh-keygen -q -t ed25519 -N '' -f "$key"
if [ -d /run/systemd/system ]; then
  systemctl restart ssh
else
  old=$(cat /run/sshd.pid)
  kill "$old"
  while kill -0 "$old" 2>/dev/null; do sleep 0.05; done
fi`;

/**
 * One host: a process in namespaces of its own. reboot(2) inside ends it with SIGHUP to restart and SIGINT to power
 * off (pid_namespaces(7)), and this starts it again with a new boot id.
 */
export class Machine {
  readonly spec: HostSpec;
  behaviour: RebootBehaviour = usualReboot;
  readonly #places: LabPlaces;
  readonly #stop = new AbortController();
  #process: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #state: HostState = 'off';
  #bootId = '';
  #boots = 0;
  #cut: CutMode | undefined;
  #restoreTimer: NodeJS.Timeout | undefined;

  readonly #keyChanged: () => Promise<void>;

  /** `keyChanged` is called whenever the host has got a new host key. */
  constructor(places: LabPlaces, spec: HostSpec, keyChanged: () => Promise<void>) {
    this.#places = places;
    this.spec = spec;
    this.#keyChanged = keyChanged;
  }

  status(): HostStatus {
    const { name, address, flavour } = this.spec;
    const pid = this.#initPid();
    return {
      ...{ name, address, flavour, state: this.#state, bootId: this.#bootId, boots: this.#boots },
      ...(pid === undefined ? {} : { pid }),
      ...(this.#cut === undefined ? {} : { cut: this.#cut }),
    };
  }

  /** Starts a host that is off, and waits for it as `awaitSsh` does. */
  async powerOn(): Promise<void> {
    this.#stop.signal.throwIfAborted();
    if (this.#state === 'off') {
      await this.#ended;
      await this.#boot(this.#boots === 0 ? this.spec.uptimeSec : 0);
    }
    await this.awaitSsh();
  }

  /** Takes the power away: nothing on the host gets to know, and no packet leaves it any more. */
  async powerOff(): Promise<void> {
    this.#state = 'off';
    await setLink(this.#places, this.spec, false);
    this.#kill();
    await this.#ended;
  }

  async cutNetwork(mode: CutMode, forMs?: number): Promise<void> {
    await this.restoreNetwork();
    await cut(this.#places, this.spec, mode);
    this.#cut = mode;
    if (forMs === undefined) return;
    this.#restoreTimer = setTimeout(
      () => void this.restoreNetwork().catch((error: unknown) => this.#note(error)),
      forMs,
    );
  }

  async restoreNetwork(): Promise<void> {
    clearTimeout(this.#restoreTimer);
    const mode = this.#cut;
    if (mode === undefined) return;
    this.#cut = undefined;
    if (mode === 'link' && this.#state !== 'on') return;
    await restore(this.#places, this.spec, mode);
  }

  /** On a running host the key is made inside, and sshd started anew. */
  async newHostKey(): Promise<void> {
    const pid = this.#initPid();
    if (pid === undefined)
      await makeHostKey(join(hostDirOf(this.#places, this.spec.name), 'disk/upper'), this.spec.name);
    else await run(insideOf(pid, ['sh', '-c', newKeyScript]));
    await this.#keyChanged();
    if (pid !== undefined) await this.awaitSsh();
  }

  /** Ends the host for good. */
  async end(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#restoreTimer);
    this.#state = 'off';
    this.#kill();
    await this.#ended;
  }

  async #boot(uptimeSec: number): Promise<void> {
    const directory = hostDirOf(this.#places, this.spec.name);
    this.#bootId = randomUUID();
    this.#boots += 1;
    await writeFile(join(directory, 'boot-id'), `${this.#bootId}\n`);
    if (this.#cut !== 'link') await setLink(this.#places, this.spec, true);
    // A port that comes up forwards, whatever it did before.
    if (this.#cut === 'silent') await cut(this.#places, this.spec, 'silent');
    const group = join(this.#places.cgroup, this.spec.name);
    await mkdir(group, { recursive: true });
    const machineUptimeSec = Math.floor(Number((await readFile('/proc/uptime', 'utf8')).split(' ')[0]));
    const clock = ['--time', '--boottime', String(uptimeSec - machineUptimeSec)];
    const namespaces = ['--pid', '--mount', '--uts', '--ipc', '--cgroup', ...clock, '--fork', '--kill-child=KILL'];
    const net = `--net=/run/netns/${hostNetnsOf(this.#places, this.spec.name)}`;
    const enter = ['sh', enterScript, directory, this.#places.repoDir];
    this.#stop.signal.throwIfAborted();
    this.#launch(['sh', '-c', joinGroup, 'sh', group, 'nsenter', net, 'unshare', ...namespaces, ...enter]);
    this.#state = 'on';
  }

  #launch(words: readonly string[]): void {
    const log = openSync(join(hostDirOf(this.#places, this.spec.name), 'console.log'), 'a');
    const [program = '', ...rest] = words;
    const child = spawn(program, rest, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#process = child;
    this.#ended = once(child, 'exit').then(([code, signal]: unknown[]) => {
      this.#process = undefined;
      const hasRestarted = signal === 'SIGHUP' || code === 129;
      if (hasRestarted && this.#state === 'on') void this.#reboot().catch((error: unknown) => this.#note(error));
      else this.#state = 'off';
      if (this.#state === 'off' && !this.#stop.signal.aborted) return setLink(this.#places, this.spec, false);
      return undefined;
    });
  }

  async #reboot(): Promise<void> {
    this.#state = 'rebooting';
    const { downMs, answers, returns, newHostKey } = this.behaviour;
    await setLink(this.#places, this.spec, answers === 'refused' && this.#cut !== 'link');
    if (newHostKey) await this.newHostKey();
    if (!returns) {
      this.#state = 'off';
      return;
    }
    await sleep(downMs, undefined, { signal: this.#stop.signal });
    // Somebody may have pulled the plug meanwhile.
    if (this.#state === 'rebooting') await this.#boot(0);
  }

  /** PID 1 of the host is the only child of its `unshare`. */
  #initPid(): number | undefined {
    const parent = this.#process?.pid;
    if (parent === undefined) return undefined;
    try {
      const pid = Number(readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ')[0]);
      return pid > 0 ? pid : undefined;
    } catch {
      return undefined;
    }
  }

  /** Killing PID 1 takes the whole host with it, and `unshare` ends only when nothing of it is left. */
  #kill(): void {
    const pid = this.#initPid();
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
    else this.#process?.kill('SIGKILL');
  }

  /** Resolves when sshd answers; at once where the network is cut. */
  async awaitSsh(): Promise<void> {
    if (this.#cut !== undefined) return;
    const deadlineMs = performance.now() + 60_000;
    while (performance.now() < deadlineMs) {
      if (this.#state === 'off') {
        const said = await readFile(join(hostDirOf(this.#places, this.spec.name), 'console.log'), 'utf8');
        throw new Error(`${this.spec.name} ended while it started: ${said.trim().slice(-2_000)}`);
      }
      if (await answersSsh(this.spec.address)) return;
      await sleep(50, undefined, { signal: this.#stop.signal });
    }
    throw new Error(`the sshd of ${this.spec.name} did not answer within 60 s`);
  }

  #note(error: unknown): void {
    if (!this.#stop.signal.aborted) process.stderr.write(`${this.spec.name}: ${String(error)}\n`);
  }
}

/** Whether an SSH server greets at this address, asked from the network namespace of this process. */
async function answersSsh(address: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host: address, port: 22, timeout: 500 });
  socket.once('data', (chunk) => resolve(chunk.toString('latin1').startsWith('SSH-')));
  for (const event of ['error', 'timeout', 'close']) socket.once(event, () => resolve(false));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
