/** The programs of this system that build a kernel; those that are missing are fetched from its own release of Debian. */
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { hostSuite, runProgram } from '@viommu/debian-archive';
import { fetchTools, type HostTool, type HostToolsOptions } from './fetch-tools.ts';
import { GuestError, messageOf } from './guest-error.ts';

export const HOST_TOOLS: readonly HostTool[] = [
  { program: 'make', packages: ['make'] },
  { program: 'bc', packages: ['bc'] },
  { program: 'flex', packages: ['flex'] },
  { program: 'bison', packages: ['bison'] },
  // flex and bison start it.
  { program: 'm4', packages: ['m4'] },
  // tar starts it.
  { program: 'xz', packages: ['xz-utils'] },
  {
    program: 'gcc',
    packages: ['gcc', 'libc6-dev'],
    others: ['ar', 'as', 'ld', 'nm', 'objcopy', 'objdump', 'readelf', 'strip'],
  },
];

/**
 * @returns the environment in which all of them are found
 * @throws {GuestError} when one is missing and cannot be fetched, with the packages to install
 */
export async function prepareHostTools(options: HostToolsOptions): Promise<NodeJS.ProcessEnv> {
  const { folder, signal, onProgress } = options;
  const missing = await missingTools(process.env.PATH ?? '', folder, signal);
  if (missing.length === 0) return {};
  const names = missing.map(({ program }) => program).join(', ');
  onProgress(`fetching what this system does not have: ${names}`);
  try {
    const suite = hostSuite();
    if (suite === undefined) throw new GuestError("this system's apt knows no Debian archive");
    return await fetchTools(missing, suite, options);
  } catch (error) {
    if (signal?.aborted) throw error;
    const packages = missing.flatMap((tool) => tool.packages).join(' ');
    throw new GuestError(
      `${names} cannot be found on this system, nor fetched (${messageOf(error)}); install the packages ${packages}`,
      { cause: error },
    );
  }
}

/** Those of {@link HOST_TOOLS} that are not in one of the folders of `path`, a compiler without its headers among them. */
export async function missingTools(
  path: string,
  folder: string,
  signal?: AbortSignal,
): Promise<HostTool[]> {
  const missing = HOST_TOOLS.filter(
    ({ program, others = [] }) => ![program, ...others].every((name) => isOnPath(name, path)),
  );
  const gcc = HOST_TOOLS.find(({ program }) => program === 'gcc')!;
  if (missing.includes(gcc) || (await compiles(folder, path, signal))) return missing;
  return [...missing, gcc];
}

function isOnPath(program: string, path: string): boolean {
  return path.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return directory !== '';
    } catch {
      return false;
    }
  });
}

/** Whether gcc can make a program for this system: it may be there without the C library's headers. */
async function compiles(folder: string, path: string, signal?: AbortSignal): Promise<boolean> {
  mkdirSync(folder, { recursive: true });
  const source = join(folder, 'probe.c');
  writeFileSync(source, '#include <stdio.h>\nint main(void) { return puts("") == EOF; }\n');
  try {
    await runProgram('gcc', ['-o', join(folder, 'probe'), source], {
      environment: { PATH: path },
      ...(signal ? { signal } : {}),
    });
    return true;
  } catch (error) {
    if (signal?.aborted) throw error;
    return false;
  }
}
