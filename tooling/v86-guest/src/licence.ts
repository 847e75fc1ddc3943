/** The text that goes with the files when they are published: their licences, and where their sources are. */
import type { Origin, SourcePackage } from './source-packages.ts';

export interface LicenceFacts {
  readonly kernelRelease: string;
  /** The compiler's first line about itself. */
  readonly compiler: string;
  readonly linux: Origin;
  readonly busybox: Origin;
  readonly seabios: Origin;
}

/** Where all that Debian ever published stays. */
const SNAPSHOT = 'https://snapshot.debian.org/package';

export function licenceText(facts: LicenceFacts): string {
  const { linux, busybox, seabios } = facts;
  const sources = [linux, busybox, seabios].flatMap(({ source, includes }) => [
    source,
    ...includes,
  ]);
  return `Licences and sources of the Linux guest for v86
================================================

These files are programs of others. Each is free software under its own licence, comes with no warranty, and may be passed
on under that licence's terms. viommu itself is under Apache-2.0 and is no part of them.

bzImage
  The Linux kernel ${facts.kernelRelease}, under the GNU General Public License, version 2 (licences/GPL-2).
  Built from Debian's source package ${described(linux.source)}, as its package ${linux.package} has it,
  with no change to the source. Its whole configuration is in kernel.config. Built by
    make ARCH=i386 bzImage
  with ${facts.compiler}.
  Copyright notices: licences/${linux.package}.copyright

busybox, which is also in the initial file system that is made with it
  BusyBox, under the GNU General Public License, version 2 (licences/GPL-2).
  Debian's package ${busybox.package} ${busybox.version} for i386, unchanged, built from the source package
  ${described(busybox.source)}.${includedText(busybox)}
  Copyright notices: licences/${busybox.package}.copyright

bios.bin, vgabios-stdvga.bin
  SeaBIOS, under the GNU Lesser General Public License, version 3 (licences/LGPL-3, which adds to licences/GPL-3).
  Debian's package ${seabios.package} ${seabios.version}, unchanged, built from the source package
  ${described(seabios.source)}.
  Copyright notices: licences/${seabios.package}.copyright

Sources
  Debian keeps every version of its source packages:
${sources.map((source) => `    ${source.name} ${source.version}: ${addressOf(source)}`).join('\n')}
  Whoever publishes these files offers, to anybody who asks and for three years from when they were last published, a copy of
  these sources and of the configuration on a usual medium, for no more than what the copying costs. The address for that is
  the one that the publication names for its publisher.
  The recipe that made the files is in viommu's repository, in tooling/v86-guest.
`;
}

function described({ name, version }: SourcePackage): string {
  return `${name} ${version}`;
}

function includedText({ includes }: Origin): string {
  if (includes.length === 0) return '';
  return `
  It is linked with ${includes.map(described).join(', ')}: the GNU C library, under the GNU Lesser General Public License,
  version 2.1 (licences/LGPL-2.1).`;
}

function addressOf({ name, version }: SourcePackage): string {
  return `${SNAPSHOT}/${name}/${encodeURIComponent(version)}/`;
}
