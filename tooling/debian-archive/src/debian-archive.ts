/** Fetches packages of Debian's archive with the host's apt: without root, without touching the system, signatures checked. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type AptStateOptions, readLists } from './apt-state.ts';
import { ArchiveError } from './archive-error.ts';
import { findDebianSources } from './debian-sources.ts';
import { ProgramFailed, type RunProgramOptions, runProgram } from './run-program.ts';

export interface DebianArchiveOptions extends AptStateOptions {
  /** Sets of suites, tried in this order: the first whose lists can all be read is taken. */
  readonly releases: readonly (readonly string[])[];
  /** The host's `/etc/apt`. */
  readonly hostConfiguration?: string;
}

export interface DependenciesOptions {
  /** One of {@link DebianArchive.suites}; what they depend on is taken from there where it has it. */
  readonly suite: string;
  /** Which of the packages are downloaded; all down to the C library when not given. */
  readonly wanted?: (name: string) => boolean;
  /** What the packages are of, for the lines of progress. */
  readonly title: string;
}

/** An apt of our own, with its lists read. */
export class DebianArchive {
  /** Those of the options' `releases` whose lists were read. */
  readonly suites: readonly string[];
  readonly #options: DebianArchiveOptions;
  readonly #configuration: string;

  private constructor(
    options: DebianArchiveOptions,
    configuration: string,
    suites: readonly string[],
  ) {
    this.#options = options;
    this.#configuration = configuration;
    this.suites = suites;
  }

  /**
   * Reads the package lists.
   *
   * @throws {ArchiveError} when this is no Debian on amd64
   * @throws {ProgramFailed} when the archive cannot be reached or verified
   * @throws {ProgramMissing} when there is no apt
   */
  static async open(options: DebianArchiveOptions): Promise<DebianArchive> {
    if (process.platform !== 'linux' || process.arch !== 'x64') {
      throw new ArchiveError(
        `they are for Linux on amd64, and this is ${process.platform} on ${process.arch}`,
      );
    }
    const sources = findDebianSources(options.hostConfiguration);
    if (sources.length === 0) throw new ArchiveError("this system's apt knows no Debian archive");
    options.onProgress("reading Debian's package lists");
    let failure: unknown;
    for (const suites of options.releases) {
      for (const source of sources) {
        try {
          const configuration = await readLists(options, source, suites);
          return new DebianArchive(options, configuration, suites);
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
   * Downloads packages, and what they depend on, as if nothing were installed.
   *
   * @returns the folder with the package files
   */
  async downloadWithDependencies(
    names: readonly string[],
    options: DependenciesOptions,
  ): Promise<string> {
    const { suite, wanted, title } = options;
    const downloads = join(this.#options.directory, 'cache', 'archives');
    const install = ['install', '--no-install-recommends', '-y', '-q', '-t', suite, ...names];
    if (wanted === undefined) {
      await this.#apt([...install, '--download-only'], this.#countPackages(title));
      return downloads;
    }
    const needed = packagesOfPlan(await this.#apt([...install, '--simulate'])).filter(({ name }) =>
      wanted(name),
    );
    mkdirSync(downloads, { recursive: true });
    await this.#apt(
      ['download', '-q', ...needed.map(({ name, version }) => `${name}=${version}`)],
      { directory: downloads, ...this.#countPackages(title) },
    );
    return downloads;
  }

  /** What `apt-cache depends` prints: a line `Depends: NAME` for each. */
  dependencies(name: string): Promise<string> {
    return runProgram('apt-cache', ['-c', this.#configuration, 'depends', name], this.#running());
  }

  /** Reports each package that apt begins to fetch. */
  #countPackages(title: string): RunProgramOptions {
    let fetched = 0;
    let size = '';
    return {
      onOutput: (text) => {
        const got = text.match(/^Get:/gm)?.length ?? 0;
        size = /^Need to get (.*) of archives/m.exec(text)?.[1] ?? size;
        fetched += got;
        if (got === 0) return;
        const inAll = size === '' ? '' : ` (${size} in all)`;
        this.#options.onProgress(`fetching ${title}: package ${fetched}${inAll}`);
      },
    };
  }

  #apt(args: readonly string[], options: RunProgramOptions = {}): Promise<string> {
    return runProgram('apt-get', ['-c', this.#configuration, ...args], {
      ...this.#running(),
      ...options,
    });
  }

  #running(): RunProgramOptions {
    return this.#options.signal ? { signal: this.#options.signal } : {};
  }
}

/** The packages that apt would install, by what it prints for `--simulate`. */
export function packagesOfPlan(plan: string): { name: string; version: string }[] {
  return [...plan.matchAll(/^Inst (\S+) (?:\[[^\]]*\] )?\((\S+) /gm)].map(([, name, version]) => ({
    name: name!,
    version: version!,
  }));
}
