/** NamedRegister: a row of the tables in this folder. */

/** Offset and width in bytes. */
export type NamedRegister = readonly [offset: number, width: number, name: string];

/** @returns the name; with `+n` behind it within the register */
export function nameAt(registers: readonly NamedRegister[], offset: number): string | undefined {
  const found = registers.find(([start, width]) => offset >= start && offset < start + width);
  if (found === undefined) return undefined;
  const [start, , name] = found;
  return offset === start ? name : `${name}+${offset - start}`;
}
