/** The peers: contestants in Rust and C, built where their toolchains are. */
import { fileURLToPath } from 'node:url';
import { cacheDirectory } from '@viommu/debian-archive';
import { messageOf } from '../bench-error.ts';
import { PEER_RECIPES, type PeerName, type PeerRecipe } from './peer-recipes.ts';

export type { PeerName } from './peer-recipes.ts';

export interface PeerPrograms {
  /** The command to which `WORK key=value ...` is appended. */
  readonly programs: ReadonlyMap<PeerName, readonly string[]>;
  /** One line for each peer that is missing, and why. */
  readonly skipped: readonly string[];
  /** Toolchains and libraries with their versions. */
  readonly versions: readonly string[];
}

export interface PeerOptions {
  onProgress(text: string): void;
}

/** From the bundle in `dist`. */
const SOURCES = fileURLToPath(new URL('../peers/', import.meta.url));

/** Builds the peers that are not in the cache; what cannot be built is skipped. */
export async function preparePeers(
  { onProgress }: PeerOptions,
  recipes: readonly PeerRecipe[] = PEER_RECIPES,
  folders: { readonly cache: string; readonly sources: string } = {
    cache: cacheDirectory(),
    sources: SOURCES,
  },
): Promise<PeerPrograms> {
  const programs = new Map<PeerName, readonly string[]>();
  const skipped: string[] = [];
  const versions = new Set<string>();
  for (const recipe of recipes) {
    try {
      const built = await recipe.prepare({ ...folders, onProgress });
      for (const name of recipe.names) programs.set(name, [built.program]);
      for (const version of built.versions) versions.add(version);
    } catch (error) {
      const [reason = ''] = messageOf(error).split('\n');
      skipped.push(`${recipe.names.join(', ')}: ${reason}`);
    }
  }
  return { programs, skipped, versions: [...versions] };
}
