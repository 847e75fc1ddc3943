/** Reads the parts of the standard that this project implements from a checkout or a bare repository of it. */
import { execFileSync } from 'node:child_process';
import { ConformanceError } from '../conformance-error.ts';
import { type ExtractedSection, extractStatements } from './extract.ts';

/** All but other device types, and channel I/O. */
const FILES = [
  'content.tex',
  'split-ring.tex',
  'packed-ring.tex',
  'shared-mem.tex',
  'admin.tex',
  'admin-cmds-legacy-interface.tex',
  'admin-cmds-capabilities.tex',
  'admin-cmds-resource-objects.tex',
  'admin-cmds-device-parts.tex',
  'device-parts.tex',
  'transport-pci.tex',
  'transport-mmio.tex',
  'device-types/iommu/description.tex',
  'device-types/blk/description.tex',
  'device-types/net/description.tex',
  'device-types/entropy/description.tex',
];

export interface StandardText {
  readonly commit: string;
  readonly sections: readonly ExtractedSection[];
}

/** @throws ConformanceError when `repository` is none, or lacks a file */
export function readStandard(repository: string): StandardText {
  const commit = git(repository, ['rev-parse', 'HEAD']).trim();
  const sections = FILES.flatMap((file) =>
    extractStatements(file, git(repository, ['show', `${commit}:${file}`])),
  );
  return { commit, sections };
}

function git(repository: string, command: readonly string[]): string {
  try {
    return execFileSync('git', ['-C', repository, ...command], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 1 << 26,
    });
  } catch {
    throw new ConformanceError(
      `"git ${command.join(' ')}" failed in ${repository}; give the path of a clone of the standard`,
    );
  }
}
