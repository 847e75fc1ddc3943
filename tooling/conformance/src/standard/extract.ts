/** Makes the list of statements: one for each keyword of requirement in a normative section. */
import { createHash } from 'node:crypto';
import { ConformanceError } from '../conformance-error.ts';
import { findNormativeSections, type SectionText } from './normative-sections.ts';
import { type Sentence, sentencesOf } from './sentences.ts';
import type { Level, NormativeSection, Statement } from './statement.ts';

/** The standard writes "MUST not" at times, and "MOST NOT" once. */
const KEYWORD = /\b(MUST|MOST(?= NOT)|SHALL|SHOULD|REQUIRED|RECOMMENDED)( NOT| not)?\b/g;
const KEY_DIGITS = 8;

/** A statement together with its sentence, for whoever writes its row. */
interface StatementText extends Statement {
  readonly text: string;
}

export interface ExtractedSection extends NormativeSection {
  readonly statements: readonly StatementText[];
}

/**
 * @param file the name of the file, as the standard has it
 * @param source its LaTeX
 * @throws ConformanceError when a section has no label, or two have the same
 */
export function extractStatements(file: string, source: string): ExtractedSection[] {
  const known = new Set<string>();
  return findNormativeSections(source).map((section) => {
    if (section.label === '')
      throw new ConformanceError(`${file}: "${section.title}" has no label`);
    const name = `${section.side}: ${section.label}`;
    if (known.has(name)) throw new ConformanceError(`${file}: two sections are labelled "${name}"`);
    known.add(name);
    const { side, label, title } = section;
    return { side, label, title, file, statements: statementsOf(section) };
  });
}

function statementsOf(section: SectionText): StatementText[] {
  const statements: StatementText[] = [];
  const repeats = new Map<string, number>();
  const sentences = sentencesOf(section.body);
  for (const sentence of sentences) {
    for (const [index, match] of [...sentence.text.matchAll(KEYWORD)].entries()) {
      const identity = [
        section.side,
        section.label,
        ...sentence.stems,
        sentence.text,
        ...itemsOf(sentence, sentences),
        index,
      ].join('\n');
      const repeat = repeats.get(identity) ?? 0;
      repeats.set(identity, repeat + 1);
      statements.push({
        key: createHash('sha256')
          .update(`${identity}\n${repeat}`)
          .digest('hex')
          .slice(0, KEY_DIGITS),
        level: levelOf(match),
        text: textOf(sentence),
      });
    }
  }
  return statements;
}

/** The items of a list that complete the sentence before it; items with a keyword are statements of their own. */
function itemsOf({ text }: Sentence, sentences: readonly Sentence[]): string[] {
  return sentences
    .filter((other) => other.stems.includes(text) && other.text.search(KEYWORD) < 0)
    .map((other) => other.text);
}

function levelOf([, word, not]: RegExpMatchArray): Level {
  const should = word === 'SHOULD' || word === 'RECOMMENDED';
  return `${should ? 'SHOULD' : 'MUST'}${not === undefined ? '' : ' NOT'}`;
}

function textOf({ stems, text }: Sentence): string {
  return [...stems, text].join(' / ');
}
