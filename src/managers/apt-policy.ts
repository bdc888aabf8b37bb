/** One version of a package as apt-cache(8) policy lists it. */
export interface PolicyVersion {
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
  for (const line of text.split('\n')) {
    const file = /^ *-?\d+ (.*)$/.exec(line)?.[1];
    if (file !== undefined) source = file;
    const release = /^ *release (.*)$/.exec(line)?.[1];
    if (release !== undefined && source !== '') releases.set(source, readRelease(release, securityOrigins));
  }
  return releases;
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
  for (const block of text.split(/^(?=\S)/m)) {
    const lines = block.split('\n');
    const name = /^(\S+):$/.exec(lines[0] ?? '')?.[1];
    if (name !== undefined) packages.set(name, readBlock(lines, releases));
  }
  return packages;
}

function readBlock(lines: readonly string[], releases: ReadonlyMap<string, Release>): PackagePolicy {
  const installed = wordAfter(lines, 'Installed');
  const candidate = wordAfter(lines, 'Candidate');
  const versions: { version: string; origins: string[]; isSecurity: boolean; phasedPercent?: number }[] = [];
  for (const line of lines) {
    const version = /^ (?:\*\*\*|   ) (\S+) -?\d+(?: \(phased (\d+)%\))?$/.exec(line);
    if (version !== null) {
      const phased = version[2] === undefined ? {} : { phasedPercent: Number(version[2]) };
      versions.push({ version: version[1] ?? '', origins: [], isSecurity: false, ...phased });
      continue;
    }
    const file = /^ {8,}-?\d+ (.*)$/.exec(line)?.[1];
    if (file === undefined || file.endsWith('/dpkg/status')) continue;
    const [last, release] = [versions.at(-1), releases.get(file)];
    if (last === undefined) continue;
    last.origins.push(release?.name ?? file);
    last.isSecurity ||= release?.isSecurity === true;
  }
  return {
    ...(installed === undefined ? {} : { installed }),
    ...(candidate === undefined ? {} : { candidate }),
    versions: versions.filter((item) => item.origins.length > 0),
  };
}

function wordAfter(lines: readonly string[], label: string): string | undefined {
  const word = lines.find((line) => line.startsWith(`  ${label}: `))?.slice(label.length + 4);
  return word === undefined || word === '(none)' ? undefined : word;
}
