/** The packages of Debian's archive that peers are built against: crates of sid, GLib of the host's own release. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  ArchiveError,
  DebianArchive,
  hostSuite,
  makeFolder,
  type PackageRecord,
  readPart,
  unpackPackages,
  writePart,
} from '@viommu/debian-archive';
import { BenchError, messageOf } from '../bench-error.ts';

/** Where Debian's packages have crates. */
export const CRATES = 'usr/share/cargo/registry';

interface PackageSet {
  readonly title: string;
  /** Undefined where there is none. */
  suite(): string | undefined;
  readonly names: readonly string[];
  /** What they depend on is a system with its compilers; these are all that a build reads. */
  readonly wanted: RegExp;
  /** The folder of the unpacked packages that is kept. */
  readonly keep: string;
}

const PACKAGE_SETS = {
  crates: {
    title: "rust-vmm's crates",
    suite: () => 'sid',
    names: ['librust-virtio-queue-dev', 'librust-vm-memory-dev'],
    // With all that is optional apt names 238; these are compiled, in whatever version has a package.
    wanted:
      /^librust-(bitflags|libc|log|proc-macro2|quote|syn|thiserror|thiserror-impl|unicode-ident|virtio-bindings|virtio-queue|vm-memory|vmm-sys-util)(-[\d.]+)?-dev$/,
    keep: CRATES,
  },
  glib: {
    title: 'GLib',
    // Of the host's own release, whose C library it is linked with.
    suite: () => hostSuite(),
    names: ['libglib2.0-dev'],
    wanted: /^lib(glib2\.0-(0.*|dev)|pcre2-8-0)$/,
    keep: 'usr',
  },
} satisfies Record<string, PackageSet>;

export interface Packages {
  readonly directory: string;
  readonly packages: readonly PackageRecord[];
}

/**
 * The packages in the cache, fetched when they are not there.
 *
 * @throws BenchError when they cannot be had
 */
export async function preparePackages(
  name: keyof typeof PACKAGE_SETS,
  options: { readonly cache: string; readonly onProgress: (text: string) => void },
): Promise<Packages> {
  const set: PackageSet = PACKAGE_SETS[name];
  const directory = join(options.cache, `peer-${name}`);
  try {
    const manifest = readPart(directory) ?? (await fetchPackages(set, directory, options));
    return { directory, packages: manifest.packages };
  } catch (error) {
    throw new BenchError(
      `${set.title} cannot be had from Debian's packages (${messageOf(error)})`,
      { cause: error },
    );
  }
}

async function fetchPackages(
  { title, suite: findSuite, names, wanted, keep }: PackageSet,
  directory: string,
  { cache, onProgress }: { readonly cache: string; readonly onProgress: (text: string) => void },
): ReturnType<typeof writePart> {
  const suite = findSuite();
  if (suite === undefined) throw new ArchiveError("this system's apt knows no Debian archive");
  const state = makeFolder(cache);
  try {
    const archive = await DebianArchive.open({ directory: state, releases: [[suite]], onProgress });
    const downloads = await archive.downloadWithDependencies(names, {
      suite,
      title,
      wanted: (name) => wanted.test(name),
    });
    return await writePart(directory, async (folder) => {
      onProgress(`unpacking ${title}`);
      const root = join(folder, 'unpacked');
      const packages = await unpackPackages(downloads, root);
      const kept = join(root, keep);
      if (!existsSync(kept)) throw new ArchiveError(`the packages have no ${keep}`);
      const place = join(folder, keep);
      mkdirSync(join(place, '..'), { recursive: true });
      renameSync(kept, place);
      rmSync(root, { recursive: true });
      return { packages, files: [] };
    });
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}

/** The version of the first package whose name matches. */
export function versionOf(packages: readonly PackageRecord[], name: RegExp): string {
  return packages.find((one) => name.test(one.name))?.version ?? 'of unknown version';
}

export function cratesVersions(packages: readonly PackageRecord[]): string[] {
  return ['virtio-queue', 'vm-memory'].map(
    (crate) => `${crate} ${versionOf(packages, new RegExp(`^librust-${crate}-dev$`))}`,
  );
}
