import { answerLimits, answerTooLarge, fewEnough, shortEnough } from '../../domain/limits.ts';
import { linesIn } from '../contract/sections.ts';

/** One version of a package as apt-cache(8) policy lists it. */
interface PolicyVersion {
  readonly version: string;
  readonly origins: readonly string[];
  /** A security source offers it. */
  readonly isSecurity: boolean;
  readonly phasedPercent?: number;
}

export interface PackagePolicy {
  readonly installed?: string;
  readonly candidate?: string;
  /** Newest first; without those only dpkg's status file knows. */
  readonly versions: readonly PolicyVersion[];
}

/** A package file that apt uses, as `apt-cache policy` without names lists it. */
export interface Release {
  /** `Label:version/archive` or `Label:archive`, as `Inst` lines name origins. */
  readonly name: string;
  readonly isSecurity: boolean;
}

/** `URL suite/component arch Packages` → its release. `securityOrigins` are origins or labels that count besides ours. */
export function parseReleases(text: string, securityOrigins: readonly string[] = []): ReadonlyMap<string, Release> {
  const releases = new Map<string, Release>();
  let source = '';
  for (const line of linesIn(text, 'list of package sources')) {
    const words = line.trimStart();
    const file = afterPriority(words);
    if (file !== undefined) source = file;
    else if (words.startsWith('release ') && source !== '') {
      releases.set(source, readRelease(words.slice('release '.length), securityOrigins));
      if (releases.size > answerLimits.entries) throw answerTooLarge(`more than ${answerLimits.entries} sources`);
    }
  }
  return releases;
}

/** What stands behind the priority (`500 `, `-1 `) at the beginning; undefined where there is none. */
function afterPriority(words: string): string | undefined {
  const space = words.indexOf(' ');
  return space > 0 && /^-?\d{1,10}$/.test(words.slice(0, Math.min(space, 12))) ? words.slice(space + 1) : undefined;
}

/** `v=12,o=Debian,a=oldstable-security,n=bookworm-security,l=Debian-Security,c=main,b=amd64`, apt_preferences(5). */
function readRelease(release: string, securityOrigins: readonly string[]): Release {
  const fields = new Map(release.split(',').map((pair) => [pair.slice(0, 1), pair.slice(2)]));
  const [origin = '', label = origin, archive = ''] = [fields.get('o'), fields.get('l'), fields.get('a')];
  const version = fields.get('v');
  const isUbuntu = origin === 'Ubuntu' || origin.startsWith('UbuntuESM');
  return {
    name: `${label}:${version === undefined ? '' : `${version}/`}${archive}`,
    isSecurity:
      label === 'Debian-Security' ||
      (isUbuntu && archive.endsWith('-security')) ||
      securityOrigins.some((item) => item !== '' && (item === origin || item === label)),
  };
}

export function parsePolicy(text: string, releases: ReadonlyMap<string, Release>): ReadonlyMap<string, PackagePolicy> {
  const packages = new Map<string, PackagePolicy>();
  let block: string[] = [];
  const close = (): void => {
    const first = block[0] ?? '';
    const isName = first.endsWith(':') && !/\s/.test(first) && first.length > 1;
    if (isName) packages.set(shortEnough(first.slice(0, -1), 'package name'), readBlock(block, releases));
    if (packages.size > answerLimits.entries)
      throw answerTooLarge(`policies of more than ${answerLimits.entries} packages`);
    block = [];
  };
  for (const line of linesIn(text, 'policy of apt-cache')) {
    if (line !== '' && !line.startsWith(' ')) close();
    block.push(line);
  }
  close();
  return packages;
}

function readBlock(lines: readonly string[], releases: ReadonlyMap<string, Release>): PackagePolicy {
  const installed = wordAfter(lines, 'Installed');
  const candidate = wordAfter(lines, 'Candidate');
  const versions: { version: string; origins: string[]; isSecurity: boolean; phasedPercent?: number }[] = [];
  for (const line of lines) {
    const version = readVersionLine(line);
    if (version !== undefined) {
      fewEnough(versions, 'versions of one package').push({ ...version, origins: [], isSecurity: false });
      continue;
    }
    const file = line.startsWith('        ') ? afterPriority(line.trimStart()) : undefined;
    if (file === undefined || file.endsWith('/dpkg/status')) continue;
    const [last, release] = [versions.at(-1), releases.get(file)];
    if (last === undefined) continue;
    if (last.origins.length >= answerLimits.origins) {
      throw answerTooLarge(`a version with more than ${answerLimits.origins} origins`);
    }
    last.origins.push(release?.name ?? file);
    last.isSecurity ||= release?.isSecurity === true;
  }
  return {
    ...(installed === undefined ? {} : { installed }),
    ...(candidate === undefined ? {} : { candidate }),
    versions: versions.filter((item) => item.origins.length > 0),
  };
}

/** ` *** VERSION PRIORITY (phased 10%)` or `     VERSION PRIORITY`. */
function readVersionLine(line: string): { readonly version: string; readonly phasedPercent?: number } | undefined {
  if (!line.startsWith(' *** ') && !line.startsWith('     ')) return undefined;
  const [version = '', priority = '', ...more] = line.slice(5).split(' ', 5);
  if (version === '' || !/^-?\d{1,10}$/.test(priority)) return undefined;
  if (more.length === 0) return { version: shortEnough(version, 'version') };
  const [, percent] = /^\(phased (\d{1,3})%\)$/.exec(more.join(' ').slice(0, 20)) ?? [];
  return percent === undefined
    ? undefined
    : { version: shortEnough(version, 'version'), phasedPercent: Number(percent) };
}

function wordAfter(lines: readonly string[], label: string): string | undefined {
  const word = lines.find((line) => line.startsWith(`  ${label}: `))?.slice(label.length + 4);
  return word === undefined || word === '(none)' ? undefined : word;
}
