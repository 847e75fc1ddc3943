import { describe, expect, test } from 'vitest';
import { extractStatements } from './extract.ts';

const SOURCE = String.raw`
\section{Things}
The device MUST do what no normative section says.
\devicenormative{\subsection}{Things}{Basics /
Things}
The device MUST \field{hum}, e.g. at night. A device SHOULD NOT sing, and it MUST
not shout. % it MUST be quiet in comments
\begin{note}
It MUST be quiet in notes.
\end{note}

If it is dark:
\begin{itemize}
\item The device MUST hum\footnote{It {MUST} be quiet in footnotes.}.
\item It is RECOMMENDED to listen.
\end{itemize}
The device MUST bring:
\begin{enumerate}
\item a lamp
\end{enumerate}
\drivernormative{\subsection}{Things} {Basics / Things}
The driver is REQUIRED to listen.
\subsubsection{More}
The driver MUST do this, too.
`;

function extract(source = SOURCE) {
  return extractStatements('things.tex', source);
}

function keysOf(source: string) {
  return extract(source)[0]!.statements.map(({ key }) => key);
}

describe('extraction of statements', () => {
  test('finds the normative sections, by side and label', () => {
    expect(extract().map(({ side, label, title }) => [side, label, title])).toEqual([
      ['device', 'Basics / Things', 'Things'],
      ['driver', 'Basics / Things', 'Things'],
    ]);
  });

  test('takes each keyword of the section, and nothing from notes, footnotes, comments or other sections', () => {
    const [device, driver] = extract();
    expect(device!.statements.map(({ level, text }) => `${level}: ${text}`)).toEqual([
      'MUST: The device MUST hum, e.g. at night.',
      'SHOULD NOT: A device SHOULD NOT sing, and it MUST not shout.',
      'MUST NOT: A device SHOULD NOT sing, and it MUST not shout.',
      'MUST: If it is dark: / The device MUST hum.',
      'SHOULD: If it is dark: / It is RECOMMENDED to listen.',
      'MUST: The device MUST bring:',
    ]);
    expect(driver!.statements.map(({ level }) => level)).toEqual(['MUST']);
  });

  test('finds a section that is written out without the macro', () => {
    const source = String.raw`\subparagraph{Device Requirements: Old}\label{drivernormative:Old}
\label{devicenormative:Very
Old} A device SHOULD be new.`;
    expect(extract(source)).toMatchObject([{ side: 'device', label: 'Very Old', title: 'Old' }]);
  });

  test('gives all statements keys of their own', () => {
    const keys = extract().flatMap(({ statements }) => statements.map(({ key }) => key));
    expect(new Set(keys).size).toBe(keys.length);
    const twice = String.raw`\devicenormative{\section}{A}{A} It MUST. It MUST.`;
    expect(new Set(keysOf(twice)).size).toBe(2);
  });

  test('changes the key of a sentence that changed, of no other, and of none for a line break', () => {
    const before = keysOf(SOURCE);
    expect(keysOf(SOURCE.replace('at night', 'by day'))).toEqual([
      expect.not.stringContaining(before[0]!),
      ...before.slice(1),
    ]);
    expect(keysOf(SOURCE.replace('A device SHOULD', 'A device\nSHOULD'))).toEqual(before);
  });

  test('changes the key of a sentence when the condition or the list that it belongs to changed', () => {
    const before = keysOf(SOURCE);
    const changed = (source: string) => keysOf(source).map((key, index) => key !== before[index]);
    expect(changed(SOURCE.replace('it is dark', 'it is light'))).toEqual([
      ...[false, false, false, true, true, false],
    ]);
    expect(changed(SOURCE.replace('a lamp', 'a torch'))).toEqual([
      ...[false, false, false, false, false, true],
    ]);
  });

  test('refuses a section without a label, and two of one label', () => {
    const section = String.raw`\devicenormative{\section}{A}{`;
    expect(() => extract(`${section}}`)).toThrow('"A" has no label');
    expect(() => extract(`${section}A} ${section}A}`)).toThrow('two sections');
  });
});
