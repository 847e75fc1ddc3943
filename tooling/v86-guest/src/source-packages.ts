/** Which source package a package file is built from, by the fields of its control file. */
import { runProgram } from '@viommu/debian-archive';

/** A source package of Debian. */
export interface SourcePackage {
  readonly name: string;
  readonly version: string;
}

/** Where a package comes from. */
export interface Origin {
  readonly package: string;
  readonly version: string;
  readonly source: SourcePackage;
  /** What else is in it, such as the C library of a static program. */
  readonly includes: readonly SourcePackage[];
}

/** Reads a package file. */
export async function originOf(
  file: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Origin> {
  const fields = ['Package', 'Version', 'Source', 'Built-Using', 'Static-Built-Using'];
  return parseOrigin(await runProgram('dpkg-deb', ['-f', file, ...fields], options));
}

/**
 * @param control lines `Field: value`. `Source` is absent when it has the package's name, and has a version only when that
 *   differs
 */
export function parseOrigin(control: string): Origin {
  const fields = new Map(
    [...control.matchAll(/^([\w-]+): *(.*)$/gm)].map(([, name, value]) => [name!, value!]),
  );
  const name = fields.get('Package') ?? '';
  const version = fields.get('Version') ?? '';
  const source = /^(\S+)(?: \((\S+)\))?$/.exec(fields.get('Source') ?? name);
  const built = `${fields.get('Built-Using') ?? ''}, ${fields.get('Static-Built-Using') ?? ''}`;
  return {
    package: name,
    version,
    source: { name: source?.[1] ?? name, version: source?.[2] ?? version },
    includes: [...built.matchAll(/(\S+) \(= (\S+)\)/g)].map(([, other, itsVersion]) => ({
      name: other!,
      version: itsVersion!,
    })),
  };
}
