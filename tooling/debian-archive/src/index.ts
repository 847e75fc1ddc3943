/** Packages of Debian's archive in a cache folder of the user's, fetched with the host's apt and without root. */
export { ArchiveError } from './archive-error.ts';
export { DebianArchive } from './debian-archive.ts';
export { hostSuite } from './debian-sources.ts';
export {
  cacheDirectory,
  type Manifest,
  makeFolder,
  type PackageRecord,
  readPart,
  writePart,
} from './part-cache.ts';
export { type Program, ProgramMissing, type RunProgramOptions, runProgram } from './run-program.ts';
export { unpackPackages } from './unpack-packages.ts';
