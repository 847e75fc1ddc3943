/** Finds in the host's own apt configuration where Debian's archive is fetched from. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One source of packages. */
export interface AptSource {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** A keyring file, if the source names one. */
  readonly signedBy?: string;
}

/** Debian's own suites: a source with none of them is somebody else's. */
const DEBIAN_SUITES = new Set([
  ...['bullseye', 'bookworm', 'trixie', 'forky', 'duke', 'sid'],
  ...['oldoldstable', 'oldstable', 'stable', 'testing', 'unstable'],
]);

/**
 * The sources of Debian's archive that the host uses, likeliest first; empty on a system that is not Debian.
 *
 * @param directory the host's `/etc/apt`
 */
export function findDebianSources(directory = '/etc/apt'): AptSource[] {
  const parts = join(directory, 'sources.list.d');
  const files = [join(directory, 'sources.list'), ...list(parts).map((name) => join(parts, name))];
  const sources = files.flatMap((file) => {
    // apt ignores files with any other ending, and so do we.
    if (file.endsWith('.sources')) return parseSources(read(file));
    return file.endsWith('.list') ? parseList(read(file)) : [];
  });
  const debian = sources.filter(
    (source) =>
      source.components.includes('main') &&
      source.suites.some((suite) => DEBIAN_SUITES.has(suite)) &&
      !source.uri.startsWith('cdrom:'),
  );
  const likely = debian.filter((source) => /debian\/?$|^mirror\+/.test(source.uri));
  const chosen = likely.length > 0 ? likely : debian;
  return chosen.filter(
    (source, index) => chosen.findIndex((other) => other.uri === source.uri) === index,
  );
}

/** Debian's release on the host as apt's sources name it, such as `bookworm`; undefined on a system that is not Debian. */
export function hostSuite(directory = '/etc/apt'): string | undefined {
  return findDebianSources(directory)[0]?.suites[0];
}

/** Parses the one-line form: `deb [signed-by=FILE] URI SUITE COMPONENT...`. */
export function parseList(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)([^#]*)/.exec(line);
    if (!match) continue;
    const [, options = '', uri, suite, components] = match;
    const signedBy = /(?:^|\s)signed-by=(\/\S+)/.exec(options)?.[1];
    sources.push({
      uri: uri!,
      suites: [suite!],
      components: words(components),
      ...(signedBy === undefined ? {} : { signedBy }),
    });
  }
  return sources;
}

/** Parses the deb822 form: stanzas of `Field: value`, with continuation lines that start with white space. */
export function parseSources(text: string): AptSource[] {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  return lines
    .join('\n')
    .split(/\n\s*\n/)
    .flatMap((stanza) => {
      const fields = new Map<string, string>();
      for (const field of stanza.replaceAll(/\n[ \t]+/g, ' ').split('\n')) {
        const colon = field.indexOf(':');
        if (colon > 0)
          fields.set(field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim());
      }
      if (!words(fields.get('types')).includes('deb') || fields.get('enabled') === 'no') return [];
      const signedBy = fields.get('signed-by');
      return words(fields.get('uris')).map((uri) => ({
        uri,
        suites: words(fields.get('suites')),
        components: words(fields.get('components')),
        // The field may also hold the key itself.
        ...(signedBy && /^\/\S+$/.test(signedBy) ? { signedBy } : {}),
      }));
    });
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
