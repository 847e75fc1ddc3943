/** Reads the little of an ELF file that is needed here: what a module says of itself, where a program runs, and whether it is static. */

const ELF_MAGIC = 0x464c457f;
const ELFCLASS64 = 2;
const ELF_HEADER_BYTES = 64;
const SECTION_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
/** The program header that names a dynamic loader. */
const PT_INTERP = 3;

function viewOf(content: Uint8Array): DataView {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  if (
    content.length < ELF_HEADER_BYTES ||
    view.getUint32(0, true) !== ELF_MAGIC ||
    view.getUint8(4) !== ELFCLASS64
  ) {
    throw new Error('not a 64-bit ELF file');
  }
  return view;
}

/**
 * The `name=value` entries of a kernel module's `.modinfo` section, such as `depends` and `vermagic`.
 *
 * @throws {Error} when it is not an ELF file, or is cut short
 */
export function moduleInformation(content: Uint8Array): Map<string, string> {
  const view = viewOf(content);
  const headers = Number(view.getBigUint64(0x28, true));
  const count = view.getUint16(0x3c, true);
  const nameTable = sectionOf(view, headers + view.getUint16(0x3e, true) * SECTION_HEADER_BYTES);
  for (let index = 0; index < count; index += 1) {
    const header = headers + index * SECTION_HEADER_BYTES;
    const name = nameTable.offset + view.getUint32(header, true);
    if (textOf(content, name, '.modinfo\0'.length) !== '.modinfo\0') continue;
    const { offset, size } = sectionOf(view, header);
    return new Map(
      textOf(content, offset, size)
        .split('\0')
        .map((entry) => {
          const equals = entry.indexOf('=');
          return [entry.slice(0, equals), entry.slice(equals + 1)];
        }),
    );
  }
  return new Map();
}

/**
 * Whether a program needs no dynamic loader.
 *
 * @throws {Error} when it is not an ELF file, or is cut short
 */
export function isStatic(content: Uint8Array): boolean {
  const view = viewOf(content);
  const headers = Number(view.getBigUint64(0x20, true));
  const count = view.getUint16(0x38, true);
  for (let index = 0; index < count; index += 1) {
    if (view.getUint32(headers + index * PROGRAM_HEADER_BYTES, true) === PT_INTERP) return false;
  }
  return true;
}

/**
 * The `e_machine` of a file's header: which processor it is for.
 *
 * @throws {Error} when it is not an ELF file
 */
export function elfMachine(content: Uint8Array): number {
  return viewOf(content).getUint16(0x12, true);
}

/** `sh_offset` and `sh_size` of a section header. */
function sectionOf(view: DataView, header: number): { offset: number; size: number } {
  return {
    offset: Number(view.getBigUint64(header + 0x18, true)),
    size: Number(view.getBigUint64(header + 0x20, true)),
  };
}

function textOf(content: Uint8Array, offset: number, length: number): string {
  return Buffer.from(content.subarray(offset, offset + length)).toString('latin1');
}
