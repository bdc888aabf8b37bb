import type { Flavour } from './base.ts';
import { pacmanSystem } from './pacman/pacman-system.ts';
import { dnf5System, dnfSystem } from './rpm/dnf-system.ts';
import { zypperSystem } from './rpm/zypper-system.ts';

/** Hosts whose packages do not come from the lab's Debian archive. */
export interface System {
  /** Builds what the package manager reads its packages from, where it is not built yet; the directory. */
  readonly archive: () => Promise<string>;
  /** Where hosts have a copy of that directory. */
  readonly at: string;
  /** Shell text that makes the flavour such a host, with these packages in their oldest version. */
  readonly setup: (packages: readonly string[]) => string;
}

export const systems: Readonly<Partial<Record<Flavour, System>>> = {
  dnf: dnfSystem,
  dnf5: dnf5System,
  zypper: zypperSystem,
  pacman: pacmanSystem,
};
