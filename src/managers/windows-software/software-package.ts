/** A package of a manager that installs software beside Windows itself. */
export interface SoftwarePackage {
  readonly name: string;
  readonly title?: string;
  readonly version: string;
  /** The newer version that its source has. */
  readonly available?: string;
  readonly isPinned: boolean;
}

/** Characters of ids and versions; a package that has others is left alone. */
export const softwareWord = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,199}$/;
