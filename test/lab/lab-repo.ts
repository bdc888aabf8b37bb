import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Archive } from './repository/archive.ts';
import type { PackageSpec, Suite } from './repository/package-spec.ts';

/** The archive of one lab: what is published here, its hosts see after their next `apt-get update`. */
export class LabRepo {
  readonly #archive: Archive;

  constructor(archive: Archive) {
    this.#archive = archive;
  }

  /** Publishes versions; with what is not said taken from nowhere: see `PackageSpec`. */
  publish(...specs: readonly PackageSpec[]): Promise<void> {
    return this.#archive.publish(specs);
  }

  /**
   * Takes a package, or one version of it, out of the archive: out of one suite, or of all.
   * @throws Error when there is none.
   */
  async remove(name: string, where: { readonly version?: string; readonly suite?: Suite } = {}): Promise<void> {
    const count = await this.#archive.remove(
      (item) =>
        item.name === name &&
        (where.version === undefined || item.version === where.version) &&
        (where.suite === undefined || item.suite === where.suite),
    );
    if (count === 0) throw new Error(`the archive has no ${name} ${where.version ?? ''}`.trimEnd());
  }

  /** The versions of a package, by suite, as they were published. */
  versionsOf(name: string): readonly { readonly version: string; readonly suite: Suite }[] {
    return this.#archive.packages
      .filter((item) => item.name === name)
      .map(({ version, suite }) => ({ version, suite }));
  }

  /** Takes a whole suite away: `apt-get update` fails on it until `restoreSuites`, or until something is published. */
  async removeSuite(suite: Suite): Promise<void> {
    await rm(this.#archive.distDir(suite), { recursive: true });
  }

  async restoreSuites(): Promise<void> {
    await this.#archive.publish([]);
  }

  /** Makes the whole archive unreachable: no index, no package. */
  async unpublish(): Promise<void> {
    await this.#move('', '.gone');
  }

  async republish(): Promise<void> {
    await this.#move('.gone', '');
  }

  async #move(from: string, to: string): Promise<void> {
    for (const name of ['dists', 'pool']) {
      await rename(join(this.#archive.publicDir, `${name}${from}`), join(this.#archive.publicDir, `${name}${to}`));
    }
  }
}
