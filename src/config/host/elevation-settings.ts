import type { Elevation, ElevationMethod } from '../../domain/host.ts';
import { userNameProblem } from '../../domain/plain-name.ts';
import type { Secret } from '../../domain/secret.ts';
import type { SettingsReader } from './settings-reader.ts';
import { becomeMethods, connectionAliases as names } from '../inventory/variable-names.ts';
import { splitWords } from '../inventory/shell-words.ts';

export interface ElevationOverrides {
  readonly become?: boolean;
  readonly becomePassword?: Secret;
}

/** How the host elevates, when `ansible_become` or the command line asks for it. */
export function readElevation(reader: SettingsReader, overrides: ElevationOverrides): Elevation | undefined {
  const asked = reader.boolean(...names.become);
  if (!(overrides.become ?? asked ?? false)) return undefined;
  const method = readMethod(reader);
  const of = (list: readonly string[]): string[] => list.map((name) => name.replace('METHOD', method));
  const password = reader.secret(...of(names.becomePassword)) ?? overrides.becomePassword;
  const exe = reader.text(...of(names.becomeExe));
  return {
    method,
    user: reader.name(of(names.becomeUser), userNameProblem) ?? 'root',
    ...(password === undefined ? {} : { password }),
    ...(exe === undefined ? {} : { exe }),
    flags: readFlags(reader, method, of(names.becomeFlags)),
  };
}

function readMethod(reader: SettingsReader): ElevationMethod {
  const written = reader
    .text(...names.becomeMethod)
    ?.replace(/^(ansible\.builtin|ansible\.legacy|community\.general)\./, '');
  const method = becomeMethods.find((known) => known === written);
  if (written !== undefined && method === undefined) {
    reader.report(names.becomeMethod, `ansible_become_method ${written} is not supported in this version`, {
      hint: `one of ${becomeMethods.join(', ')}`,
    });
  }
  return method ?? 'sudo';
}

/** Extra arguments; what sudo is given anyway (`-H -S -n`) is left out, since it decides how the password is asked. */
function readFlags(reader: SettingsReader, method: ElevationMethod, list: readonly string[]): readonly string[] {
  const text = reader.text(...list);
  if (text === undefined) return [];
  const words = splitWords(text);
  if (words === undefined) {
    reader.report(list, 'the become flags have an unclosed quote');
    return [];
  }
  const given = method === 'sudo' ? /^(-[HSn]+|--(set-home|stdin|non-interactive))$/ : /^-n$/;
  return words.filter((word) => !given.test(word));
}
