/** Finds the normative sections of one file of the standard's LaTeX source. */
import type { Side } from './statement.ts';

export interface SectionText {
  readonly side: Side;
  readonly label: string;
  readonly title: string;
  readonly body: string;
}

const ARGUMENT = String.raw`\s*\{([^{}]*)\}`;
const NORMATIVE = String.raw`\\(device|driver)normative\s*\{\s*\\\w+\s*\}${ARGUMENT}${ARGUMENT}`;
/** Written out without the macro, which the standard does once; its label follows. */
const WRITTEN_OUT = String.raw`\\\w+\{(Device|Driver) Requirements: ([^{}]*)\}`;
const OTHER_HEADING = String.raw`\\(?:chapter|(?:sub)*section|(?:sub)?paragraph|conformance|input)\b`;
const HEADING = new RegExp(`${NORMATIVE}|${WRITTEN_OUT}|${OTHER_HEADING}`, 'g');

/** A section ends where the next heading of any depth begins. */
export function findNormativeSections(source: string): SectionText[] {
  const text = withoutComments(source);
  const headings = [...text.matchAll(HEADING)];
  const sections: SectionText[] = [];
  for (const [index, heading] of headings.entries()) {
    const [, macroSide, macroTitle, macroLabel, writtenSide, writtenTitle] = heading;
    const side = (macroSide ?? writtenSide?.toLowerCase()) as Side | undefined;
    if (side === undefined) continue;
    const body = text.slice(heading.index + heading[0].length, headings[index + 1]?.index);
    sections.push({
      side,
      title: oneLine(macroTitle ?? writtenTitle ?? ''),
      label: oneLine(macroLabel ?? labelWithin(body, side)),
      body,
    });
  }
  return sections;
}

function labelWithin(body: string, side: Side): string {
  return new RegExp(String.raw`\\label\{${side}normative:([^{}]*)\}`).exec(body)?.[1] ?? '';
}

/** From an unescaped percent sign to the end of its line. */
function withoutComments(source: string): string {
  return source.replace(/(?<!\\)%.*$/gm, '');
}

export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
