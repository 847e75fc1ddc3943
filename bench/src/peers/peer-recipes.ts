/** How each peer is built: with the host's compilers, against crates and libraries of Debian's packages. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PackageRecord, runProgram } from '@viommu/debian-archive';
import { cachedBuild, sourcesIn } from './cached-build.ts';
import { CRATES, cratesVersions, preparePackages, versionOf } from './peer-packages.ts';

/** Which peer: a queue of rust-vmm, Rust's BTreeMap, a queue in C, GLib's GTree; a client and a server of vfio-user in C. */
export type PeerName = 'rust' | 'btree' | 'c' | 'gtree' | 'register-client' | 'register-server';

interface RecipeOptions {
  /** An absolute path. */
  readonly cache: string;
  /** The folder with the sources in Rust and C. */
  readonly sources: string;
  readonly onProgress: (text: string) => void;
}

interface BuiltPeer {
  /** Path of the program. */
  readonly program: string;
  /** What it was built with. */
  readonly versions: readonly string[];
}

export interface PeerRecipe {
  /** The peers that its one program is. */
  readonly names: readonly PeerName[];
  /** @throws an error whose message's first line says what is missing */
  prepare(options: RecipeOptions): Promise<BuiltPeer>;
}

const GCC_FLAGS = ['-O2', '-march=native'] as const;

export const PEER_RECIPES: readonly PeerRecipe[] = [
  { names: ['rust', 'btree'], prepare: prepareRust },
  {
    names: ['c'],
    prepare: (options) => prepareC('c', ['ring.c', 'virtqueue.c', 'contestant.c'], options),
  },
  { names: ['gtree'], prepare: prepareGlib },
  {
    names: ['register-client'],
    prepare: (options) => prepareC('register-client', ['register-read-client.c'], options),
  },
  {
    names: ['register-server'],
    prepare: (options) => prepareC('register-server', ['register-read-server.c'], options),
  },
];

async function prepareRust({ cache, sources, onProgress }: RecipeOptions): Promise<BuiltPeer> {
  const compiler = firstLine(await runProgram('rustc', ['--version']));
  await runProgram('cargo', ['--version']);
  const crates = await preparePackages('crates', { cache, onProgress });
  const directory = join(sources, 'rust');
  const settings = cargoSettings(join(crates.directory, CRATES));
  const program = await cachedBuild(
    {
      cache,
      name: 'rust',
      sources: sourcesIn(directory, ['Cargo.toml', 'src']),
      toolchain: [compiler, settings],
      packages: crates.packages,
    },
    async (folder, output) => {
      onProgress('building the peers in Rust');
      // In a copy: what cargo writes beside its sources depends on the crates that Debian has today.
      const project = join(folder, 'project');
      mkdirSync(join(project, '.cargo'), { recursive: true });
      for (const name of ['Cargo.toml', 'src']) {
        cpSync(join(directory, name), join(project, name), { recursive: true });
      }
      writeFileSync(join(project, '.cargo/config.toml'), settings);
      await runProgram('cargo', ['build', '--release', '--offline', '--quiet'], {
        directory: project,
        environment: { CARGO_TARGET_DIR: join(project, 'target') },
      });
      cpSync(join(project, 'target/release/viommu-peers'), output);
    },
  );
  return { program, versions: [compiler, ...cratesVersions(crates.packages)] };
}

/** Crates are taken from the packages alone. */
function cargoSettings(crates: string): string {
  return `[source.crates-io]
replace-with = "debian"
[source.debian]
directory = ${JSON.stringify(crates)}
[build]
rustflags = ["-C", "target-cpu=native"]
`;
}

async function prepareC(
  name: PeerName,
  files: readonly string[],
  options: RecipeOptions,
): Promise<BuiltPeer> {
  const compiler = await findGcc();
  return compile({ ...options, compiler, name, files, flags: [], packages: [] });
}

async function prepareGlib(options: RecipeOptions): Promise<BuiltPeer> {
  const compiler = await findGcc();
  const glib = await preparePackages('glib', options);
  const libraries = join(glib.directory, 'usr/lib/x86_64-linux-gnu');
  const built = await compile({
    ...options,
    compiler,
    name: 'gtree',
    files: ['gtree.c', 'contestant.c'],
    flags: [
      `-I${join(glib.directory, 'usr/include/glib-2.0')}`,
      `-I${join(libraries, 'glib-2.0/include')}`,
      `-L${libraries}`,
      '-lglib-2.0',
      `-Wl,-rpath,${libraries}`,
    ],
    packages: glib.packages,
  });
  const version = versionOf(glib.packages, /^libglib2\.0-0/);
  return { program: built.program, versions: [...built.versions, `GLib ${version}`] };
}

interface Compilation extends RecipeOptions {
  readonly compiler: string;
  readonly name: PeerName;
  readonly files: readonly string[];
  readonly flags: readonly string[];
  readonly packages: readonly PackageRecord[];
}

/** What gcc calls itself. */
async function findGcc(): Promise<string> {
  return firstLine(await runProgram('gcc', ['--version']));
}

async function compile({
  compiler,
  files,
  flags,
  sources,
  ...peer
}: Compilation): Promise<BuiltPeer> {
  const directory = join(sources, 'c');
  const program = await cachedBuild(
    {
      ...peer,
      sources: sourcesIn(directory, ['.']),
      toolchain: [compiler, ...GCC_FLAGS, ...files, ...flags],
    },
    async (_folder, output) => {
      peer.onProgress(`building the peer ${peer.name}`);
      await runProgram('gcc', [...GCC_FLAGS, '-o', output, ...files, ...flags], { directory });
    },
  );
  return { program, versions: [compiler] };
}

function firstLine(text: string): string {
  return text.split('\n')[0]!.trim();
}
