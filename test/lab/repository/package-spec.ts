/** The three suites of the lab's archive, named and labelled as Debian does it. */
export type Suite = 'stable' | 'updates' | 'security';

export interface PackageFile {
  readonly content: string | Buffer;
  /** Octal mode; 0o644 unless told otherwise. */
  readonly mode?: number;
}

/** One version of one package. */
export interface PackageSpec {
  readonly name: string;
  readonly version: string;
  readonly suite: Suite;
  /** `native` is the machine's own architecture; `all` unless told otherwise. */
  readonly architecture?: 'all' | 'native';
  readonly section?: string;
  readonly depends?: string;
  readonly conflicts?: string;
  /** `Phased-Update-Percentage`, a field of the index and not of the package. */
  readonly phasedPercent?: number;
  readonly files?: Readonly<Record<string, PackageFile>>;
  readonly conffiles?: readonly string[];
  /** Shell text that runs before it is unpacked. */
  readonly preinst?: string;
  /** Shell text that runs on configure, after the run has been counted. */
  readonly postinst?: string;
}

/** What a package's layer gets besides its old version: shell text, run as root in the layer. */
export type LayerSetup = Readonly<Record<string, string>>;
