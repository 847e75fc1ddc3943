/** Writes and reads `statements.json`, which is all that the check needs to know of the standard. */
import { ConformanceError } from '../conformance-error.ts';
import type { StandardText } from './read-standard.ts';
import type { Level, NormativeSection, Standard } from './statement.ts';

interface FileSection extends Omit<NormativeSection, 'statements'> {
  /** "KEY LEVEL", in the order of the text. */
  readonly statements: readonly string[];
}

export function formatStatements({ commit, sections }: StandardText): string {
  const lines = sections.map(({ side, label, title, file, statements }) => ({
    side,
    label,
    title,
    file,
    statements: statements.map(({ key, level }) => `${key} ${level}`),
  }));
  return `${JSON.stringify({ commit, sections: lines }, null, 2)}\n`;
}

/** @throws ConformanceError when the text is not what `formatStatements` writes */
export function parseStatements(text: string): Standard {
  try {
    const { commit, sections } = JSON.parse(text) as { commit: string; sections: FileSection[] };
    return {
      commit,
      sections: sections.map((section) => ({
        ...section,
        statements: section.statements.map((line) => ({
          key: line.slice(0, line.indexOf(' ')),
          level: line.slice(line.indexOf(' ') + 1) as Level,
        })),
      })),
    };
  } catch {
    throw new ConformanceError('statements.json cannot be read; write it again with "extract"');
  }
}
