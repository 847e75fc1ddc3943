/** Breaks the LaTeX of a normative section into sentences of plain text. */
import { oneLine } from './normative-sections.ts';

export interface Sentence {
  readonly text: string;
  /** The sentences that the lists around this one hang from: a condition that holds for each item. */
  readonly stems: readonly string[];
}

/** What is in these is no requirement: notes are not normative, the others are pictures of structures. */
const LEFT_OUT =
  /\\begin\{(note|lstlisting|tabularx?|table|longtable|figure)\}[\s\S]*?\\end\{\1\}/g;
const LIST_MARK = /\\(?:begin|end)\{(?:itemize|enumerate|description)\}(?:\[[^\]]*\])?|\\item\b/g;
const FULL_STOP = /(?<=[.!?])(?<!\b(?:e\.g|i\.e|etc|vs)\.)\s+(?=[A-Z(])/;

export function sentencesOf(body: string): Sentence[] {
  const text = withoutFootnotes(body.replace(LEFT_OUT, '\n\n'));
  const sentences: Sentence[] = [];
  const stems: string[] = [];
  let last = '';
  let position = 0;

  const take = (end: number) => {
    for (const paragraph of text.slice(position, end).split(/\n[ \t]*\n/)) {
      for (const sentence of plainText(paragraph).split(FULL_STOP)) {
        if (sentence === '') continue;
        sentences.push({ text: sentence, stems: [...stems] });
        last = sentence;
      }
    }
  };

  for (const mark of text.matchAll(LIST_MARK)) {
    take(mark.index);
    position = mark.index + mark[0].length;
    if (mark[0].startsWith('\\begin')) stems.push(last);
    else if (mark[0].startsWith('\\end')) stems.pop();
  }
  take(text.length);
  return sentences;
}

/** The braces of a footnote can hold other braces. */
function withoutFootnotes(text: string): string {
  const start = /\\footnote(?:text)?\{/.exec(text);
  if (start === null) return text;
  let end = start.index + start[0].length;
  for (let depth = 1; depth > 0 && end < text.length; end += 1) {
    if (text[end] === '{') depth += 1;
    if (text[end] === '}') depth -= 1;
  }
  return text.slice(0, start.index) + withoutFootnotes(text.slice(end));
}

function plainText(latex: string): string {
  return oneLine(
    latex
      .replace(/\\(?:label|nameref|hyperref)\{[^{}]*\}/g, '')
      .replace(/\\ref\{[^{}]*\}/g, 'REFERENCE')
      .replace(/\\\w+\{([^{}]*)\}/g, '$1')
      .replace(/\\([&_#%$])/g, '$1')
      .replace(/\\[a-zA-Z]+\b/g, '')
      .replace(/[~$]/g, ' '),
  );
}
