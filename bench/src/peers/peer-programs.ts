/** The peers: contestants in Rust and C, built where their toolchains are. */

/** Which peer: a queue of rust-vmm, Rust's BTreeMap, a queue in C, GLib's GTree. */
export type PeerName = 'rust' | 'btree' | 'c' | 'gtree';

export interface PeerPrograms {
  /** The command to which `WORK key=value ...` is appended. */
  readonly programs: ReadonlyMap<PeerName, readonly string[]>;
  /** One line for each toolchain that is missing. */
  readonly skipped: readonly string[];
  /** Toolchains and libraries with their versions. */
  readonly versions: readonly string[];
}

export interface PeerOptions {
  onProgress(text: string): void;
}

export async function preparePeers(_options: PeerOptions): Promise<PeerPrograms> {
  return { programs: new Map(), skipped: ['peers are not built yet'], versions: [] };
}
