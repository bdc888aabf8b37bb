/** One version of a package as apt-cache(8) policy lists it. */
export interface PolicyVersion {
  readonly version: string;
  readonly origins: readonly string[];
  readonly phasedPercent?: number;
}

export interface PackagePolicy {
  readonly installed?: string;
  readonly candidate?: string;
  /** Newest first; without those only dpkg's status file knows. */
  readonly versions: readonly PolicyVersion[];
}

/** `URL suite/component arch Packages` → `Label:version/archive`, as `Inst` lines name origins. */
export function parseReleases(text: string): ReadonlyMap<string, string> {
  const releases = new Map<string, string>();
  let source = '';
  for (const line of text.split('\n')) {
    const file = /^ *-?\d+ (.*)$/.exec(line)?.[1];
    if (file !== undefined) source = file;
    const release = /^ *release (.*)$/.exec(line)?.[1];
    if (release !== undefined && source !== '') releases.set(source, originOf(release));
  }
  return releases;
}

function originOf(release: string): string {
  const fields = new Map(release.split(',').map((pair) => [pair.slice(0, 1), pair.slice(2)]));
  const version = fields.get('v');
  return `${fields.get('l') ?? fields.get('o') ?? ''}:${version === undefined ? '' : version}/${fields.get('a') ?? ''}`;
}

export function parsePolicy(text: string, releases: ReadonlyMap<string, string>): ReadonlyMap<string, PackagePolicy> {
  const packages = new Map<string, PackagePolicy>();
  for (const block of text.split(/^(?=\S)/m)) {
    const lines = block.split('\n');
    const name = /^(\S+):$/.exec(lines[0] ?? '')?.[1];
    if (name !== undefined) packages.set(name, readBlock(lines, releases));
  }
  return packages;
}

function readBlock(lines: readonly string[], releases: ReadonlyMap<string, string>): PackagePolicy {
  const installed = wordAfter(lines, 'Installed');
  const candidate = wordAfter(lines, 'Candidate');
  const versions: { version: string; origins: string[]; phasedPercent?: number }[] = [];
  for (const line of lines) {
    const version = /^ (?:\*\*\*|   ) (\S+) -?\d+(?: \(phased (\d+)%\))?$/.exec(line);
    if (version !== null) {
      const phased = version[2] === undefined ? {} : { phasedPercent: Number(version[2]) };
      versions.push({ version: version[1] ?? '', origins: [], ...phased });
      continue;
    }
    const file = /^ {8,}-?\d+ (.*)$/.exec(line)?.[1];
    if (file === undefined || file.endsWith('/dpkg/status')) continue;
    versions.at(-1)?.origins.push(releases.get(file) ?? file);
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
