/** The suites of Debian's archive that guests are made of, and how a QEMU and a kernel are taken from them. */
import { DebianArchive } from '@viommu/debian-archive';
import { CommandError } from '../command-error.ts';

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

export interface GuestArchiveOptions {
  /** A folder for apt's lists and downloads. */
  readonly directory: string;
  /** Debian's names of architectures to read lists of besides amd64. */
  readonly foreign: readonly string[];
  /** Whether lists of backports are read, too: a QEMU or a kernel may come from there. */
  readonly backports: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress: (text: string) => void;
}

export class GuestArchive {
  readonly #archive: DebianArchive;
  readonly #release: Release;

  private constructor(archive: DebianArchive, release: Release) {
    this.#archive = archive;
    this.#release = release;
  }

  /** Reads the package lists; throws what {@link DebianArchive.open} throws. */
  static async open(options: GuestArchiveOptions): Promise<GuestArchive> {
    const releases = RELEASES.map(({ suites }) =>
      options.backports ? suites : suites.filter((suite) => !suite.endsWith('-backports')),
    );
    const archive = await DebianArchive.open({ ...options, releases });
    return new GuestArchive(archive, RELEASES[releases.indexOf(archive.suites)]!);
  }

  /** Downloads one package, `NAME` or `NAME:ARCHITECTURE`, into `directory`, without what it depends on. */
  download(name: string, directory: string): Promise<void> {
    return this.#archive.download(name, directory);
  }

  /**
   * Downloads a package of QEMU's, and all that it needs down to the C library.
   *
   * @param name such as `qemu-system-x86`
   * @returns the folder with the package files
   */
  downloadQemu(name: string): Promise<string> {
    return this.#archive.downloadWithDependencies([name], {
      suite: this.#release.qemuSuite,
      title: 'QEMU',
    });
  }

  /**
   * Downloads a stock kernel into `directory`: one package, or since Linux 7 several with the release in their names.
   *
   * @param name of the package that depends on the newest, such as `linux-image-amd64`
   */
  async downloadKernel(name: string, suite: KernelSuite, directory: string): Promise<void> {
    const newest = `${name}/${this.#release.kernelSuites[suite]}`;
    const depends = await this.#archive.dependencies(newest);
    const image = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
    if (image === undefined) throw new CommandError(`Debian's archive has no ${name}`);
    // With the architecture, where it is a foreign one.
    const release = image.slice('linux-image'.length);
    const needed = await this.#archive.dependencies(image);
    const parts = needed.match(/(?<=^ *Depends: )linux-\S+$/gm) ?? [];
    for (const part of [image, ...parts.filter((other) => other.endsWith(release))]) {
      await this.#archive.download(part, directory);
    }
  }
}
