import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './control.ts';
import { insideOf } from './inside.ts';
import { hostDirOf } from './places.ts';
import type { LabPlaces } from './places.ts';
import { capture } from './shell.ts';
import type { CommandResult } from './shell.ts';
import { slowLink } from './slow-link.ts';
import type { SlowLinkOptions } from './slow-link.ts';
import { usualReboot } from './spec.ts';
import type { CutMode, HostSpec, HostStatus, RebootBehaviour } from './spec.ts';

/** What can be done to one host of a lab from outside. */
export class LabHost {
  readonly name: string;
  readonly address: string;
  readonly #places: LabPlaces;
  readonly #spec: HostSpec;

  constructor(places: LabPlaces, spec: HostSpec) {
    this.#places = places;
    this.#spec = spec;
    this.name = spec.name;
    this.address = spec.address;
  }

  async status(): Promise<HostStatus> {
    const status = (await ask(this.#places.controlSocket, { verb: 'status' })).find((host) => host.name === this.name);
    if (status === undefined) throw new Error(`the lab has no host ${this.name}`);
    return status;
  }

  /** The boot id the host has, as the lab gave it. */
  async bootId(): Promise<string> {
    return (await this.status()).bootId;
  }

  async powerOff(): Promise<void> {
    await ask(this.#places.controlSocket, { verb: 'power-off', host: this.name });
  }

  /** Resolves when sshd answers and, with systemd, the system has started. */
  async powerOn(): Promise<void> {
    await ask(this.#places.controlSocket, { verb: 'power-on', host: this.name });
    await this.waitUntilStarted();
  }

  /** Loses its packets, for `forMs` or until restored. */
  async cutNetwork(mode: CutMode = 'silent', forMs?: number): Promise<void> {
    const limit = forMs === undefined ? {} : { forMs };
    await ask(this.#places.controlSocket, { verb: 'cut', host: this.name, mode, ...limit });
  }

  async restoreNetwork(): Promise<void> {
    await ask(this.#places.controlSocket, { verb: 'restore', host: this.name });
  }

  /** Every frame late, and some lost, until the returned function is called. */
  degradeNetwork(options: SlowLinkOptions): Promise<() => Promise<void>> {
    return slowLink(this.#places, this.#spec, options);
  }

  /** How it will behave when it reboots; what is left out is as usual. */
  async onReboot(behaviour: Partial<RebootBehaviour>): Promise<void> {
    const whole = { ...usualReboot, ...behaviour };
    await ask(this.#places.controlSocket, { verb: 'on-reboot', host: this.name, behaviour: whole });
  }

  /** From now on it shows another host key; `knownHostsPath` of the lab keeps the old one. */
  async changeHostKey(): Promise<void> {
    await ask(this.#places.controlSocket, { verb: 'new-host-key', host: this.name });
  }

  /** Waits until it has another boot id than this one and has started. */
  async waitForReboot(bootId: string, timeoutMs = 60_000): Promise<void> {
    await this.#waitFor(timeoutMs, 'reboot', async () => {
      const status = await this.status();
      return status.state === 'on' && status.bootId !== bootId;
    });
    await this.waitUntilStarted();
  }

  /** Runs shell text on the host as root, not through ssh: works with its network cut. */
  async inside(script: string): Promise<CommandResult> {
    const { pid } = await this.status();
    if (pid === undefined) throw new Error(`${this.name} is not running`);
    return capture(insideOf(pid, ['sh', '-c', script]));
  }

  /** Ends the listener, and keeps it from coming back until `startSshd`; sessions go on. */
  async stopSshd(): Promise<void> {
    await this.must(`if [ -d /run/systemd/system ]; then systemctl stop ssh
else : >/run/lab-sshd-off; kill "$(cat /run/sshd.pid)"; fi`);
  }

  async startSshd(): Promise<void> {
    await this.must('if [ -d /run/systemd/system ]; then systemctl start ssh; else rm -f /run/lab-sshd-off; fi');
  }

  /** Ends every ssh session of the host, not the listener. */
  async killSshSessions(): Promise<void> {
    await this.must('pkill -KILL -f "^sshd(-session)?: [a-z]" || :');
  }

  /**
   * Holds a lock file as another package manager would (fcntl(2)); dpkg's frontend lock unless told otherwise. Ends with the
   * returned function. The name of the process is what a message about the holder should say.
   */
  async holdLock(file = '/var/lib/dpkg/lock-frontend', name = 'unattended-upgr'): Promise<() => Promise<void>> {
    const flag = '/run/lab-holds-lock';
    await this.must(`: >${flag}
setsid perl -MFcntl -e '$0 = "${name}"; open my $f, "+>>", "${file}" or die;
my $lock = pack("s s x4 q q l x4", F_WRLCK, 0, 0, 0, 0); fcntl($f, F_SETLKW, $lock) or die $!; open my $g, ">", "${flag}.taken"; close $g;
select undef, undef, undef, 0.1 while -e "${flag}"; unlink "${flag}.taken"' </dev/null >/dev/null 2>&1 &`);
    await this.until(`[ -e ${flag}.taken ]`, 'take the lock');
    return async () => {
      await this.must(`rm -f ${flag}; while [ -e ${flag}.taken ]; do sleep 0.05; done`);
    };
  }

  /** The same for a lock that consists of a file with the number of a process. */
  async holdPidFile(file: string, name: string): Promise<() => Promise<void>> {
    const flag = '/run/lab-holds-pid';
    await this.must(`: >${flag}
setsid perl -e '$0 = "${name}"; open my $f, ">", "${file}" or die; print $f "$$\\n"; close $f; open my $g, ">", "${flag}.taken"; close $g;
select undef, undef, undef, 0.1 while -e "${flag}"; unlink "${file}", "${flag}.taken"' </dev/null >/dev/null 2>&1 &`);
    await this.until(`[ -e ${flag}.taken ]`, 'take the lock');
    return async () => {
      await this.must(`rm -f ${flag}; while [ -e ${flag}.taken ]; do sleep 0.05; done`);
    };
  }

  /** Leaves this many bytes free on its disk. */
  async fillDisk(leaveBytes: number): Promise<void> {
    await this.must(`free=$(($(df -Pk / | awk 'END {print $4}') * 1024 - ${leaveBytes}))
rm -f /lab-filler; fallocate -l "$free" /lab-filler 2>/dev/null || head -c "$free" /dev/zero 2>/dev/null >/lab-filler || :`);
  }

  async emptyDisk(): Promise<void> {
    await this.must('rm -f /lab-filler');
  }

  /** Resolves when sshd answers and, with systemd, no start job is waiting. */
  async waitUntilStarted(): Promise<void> {
    await ask(this.#places.controlSocket, { verb: 'await-ssh', host: this.name });
    const { flavour } = await this.status();
    if (flavour !== 'systemd') return;
    const words = 'systemctl is-system-running --wait';
    await this.#waitFor(90_000, 'start', async () => /running|degraded/.test((await this.inside(words)).stdout));
  }

  /** What it printed on its console, for the message of a test that fails. */
  console(): Promise<string> {
    return readFile(join(hostDirOf(this.#places, this.name), 'console.log'), 'utf8');
  }

  /** Runs a shell script inside, past network and sshd. @throws Error when it fails. */
  async must(script: string): Promise<void> {
    const { code, stderr } = await this.inside(script);
    if (code !== 0) throw new Error(`${this.name}: ${stderr.trim()} (exit ${code})`);
  }

  /** Waits until a shell script succeeds inside; `what` completes "the host did not …". */
  async until(script: string, what: string): Promise<void> {
    await this.#waitFor(180_000, what, async () => (await this.inside(script)).code === 0);
  }

  async #waitFor(timeoutMs: number, what: string, isSo: () => Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    while (!(await isSo())) {
      if (performance.now() > deadlineMs) throw new Error(`${this.name} did not ${what} within ${timeoutMs} ms`);
      await sleep(100);
    }
  }
}
