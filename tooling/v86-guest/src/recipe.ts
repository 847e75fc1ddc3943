/** What the guest is made of, and how one in the cache is known to be of the same recipe. */
import { createHash } from 'node:crypto';
import type { Manifest } from '@viommu/debian-archive';
import { GuestError } from './guest-error.ts';
import { KERNEL_CONFIG } from './kernel-config.ts';

/** The release of Debian that the guest is made of, whichever the host is. */
export const SUITE = 'trixie';
export const LINUX = 'linux-source-6.12';
export const BUSYBOX = 'busybox-static';
export const SEABIOS = 'seabios';
/** It has the texts of licences. */
const LICENCES = 'base-files';
/** With the architecture, where that is not the host's. */
export const PACKAGES: readonly string[] = [LINUX, `${BUSYBOX}:i386`, SEABIOS, LICENCES];

/** Counted up when the same packages and configuration are to give other files. */
const VERSION = 1;

/** By their paths in the part. */
export const FILES = {
  kernel: 'bzImage',
  busybox: 'busybox',
  bios: 'bios.bin',
  vgaBios: 'vgabios-stdvga.bin',
  config: 'kernel.config',
  builtIn: 'modules/modules.builtin',
  licence: 'LICENCES.txt',
} as const;

/** What else the manifest of the part says. */
export interface GuestFacts extends Readonly<Record<string, string>> {
  readonly recipe: string;
  readonly kernelRelease: string;
  /** SHA-256 of {@link KERNEL_CONFIG}. */
  readonly kernelConfig: string;
  readonly compiler: string;
  /** What a page fetches of the files, compressed, in bytes. */
  readonly pageBytes: string;
}

export function recipeHash(config = KERNEL_CONFIG): string {
  return sha256(JSON.stringify([VERSION, SUITE, PACKAGES, config]));
}

/** The facts of a part that is whole and of this recipe; undefined of any other, or of none. */
export function currentFacts(
  manifest: Manifest | undefined,
  recipe = recipeHash(),
): GuestFacts | undefined {
  return manifest?.facts?.recipe === recipe ? (manifest.facts as GuestFacts) : undefined;
}

/**
 * Since version 1.17 SeaBIOS no longer takes single ACPI tables from a VMM, which is how the guest gets its topology.
 *
 * @throws {GuestError} when it does not
 */
export function checkSeabios(version: string): void {
  if (!version.startsWith('1.16.')) {
    throw new GuestError(
      `Debian's SeaBIOS is ${version}, and takes no ACPI table from v86; the recipe needs 1.16`,
    );
  }
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
