// An account for one test, made and removed by root.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { Secret } from '../../src/domain/secret.ts';

export class ThrowAwayUser implements Disposable {
  readonly name: string;
  readonly password: Secret;
  readonly #home: string;
  readonly #sudoers: string;

  constructor() {
    this.name = `fettle-test-${randomBytes(4).toString('hex')}`;
    this.password = new Secret(`pw-${randomBytes(12).toString('hex')}`);
    this.#home = mkdtempSync(join(tmpdir(), 'fettle-home-'));
    this.#sudoers = join('/etc/sudoers.d', this.name);
    execFileSync('useradd', ['-M', '-d', this.#home, '-s', '/bin/sh', this.name], { stdio: 'ignore' });
    execFileSync('chown', [this.name, this.#home]);
    execFileSync('chpasswd', { input: `${this.name}:${this.password.reveal()}\n` });
  }

  /** Lines of sudoers(5) in a file of their own; `USER` stands for the account. */
  sudoers(...lines: readonly string[]): void {
    writeFileSync(this.#sudoers, `${lines.join('\n').replaceAll('USER', this.name)}\n`, { mode: 0o440 });
    execFileSync('visudo', ['-cqf', this.#sudoers]);
  }

  /** Another login shell than sh. */
  shell(file: string): void {
    execFileSync('usermod', ['-s', file, this.name]);
  }

  expire(): void {
    execFileSync('chage', ['-E', '1', this.name]);
  }

  [Symbol.dispose](): void {
    rmSync(this.#sudoers, { force: true });
    execFileSync('userdel', ['-f', this.name], { stdio: 'ignore' });
    rmSync(this.#home, { recursive: true, force: true });
  }
}
