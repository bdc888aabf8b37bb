// What the tests of promises share: a playbook in the lab's state directory, and fettle's words with the inventory.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Controlled, RunOptions } from './controller.ts';
import type { Lab } from './lab.ts';
import type { CommandResult } from './shell.ts';

/** Quick settings; what a test says wins. */
const settings = {
  kind: 'patch',
  version: 1,
  name: 'lab',
  targets: { select: 'all' },
  reboot: { mode: 'if-needed', go_down: '60s', come_back: '60s', settle: '30s' },
  verify: { retries: 2, retry_delay: '1s' },
};

/** One lab with one playbook; every call is a fettle process of its own. */
export class Scenario {
  readonly lab: Lab;
  readonly #playbook: string;
  readonly plan: string;

  private constructor(lab: Lab) {
    this.lab = lab;
    this.#playbook = join(lab.stateDir, 'playbook.yaml');
    this.plan = join(lab.stateDir, 'plan.json');
  }

  static async start(lab: Lab, playbook: Readonly<Record<string, unknown>>): Promise<Scenario> {
    const scenario = new Scenario(lab);
    await scenario.write(playbook);
    return scenario;
  }

  async write(playbook: Readonly<Record<string, unknown>>): Promise<void> {
    await writeFile(this.#playbook, stringify({ ...settings, ...playbook }));
  }

  /** Ends with the expected exit code, or the test fails with all that was printed. */
  async fettle(argv: readonly string[], exitCode = 0, options: RunOptions = {}): Promise<CommandResult> {
    const result = await this.lab.run(this.#words(argv), options);
    assert.equal(result.code, exitCode, `fettle ${argv.join(' ')}\n${result.stdout}\n${result.stderr}`);
    return result;
  }

  spawn(argv: readonly string[], options: RunOptions = {}): Controlled {
    return this.lab.spawn(this.#words(argv), options);
  }

  /** What is added comes before `--`, behind which the words are the command's own. */
  #words(argv: readonly string[], added: readonly string[] = this.#inventory(argv)): readonly string[] {
    const own = argv.indexOf('--');
    return own < 0 ? [...argv, ...added] : [...argv.slice(0, own), ...added, ...argv.slice(own)];
  }

  #inventory(argv: readonly string[]): readonly string[] {
    const [verb, second] = argv;
    const isFromLedger = ['report', 'ledger'].includes(verb ?? '') || (verb === 'run' && second !== 'resume');
    return isFromLedger ? [] : ['-i', this.lab.inventoryPath];
  }

  makePlan(exitCode = 0): Promise<CommandResult> {
    return this.fettle(['plan', this.#playbook, '-o', this.plan], exitCode);
  }

  /** What `--json` printed. */
  async json<T>(argv: readonly string[], exitCode = 0): Promise<T> {
    return JSON.parse((await this.fettle(this.#words(argv, ['--json']), exitCode)).stdout) as T;
  }

  /** Verdicts by host as the ledger has them. */
  async verdicts(): Promise<Readonly<Record<string, string>>> {
    const detail = await this.json<{ hosts: { host: string; verdict: string | null }[] }>(['run', 'show']);
    return Object.fromEntries(detail.hosts.map(({ host, verdict }) => [host, verdict ?? 'open']));
  }

  /** Nothing but tombstones is left of fettle on a host. */
  async assertNothingLeft(host: string): Promise<void> {
    const left = await this.lab.tell(
      host,
      'ls /var/lib/fettle-jobs/jobs 2>/dev/null | grep -v ":$" ; ls -d /tmp/fettle.* 2>/dev/null; :',
    );
    assert.equal(left, '', `left on ${host}`);
  }
}
