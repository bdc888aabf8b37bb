import type { PackageSpec } from './package-spec.ts';

const oldRelease = '6.1.0-31';
const newRelease = '6.1.0-32';

function image(release: string, version: string, rest: Pick<PackageSpec, 'suite' | 'architecture'>): PackageSpec {
  return {
    ...rest,
    name: `linux-image-${release}`,
    version,
    section: 'kernel',
    files: { [`/boot/vmlinuz-${release}`]: { content: `kernel ${release}\n` } },
    postinst: `printf 'initrd of %s\\n' ${release} >/boot/initrd.img-${release}
ln -sf vmlinuz-${release} /boot/vmlinuz
ln -sf initrd.img-${release} /boot/initrd.img
: >/run/reboot-required
echo linux-image-${release} >>/run/reboot-required.pkgs`,
  };
}

/** A kernel of another ABI and the version of the meta package that pulls it in, as a security update. */
export function kernelUpdate(release: string, version: string, architecture: string): readonly PackageSpec[] {
  const name = `${release}-${architecture}`;
  const of = { suite: 'security', architecture: 'native' } as const;
  const depends = `linux-image-${name} (= ${version})`;
  return [
    image(name, version, of),
    { ...of, name: `linux-image-${architecture}`, section: 'kernel', version, depends },
  ];
}

/**
 * A meta package whose security version pulls in a new kernel. On its next boot a host says that it runs the newest
 * kernel in its /boot (`host/uname.sh`).
 */
export function kernels(architecture: string): readonly PackageSpec[] {
  const before = `${oldRelease}-${architecture}`;
  const meta = { name: `linux-image-${architecture}`, section: 'kernel', architecture: 'native' } as const;
  return [
    image(before, '6.1.128-1', { suite: 'stable', architecture: 'native' }),
    { ...meta, version: '6.1.128-1', suite: 'stable', depends: `linux-image-${before} (= 6.1.128-1)` },
    ...kernelUpdate(newRelease, '6.1.129-1', architecture),
  ];
}
