// What `ssh -G` prints without any configuration file, remembered from one run of fettle to the next.
import { randomUUID } from 'node:crypto';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { readValues, type SshValues } from './options.ts';

export interface DefaultsPlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where they are kept: nobody else may write there. Undefined: they are not kept. */
  readonly cacheDirectory?: string | undefined;
}

/** The file of the program, as long as it is the same, and what it printed. */
interface Kept {
  readonly program: string;
  readonly text: string;
}

/**
 * ssh's own defaults change with the program alone, and to start it costs more time than a login: they are asked for once
 * for each version of its file. Reading and keeping them never fails.
 */
export class SshDefaults {
  readonly #place: DefaultsPlace;
  readonly #ask: () => Promise<string>;
  #asked: Promise<SshValues> | undefined;
  #recalled: Promise<SshValues | undefined> | undefined;

  /** `ask` runs the program and returns what it prints. */
  constructor(place: DefaultsPlace, ask: () => Promise<string>) {
    this.#place = place;
    this.#ask = ask;
  }

  /** What the same program printed in an earlier run; undefined where nothing is kept. */
  recalled(): Promise<SshValues | undefined> {
    return (this.#recalled ??= this.#recall());
  }

  /** From the program itself. Rejects where it cannot be run. */
  asked(): Promise<SshValues> {
    return (this.#asked ??= this.#askAndKeep());
  }

  async #recall(): Promise<SshValues | undefined> {
    const file = this.#file();
    if (file === undefined) return undefined;
    try {
      const { program, text } = JSON.parse(await readFile(file, 'utf8')) as Kept;
      return program === (await this.#program()) ? readValues(text) : undefined;
    } catch {
      return undefined;
    }
  }

  async #askAndKeep(): Promise<SshValues> {
    const before = await this.#program();
    const text = await this.#ask();
    const file = this.#file();
    if (file !== undefined && before !== undefined && before === (await this.#program())) {
      const kept: Kept = { program: before, text };
      const temporary = `${file}.${randomUUID()}`;
      await writeFile(temporary, JSON.stringify(kept), { mode: 0o600, flag: 'wx' })
        .then(() => rename(temporary, file))
        .catch(() => undefined);
    }
    return readValues(text);
  }

  #file(): string | undefined {
    const { cacheDirectory } = this.#place;
    return cacheDirectory === undefined ? undefined : join(cacheDirectory, 'ssh-defaults.json');
  }

  /** The program that PATH finds, with what identifies this version of its file. */
  async #program(): Promise<string | undefined> {
    for (const directory of (this.#place.env['PATH'] ?? '').split(delimiter)) {
      if (!isAbsolute(directory)) continue;
      const path = join(directory, 'ssh');
      const found = await stat(path).catch(() => undefined);
      if (found?.isFile() !== true || (found.mode & 0o111) === 0) continue;
      return [path, found.dev, found.ino, found.size, found.mtimeMs, found.ctimeMs].join(' ');
    }
    return undefined;
  }
}
