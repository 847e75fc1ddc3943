/** Unpacks package files, and keeps a record of each. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type PackageRecord, sha256OfFile } from './part-cache.ts';
import { runProgram } from './run-program.ts';

/**
 * Unpacks every package file of `downloads` into `root`, one over the other, and removes the file.
 *
 * @returns what was unpacked, by name
 */
export async function unpackPackages(
  downloads: string,
  root: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<PackageRecord[]> {
  const packages: PackageRecord[] = [];
  for (const file of readdirSync(downloads).sort()) {
    if (!file.endsWith('.deb')) continue;
    const path = join(downloads, file);
    await runProgram('dpkg-deb', ['-x', path, root], options);
    // apt names the file NAME_VERSION_ARCHITECTURE.deb, with the colon of an epoch escaped.
    const [name = file, version = ''] = file.split('_');
    packages.push({ name, version: decodeURIComponent(version), sha256: sha256OfFile(path) });
    rmSync(path);
  }
  return packages;
}
