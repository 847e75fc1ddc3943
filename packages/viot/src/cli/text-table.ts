/** Tables for people: columns under headings, as wide as they have to be. */
import colors from 'picocolors';

/** Ends with a newline; empty when there are no rows. */
export function textTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  if (rows.length === 0) return '';
  const widths = headings.map((heading, column) =>
    Math.max(...[heading, ...rows.map((row) => row[column] ?? '')].map(({ length }) => length)),
  );
  const line = (row: readonly string[]): string =>
    widths
      .map((width, column) => (row[column] ?? '').padEnd(width))
      .join('  ')
      .trimEnd();
  return [colors.bold(line(headings)), ...rows.map(line)].map((text) => `${text}\n`).join('');
}

/** `2 nodes` */
export function count(things: readonly unknown[], name: string): string {
  return `${things.length} ${name}${things.length === 1 ? '' : 's'}`;
}
