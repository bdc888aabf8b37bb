import { appendFile, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectory } from '../../../trust/trusted-path.ts';
import { fileProblem } from '../../../base/file-problem.ts';
import { FettleError } from '../../../domain/error.ts';

/**
 * Certificates that were trusted on first use: one line each, `[host]:port sha256:<64 hexadecimal digits>`. Lines that
 * begin with `#` are for people. A host may have several lines: any of them fits.
 */
export class KnownCertificates {
  readonly file: string;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(file: string) {
    this.file = file;
  }

  /** Fingerprints known for the host, lower-case hexadecimal. */
  async of(host: string, port: number): Promise<readonly string[]> {
    const name = nameOf(host, port);
    return (await this.#read()).split('\n').flatMap((line) => {
      const [known, fingerprint] = line.trim().split(/\s+/);
      const [, digits] = /^sha256:([0-9a-f]{64})$/i.exec(fingerprint ?? '') ?? [];
      return known === name && digits !== undefined ? [digits.toLowerCase()] : [];
    });
  }

  /** One line in one append, so that processes writing at once do not mix; one after the other within this one. */
  async add(host: string, port: number, fingerprint: string): Promise<void> {
    const written = this.#writing.then(() => this.#append(`${nameOf(host, port)} sha256:${fingerprint}\n`));
    this.#writing = written.catch(() => undefined);
    try {
      await written;
    } catch (cause) {
      throw new FettleError(
        'host-key',
        `the certificate of ${host} cannot be written to ${this.file}: ${fileProblem(cause)}`,
        {
          hint: 'check the permissions of the file, or pin the certificate in the inventory',
          cause,
        },
      );
    }
  }

  async #read(): Promise<string> {
    try {
      return await readFile(this.file, 'utf8');
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return '';
      throw new FettleError('host-key', `${this.file} cannot be opened: ${fileProblem(cause)}`, { cause });
    }
  }

  async #append(line: string): Promise<void> {
    makeDirectory(dirname(this.file), 0o700);
    const text = await this.#read();
    const gap = text === '' || text.endsWith('\n') ? '' : '\n';
    await appendFile(this.file, `${gap}${line}`, { mode: 0o600 });
  }
}

function nameOf(host: string, port: number): string {
  return `[${host.toLowerCase()}]:${port}`;
}
