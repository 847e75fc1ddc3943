/** Fetches packages of Debian's archive with the host's apt: without root, without touching the system, signatures checked. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, messageOf } from '../command-error.ts';
import { type AptSource, findDebianSources } from './debian-sources.ts';
import { ProgramFailed, type RunProgramOptions, runProgram } from './run-program.ts';

/** A release's own kernel, or the newest that is built for it. */
export type KernelSuite = 'stable' | 'backports';

/** Suites to take packages from; the one whose QEMU is new enough, and those with the kernels. */
interface Release {
  readonly suites: readonly string[];
  readonly qemuSuite: string;
  readonly kernelSuites: Readonly<Record<KernelSuite, string>>;
}

/** Tried in this order. */
const RELEASES: readonly Release[] = [
  {
    suites: ['trixie', 'trixie-backports'],
    qemuSuite: 'trixie-backports',
    kernelSuites: { stable: 'trixie', backports: 'trixie-backports' },
  },
  {
    suites: ['forky'],
    qemuSuite: 'forky',
    kernelSuites: { stable: 'forky', backports: 'forky' },
  },
];

const KEYRINGS = [
  '/usr/share/keyrings/debian-archive-keyring.gpg',
  '/usr/share/keyrings/debian-archive-keyring.pgp',
];

export interface DebianArchiveOptions {
  /** A folder for apt's lists and downloads. */
  readonly directory: string;
  /** The host's `/etc/apt`. */
  readonly hostConfiguration?: string;
  /** Keyrings of the host that may hold Debian's keys; the first that exists is used. */
  readonly keyrings?: readonly string[];
  /** Debian's names of architectures to read lists of besides amd64. */
  readonly foreign?: readonly string[];
  readonly signal?: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/** An apt of our own, with its lists read. */
export class DebianArchive {
  readonly #options: DebianArchiveOptions;
  readonly #configuration: string;
  readonly #release: Release;

  private constructor(options: DebianArchiveOptions, configuration: string, release: Release) {
    this.#options = options;
    this.#configuration = configuration;
    this.#release = release;
  }

  /**
   * Reads the package lists.
   *
   * @throws {CommandError} when this is no Debian on amd64, or the archive cannot be reached or verified
   */
  static async open(options: DebianArchiveOptions): Promise<DebianArchive> {
    if (process.platform !== 'linux' || process.arch !== 'x64') {
      throw new CommandError(
        `they are for Linux on amd64, and this is ${process.platform} on ${process.arch}`,
      );
    }
    const sources = findDebianSources(options.hostConfiguration);
    if (sources.length === 0) throw new CommandError("this system's apt knows no Debian archive");
    options.onProgress("reading Debian's package lists");
    let failure: unknown;
    for (const release of RELEASES) {
      for (const source of sources) {
        try {
          const configuration = await readLists(options, source, release);
          return new DebianArchive(options, configuration, release);
        } catch (error) {
          if (!(error instanceof ProgramFailed)) throw error;
          failure ??= error;
        }
      }
    }
    throw failure;
  }

