/** The state folder of an apt of our own: its sources, keys, configuration and package lists. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AptSource } from './debian-sources.ts';
import { ProgramFailed, runProgram } from './run-program.ts';

const KEYRINGS = [
  '/usr/share/keyrings/debian-archive-keyring.gpg',
  '/usr/share/keyrings/debian-archive-keyring.pgp',
];

export interface AptStateOptions {
  /** A folder for apt's lists and downloads; an absolute path. */
  readonly directory: string;
  /** Keyrings of the host that may hold Debian's keys; the first that exists is used. */
  readonly keyrings?: readonly string[];
  /** Debian's names of architectures to read lists of besides amd64. */
  readonly foreign?: readonly string[];
  readonly signal?: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/** @returns the configuration file of an apt whose lists are those of `suites` */
export async function readLists(
  options: AptStateOptions,
  source: AptSource,
  suites: readonly string[],
): Promise<string> {
  const keyring = (options.keyrings ?? KEYRINGS).find((file) => existsSync(file));
  try {
    return await update(
      options,
      suites.map((suite) => sourceLine(source, suite, keyring, options.foreign)),
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
    suites.map((suite) => sourceLine(source, suite, newer, options.foreign)),
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

async function update(options: AptStateOptions, lines: readonly string[]): Promise<string> {
  const { directory } = options;
  for (const folder of ['state/lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(directory, folder), { recursive: true });
  }
  const configuration = join(directory, 'apt.conf');
  writeFileSync(join(directory, 'sources.list'), `${lines.join('\n')}\n`);
  writeFileSync(join(directory, 'status'), '');
  writeFileSync(configuration, aptConfiguration(directory, options.foreign));
  await runProgram(
    'apt-get',
    ['-c', configuration, 'update', '-q'],
    options.signal ? { signal: options.signal } : {},
  );
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
