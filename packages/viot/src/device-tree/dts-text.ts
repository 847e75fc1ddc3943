/** Device tree source (DTS) as text: nodes, cells and strings. */

export interface DtsNode {
  /** What stands before the brace: `label: name@address`, or `&{/path}`. */
  readonly title: string;
  /** Each with its semicolon; a longer one in several lines. */
  readonly properties: readonly string[];
  readonly children: readonly DtsNode[];
}

export function printNode({ title, properties, children }: DtsNode, indent = ''): string {
  const inside = `${indent}\t`;
  const parts = [
    properties
      .map((property) => `${inside}${property.replaceAll('\n', `\n${inside}\t`)}\n`)
      .join(''),
    ...children.map((child) => printNode(child, inside)),
  ];
  return `${indent}${title} {\n${parts.filter((part) => part !== '').join('\n')}${indent}};\n`;
}

/** `<0x1 &label 0x2>` */
export function cells(...values: readonly (number | string)[]): string {
  return `<${values.map((value) => (typeof value === 'string' ? value : `0x${value.toString(16)}`)).join(' ')}>`;
}

/** An address or a size as two cells. */
export function twoCells(value: number): [number, number] {
  return [Math.floor(value / 2 ** 32), value % 2 ** 32];
}