  /** Downloads one package, `NAME` or `NAME:ARCHITECTURE`, into `directory`, without what it depends on. */
  async download(name: string, directory: string): Promise<void> {
    await this.#apt(['download', '-q', name], {
      directory,
      onOutput: (text) => {
        const size = /^Get:.*\[(.*)\]$/m.exec(text)?.[1];
        if (size !== undefined) this.#options.onProgress(`fetching ${name} (${size})`);
      },
    });
  }

  /**
   * Downloads a package of QEMU's, and all that it needs down to the C library.
   *
   * @param name such as `qemu-system-x86`
   * @returns the folder with the package files
   */
  async downloadQemu(name: string): Promise<string> {
    let fetched = 0;
    let size = '';
    const args = ['install', '--download-only', '--no-install-recommends', '-y', '-q', '-t'];
    await this.#apt([...args, this.#release.qemuSuite, name], {
      onOutput: (text) => {
        const got = text.match(/^Get:/gm)?.length ?? 0;
        size = /^Need to get (.*) of archives/m.exec(text)?.[1] ?? size;
        fetched += got;
        if (got > 0) this.#options.onProgress(`fetching QEMU: package ${fetched} (${size} in all)`);
      },
    });
    return join(this.#options.directory, 'cache', 'archives');
  }

  /**
   * Downloads a stock kernel into `directory`: one package, or since Linux 7 several with the release in their names.
   *
   * @param name of the package that depends on the newest, such as `linux-image-amd64`
   */
  async downloadKernel(name: string, suite: KernelSuite, directory: string): Promise<void> {
    const newest = `${name}/${this.#release.kernelSuites[suite]}`;
    const image = /Depends: (linux-image-\S+)/.exec(await this.#depends(newest))?.[1];
    if (image === undefined) throw new CommandError(`Debian's archive has no ${name}`);
    // With the architecture, where it is a foreign one.
    const release = image.slice('linux-image'.length);
    const parts = (await this.#depends(image)).match(/(?<=^ *Depends: )linux-\S+$/gm) ?? [];
    for (const part of [image, ...parts.filter((other) => other.endsWith(release))]) {
      await this.download(part, directory);
    }
  }

  #depends(name: string): Promise<string> {
    const args = ['-c', this.#configuration, 'depends', name];
    return runProgram('apt-cache', args, { ...this.#running() });
  }

  #apt(args: readonly string[], options: RunProgramOptions): Promise<string> {
    return runProgram('apt-get', ['-c', this.#configuration, ...args], {
      ...this.#running(),
      ...options,
    });
  }

  #running(): RunProgramOptions {
    return this.#options.signal ? { signal: this.#options.signal } : {};
  }
}

/** @returns the configuration file of an apt whose lists are those of `release` */
async function readLists(
  options: DebianArchiveOptions,
  source: AptSource,
  release: Release,
): Promise<string> {
  const keyring = (options.keyrings ?? KEYRINGS).find((file) => existsSync(file));
  try {
    return await update(
      options,
      release.suites.map((suite) => sourceLine(source, suite, keyring, options.foreign)),
    );
  } catch (error) {
    const unknownKey =
      error instanceof ProgramFailed && /NO_PUBKEY|Missing key|is not signed/.test(error.stderr);
    if (!unknownKey) throw error;
  }
  // The host is older than the release and does not know its keys. The host's own suite, which it can verify, has a newer keyring.
  options.onProgress("fetching Debian's newer keyring");
  const suite = source.suites[0]!;
  const configuration = await update(options, [
    sourceLine(source, suite, source.signedBy ?? keyring),
  ]);
  const signal = options.signal ? { signal: options.signal } : {};
  const directory = join(options.directory, 'keyring');
  mkdirSync(directory, { recursive: true });
  await runProgram('apt-get', ['-c', configuration, 'download', '-q', 'debian-archive-keyring'], {
    directory,
    ...signal,
  });
  for (const file of readdirSync(directory)) {
    if (file.endsWith('.deb')) {
      await runProgram('dpkg-deb', ['-x', join(directory, file), directory], signal);
    }
  }
  const newer = KEYRINGS.map((file) => join(directory, file)).find((file) => existsSync(file));
  return update(
    options,
    release.suites.map((suite) => sourceLine(source, suite, newer, options.foreign)),
  );
}

function sourceLine(
  source: AptSource,
  suite: string,
  keyring: string | undefined,
  foreign: readonly string[] = [],
): string {
  const signedBy = keyring === undefined ? '' : ` signed-by=${keyring}`;
  const architectures = ['amd64', ...foreign].join(',');
  return `deb [arch=${architectures}${signedBy}] ${source.uri} ${suite} main`;
}

async function update(options: DebianArchiveOptions, lines: readonly string[]): Promise<string> {
  const { directory } = options;
  for (const folder of ['state/lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(directory, folder), { recursive: true });
  }
  const configuration = join(directory, 'apt.conf');
  writeFileSync(join(directory, 'sources.list'), `${lines.join('\n')}\n`);
  writeFileSync(join(directory, 'status'), '');
  writeFileSync(configuration, aptConfiguration(directory, options.foreign));
  try {
    await runProgram(
      'apt-get',
      ['-c', configuration, 'update', '-q'],
      options.signal ? { signal: options.signal } : {},
    );
  } catch (error) {
    if (error instanceof ProgramFailed || options.signal?.aborted) throw error;
    throw new CommandError(messageOf(error), { cause: error });
  }
  return configuration;
}

/** Read after the host's configuration: its proxies stay, its folders, pins and hooks do not. */
function aptConfiguration(directory: string, foreign: readonly string[] = []): string {
  const architectures = ['amd64', ...foreign].map((name) => `"${name}";`).join(' ');
  return `Dir::State "${directory}/state";
Dir::State::status "${directory}/status";
Dir::Cache "${directory}/cache";
Dir::Log "${directory}/log";
Dir::Etc::sourcelist "${directory}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
#clear APT::Architectures;
APT::Architecture "amd64";
APT::Architectures { ${architectures} };
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
#clear Acquire::IndexTargets::deb::DEP-11;
Acquire::Languages "none";
Acquire::Retries "2";
`;
}
