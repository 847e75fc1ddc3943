/** completePltJumps: finishes what Debian's tcc leaves undone in a static program for i386: how its calls get to the C library. */

const SECTION_SIZE = 40;
const ENTRY_SIZE = 16;
/** `jmp *address`. */
const JUMP = [0xff, 0x25] as const;

interface Section {
  readonly name: string;
  /** Where the program has it. */
  readonly address: number;
  readonly offset: number;
  readonly size: number;
}

/**
 * Each entry of the procedure linkage table jumps to where a slot of the global offset table says. tcc 0.9.27 writes the slot's
 * offset in that table, and adds the table's address for dynamic programs alone. A program whose jumps are complete stays as it is.
 *
 * @param program an ELF file of 32 bits with its section headers, changed in place
 */
export function completePltJumps(program: Uint8Array): void {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const sections = sectionsOf(program, view);
  const plt = sections.find(({ name }) => name === '.plt');
  const got = sections.find(({ name }) => name === '.got');
  if (plt === undefined || got === undefined) return;
  // The first entry is for a dynamic linker.
  for (let at = plt.offset + ENTRY_SIZE; at < plt.offset + plt.size; at += ENTRY_SIZE) {
    const slot = view.getUint32(at + JUMP.length, true);
    const isJump = JUMP.every((byte, index) => program[at + index] === byte);
    if (isJump && slot < got.size) view.setUint32(at + JUMP.length, slot + got.address, true);
  }
}

/** "Section Header Table" of the System V ABI. */
function sectionsOf(program: Uint8Array, view: DataView): Section[] {
  const table = view.getUint32(0x20, true);
  const count = view.getUint16(0x30, true);
  const at = (index: number) => table + index * SECTION_SIZE;
  const names = view.getUint32(at(view.getUint16(0x32, true)) + 0x10, true);
  const nameAt = (start: number) =>
    String.fromCharCode(...program.subarray(start, program.indexOf(0, start)));
  return Array.from({ length: count }, (_, index) => ({
    name: nameAt(names + view.getUint32(at(index), true)),
    address: view.getUint32(at(index) + 0x0c, true),
    offset: view.getUint32(at(index) + 0x10, true),
    size: view.getUint32(at(index) + 0x14, true),
  }));
}
