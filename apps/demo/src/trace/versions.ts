/** The versions of what this program is made of, for the header of a trace. */
import { readFileSync } from 'node:fs';
import { packageFile } from '../package-file.ts';

export function ownVersions(): Record<string, string> {
  const { version } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8'));
  return { viommu: version, node: process.version };
}
