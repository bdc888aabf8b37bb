// Packages of an invented distribution and their releases over the year.
import type { InstalledPackage, Update } from '../../src/domain/update.ts';
import { seededRandom } from './random.ts';

export interface PackageShape {
  readonly name: string;
  readonly arch: string;
  readonly source: string;
  /** The week of each new version after the first, rising. */
  readonly releases: readonly number[];
  /** Of each release, whether it closes a hole. */
  readonly isSecurity: readonly boolean[];
  readonly isKernel: boolean;
}

const universe = 1_200;
/** How likely a package gets a new version in a week: six updates a week on a host with 400 packages. */
const releaseChance = 0.015;
const securityShare = 0.55;
const kernelEveryWeeks = 4;
const syllables = 'net gtk lib py curl ssl zip dbus perl ruby sys udev glib xml json http db auth pam log'.split(' ');

/** The same every time; the kernel is the first. */
export function makePackages(weeks: number): readonly PackageShape[] {
  const random = seededRandom(1);
  const word = (): string => syllables[Math.floor(random() * syllables.length)] ?? 'lib';
  const kernelWeeks = Array.from(
    { length: Math.floor(weeks / kernelEveryWeeks) },
    (_, at) => (at + 1) * kernelEveryWeeks,
  );
  const kernel: PackageShape = {
    name: 'linux-image-amd64',
    arch: 'amd64',
    source: 'linux-signed-amd64',
    releases: kernelWeeks,
    isSecurity: kernelWeeks.map(() => true),
    isKernel: true,
  };
  const others = Array.from({ length: universe - 1 }, (_, at): PackageShape => {
    const name = `${word()}${word()}${at % 3 === 0 ? '-' : ''}${at}`;
    const releases = Array.from({ length: weeks }, (_, week) => week + 1).filter(() => random() < releaseChance);
    return {
      name,
      arch: random() < 0.3 ? 'all' : 'amd64',
      source: random() < 0.5 ? name : `${word()}${at}`,
      releases,
      isSecurity: releases.map(() => random() < securityShare),
      isKernel: false,
    };
  });
  return [kernel, ...others];
}

/** How many releases of a package there are up to the end of a week. */
function releasesUntil(shape: PackageShape, week: number): number {
  const next = shape.releases.findIndex((released) => released > week);
  return next < 0 ? shape.releases.length : next;
}

function version(shape: PackageShape, count: number): string {
  return shape.isKernel ? `6.1.${128 + count}-1` : `1.${shape.name.length}.2-4${count === 0 ? '' : `+deb12u${count}`}`;
}

export function installed(shape: PackageShape, week: number): InstalledPackage {
  const { name, arch, source } = shape;
  const now = version(shape, releasesUntil(shape, week));
  return { manager: 'apt', name, arch, version: now, state: 'installed', source, sourceVersion: now };
}

/** What a host that was patched in week `from` lacks in week `to`; a release is a security update if any since was. */
export function pending(shapes: readonly PackageShape[], from: number, to: number): readonly Update[] {
  return shapes.flatMap((shape): Update[] => {
    const [has, could] = [releasesUntil(shape, from), releasesUntil(shape, to)];
    if (has === could) return [];
    const isSecurity = shape.isSecurity.slice(has, could).includes(true);
    return [
      {
        manager: 'apt',
        name: shape.name,
        arch: shape.arch,
        from: version(shape, has),
        to: version(shape, could),
        origins: [isSecurity ? 'Debian-Security:12.11/oldstable-security' : 'Debian:12.11/oldstable-updates'],
        class: isSecurity ? 'security' : 'other',
        isKernel: shape.isKernel,
      },
    ];
  });
}
