// How an update is called: by name and architecture, or by the number that Microsoft gave it.

const updateId = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface Named {
  readonly name: string;
  readonly arch: string;
  readonly manager?: string;
}

/**
 * `name:arch`, or `name (snap)` where the package manager knows no architectures. What has an update id in the place of
 * the architecture has a name of its own.
 */
export function packageWords({ name, arch, manager = '' }: Named): string {
  if (updateId.test(arch)) return name;
  return arch === '' ? `${name}${manager === '' ? '' : ` (${manager})`}` : `${name}:${arch}`;
}

/** `1.0-1 → 1.0-2`; an update of Windows has nothing before, and a revision of its own. */
export function versionWords({ arch, from, to }: Omit<Named, 'name'> & { from: string | null; to: string }): string {
  return updateId.test(arch) ? `revision ${to}` : `${from ?? 'not installed'} → ${to}`;
}
