import type { SimulatedUpdate } from '../domain/simulation.ts';

export interface AptSimulation {
  readonly installs: readonly SimulatedUpdate[];
  readonly removes: readonly { readonly name: string; readonly arch: string; readonly version: string }[];
  readonly errors: readonly string[];
  /** apt-get's exit status; absent where it was not told. */
  readonly exitCode?: number;
}

/** `Inst NAME [OLD] (NEW ORIGIN, ORIGIN [ARCH])`, apt-get(8) -s; what follows the parenthesis is of no interest. */
const install = /^Inst (\S+) (?:\[([^\]]*)\] )?\((\S+)(?: (.*))? \[([^\]]+)\]\)/;
const removal = /^Remv (\S+)(?: \[([^\]]*)\])?/;

/** The `Inst`, `Remv` and error lines of a simulation; `arch` is the native architecture for removals without one. */
export function parseAptSimulation(text: string, arch: string): AptSimulation {
  const installs: SimulatedUpdate[] = [];
  const removes: { name: string; arch: string; version: string }[] = [];
  const errors: string[] = [];
  const exitCode = /^rc (\d+)$/m.exec(text)?.[1];
  for (const line of text.split('\n')) {
    const found = install.exec(line);
    const gone = removal.exec(line);
    if (found !== null) {
      const [, named = '', from, to = '', origins = '', ofArch = ''] = found;
      installs.push({
        name: named.split(':')[0] ?? named,
        arch: ofArch,
        from: from ?? null,
        to,
        origins: origins.split(', ').filter((origin) => origin !== ''),
      });
    } else if (gone !== null) {
      const [name = '', ofArch = arch] = (gone[1] ?? '').split(':');
      removes.push({ name, arch: ofArch, version: gone[2] ?? '' });
    } else if (/^(E:|Error:)/.test(line)) {
      errors.push(line.replace(/^(E|Error): */, ''));
    }
  }
  return { installs, removes, errors, ...(exitCode === undefined ? {} : { exitCode: Number(exitCode) }) };
}
