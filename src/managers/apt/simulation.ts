import { answerLimits, answerTooLarge, fewEnough, shortEnough } from '../../domain/limits.ts';
import type { Removal, SimulatedUpdate } from '../../domain/simulation.ts';
import { linesIn } from '../contract/sections.ts';

export interface AptSimulation {
  readonly installs: readonly SimulatedUpdate[];
  readonly removes: readonly Removal[];
  readonly errors: readonly string[];
  /** apt-get's exit status; absent where it was not reported. */
  readonly exitCode?: number;
}

/** Errors that are kept; the first names the cause. */
const mostErrors = 100;
const errorLength = 2_000;

/** The `Inst`, `Remv` and error lines of a simulation; `arch` is the native architecture for removals without one. */
export function parseAptSimulation(text: string, arch: string): AptSimulation {
  const installs: SimulatedUpdate[] = [];
  const removes: Removal[] = [];
  const errors: string[] = [];
  let exitCode: number | undefined;
  for (const line of linesIn(text, 'simulation of apt-get')) {
    if (line.startsWith('Inst ')) {
      const found = readInstall(line);
      if (found !== undefined) fewEnough(installs, 'updates').push(found);
    } else if (line.startsWith('Remv ')) {
      const gone = readRemoval(line, arch);
      if (gone !== undefined) fewEnough(removes, 'removals').push(gone);
    } else if (line.startsWith('E:') || line.startsWith('Error:')) {
      if (errors.length < mostErrors)
        errors.push(
          line
            .slice(line.indexOf(':') + 1)
            .trimStart()
            .slice(0, errorLength),
        );
    } else if (exitCode === undefined && /^rc \d{1,9}$/.test(line)) {
      exitCode = Number(line.slice(3));
    }
  }
  fewEnough(installs, 'updates');
  fewEnough(removes, 'removals');
  return { installs, removes, errors, ...(exitCode === undefined ? {} : { exitCode }) };
}

/**
 * `Inst NAME [OLD] (NEW ORIGIN, ORIGIN [ARCH])`, apt-get(8) -s; what follows the parenthesis is of no interest. Read by
 * searches alone, each of which passes over the line once.
 */
function readInstall(line: string): SimulatedUpdate | undefined {
  const open = line.indexOf('(');
  const end = line.indexOf('])', open);
  const ofArch = end < 0 ? -1 : line.lastIndexOf(' [', end);
  if (open < 0 || ofArch < open || ofArch + 2 === end) return undefined;
  const [named = '', old, ...more] = line.slice('Inst '.length, open).split(' ', 4);
  const isNew = old === '' && more.length === 0;
  const isUpdate = old?.startsWith('[') === true && old.endsWith(']') && more.length === 1 && more[0] === '';
  const offer = line.slice(open + 1, ofArch);
  const space = offer.indexOf(' ');
  const to = space < 0 ? offer : offer.slice(0, space);
  if (named === '' || to === '' || (!isNew && !isUpdate)) return undefined;
  return {
    manager: 'apt',
    name: shortEnough(named.split(':', 1)[0] ?? named, 'package name'),
    arch: shortEnough(line.slice(ofArch + 2, end), 'architecture'),
    from: isUpdate ? shortEnough(old.slice(1, -1), 'version') : null,
    to: shortEnough(to, 'version'),
    origins: space < 0 ? [] : originsOf(offer.slice(space + 1)),
  };
}

function originsOf(text: string): readonly string[] {
  const origins = text.split(', ', answerLimits.origins + 1).filter((origin) => origin !== '');
  if (origins.length > answerLimits.origins) {
    throw answerTooLarge(`a version with more than ${answerLimits.origins} origins`);
  }
  return origins;
}

/** `Remv NAME [VERSION] …`. */
function readRemoval(line: string, native: string): Removal | undefined {
  const [named = '', bracketed = ''] = line.slice('Remv '.length).split(' ', 2);
  if (named === '') return undefined;
  const [name = '', arch = native] = named.split(':', 2);
  const version = bracketed.startsWith('[') && bracketed.endsWith(']') ? bracketed.slice(1, -1) : '';
  return {
    manager: 'apt',
    name: shortEnough(name, 'package name'),
    arch: shortEnough(arch, 'architecture'),
    version: shortEnough(version, 'version'),
  };
}
