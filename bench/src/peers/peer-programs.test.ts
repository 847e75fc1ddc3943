import { describe, expect, it } from 'vitest';
import { preparePeers } from './peer-programs.ts';
import type { PeerRecipe } from './peer-recipes.ts';

const folders = { cache: '/cache', sources: '/sources' };
const onProgress = (): void => {};
const rust: PeerRecipe = {
  names: ['rust', 'btree'],
  prepare: async () => ({ program: '/cache/rust', versions: ['rustc 1.95.0', 'vm-memory 0.18'] }),
};
const c: PeerRecipe = {
  names: ['c'],
  prepare: async () => ({ program: '/cache/c', versions: ['gcc 12'] }),
};
const gtree: PeerRecipe = {
  names: ['gtree'],
  prepare: async () => ({ program: '/cache/gtree', versions: ['gcc 12', 'GLib 2.74'] }),
};

describe('preparePeers', () => {
  it('gives each name its program, and each version once', async () => {
    const peers = await preparePeers({ onProgress }, [rust, c, gtree], folders);
    expect([...peers.programs]).toEqual([
      ['rust', ['/cache/rust']],
      ['btree', ['/cache/rust']],
      ['c', ['/cache/c']],
      ['gtree', ['/cache/gtree']],
    ]);
    expect(peers.skipped).toEqual([]);
    expect(peers.versions).toEqual(['rustc 1.95.0', 'vm-memory 0.18', 'gcc 12', 'GLib 2.74']);
  });

  it('skips what cannot be built, with one line that says why, and builds the others', async () => {
    const without: PeerRecipe = {
      names: ['rust', 'btree'],
      prepare: async () => {
        throw new Error('cargo is not there; install it\n    at somewhere');
      },
    };
    const peers = await preparePeers({ onProgress }, [without, c], folders);
    expect(peers.skipped).toEqual(['rust, btree: cargo is not there; install it']);
    expect([...peers.programs.keys()]).toEqual(['c']);
    expect(peers.versions).toEqual(['gcc 12']);
  });

  it('passes the folders and the progress on', async () => {
    const lines: string[] = [];
    const curious: PeerRecipe = {
      names: ['c'],
      prepare: async (options) => {
        options.onProgress(`building ${options.sources} in ${options.cache}`);
        return { program: '/p', versions: [] };
      },
    };
    await preparePeers({ onProgress: (text) => lines.push(text) }, [curious], folders);
    expect(lines).toEqual(['building /sources in /cache']);
  });
});
