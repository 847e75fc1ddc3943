/** Files for tests, made byte by byte: kernel modules and kernels that hold just what is looked at. */

/** An ELF object with a `.modinfo` section, the second of its three sections. */
export function elfModule(information: Record<string, string>): Buffer {
  const names = Buffer.from('\0.modinfo\0.shstrtab\0');
  const modinfo = Buffer.from(
    Object.entries(information)
      .map(([name, value]) => `${name}=${value}\0`)
      .join(''),
  );
  const header = Buffer.alloc(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeBigUInt64LE(BigInt(64 + names.length + modinfo.length), 0x28); // e_shoff
  header.writeUInt16LE(64, 0x3a); // e_shentsize
  header.writeUInt16LE(3, 0x3c); // e_shnum
  header.writeUInt16LE(2, 0x3e); // e_shstrndx
  const sections = Buffer.alloc(3 * 64);
  section(sections, 1, 1, 64 + names.length, modinfo.length);
  section(sections, 2, 10, 64, names.length);
  return Buffer.concat([header, names, modinfo, sections]);
}

function section(table: Buffer, index: number, name: number, offset: number, size: number): void {
  table.writeUInt32LE(name, index * 64);
  table.writeBigUInt64LE(BigInt(offset), index * 64 + 0x18);
  table.writeBigUInt64LE(BigInt(size), index * 64 + 0x20);
}

/** An ELF program with program headers of these types; for x86-64 when not told otherwise. */
export function elfProgram(types: readonly number[], machine = 62): Buffer {
  const program = Buffer.alloc(64 + types.length * 56);
  program.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  program.writeUInt16LE(machine, 0x12); // e_machine
  program.writeBigUInt64LE(64n, 0x20); // e_phoff
  program.writeUInt16LE(types.length, 0x38); // e_phnum
  types.forEach((type, index) => {
    program.writeUInt32LE(type, 64 + index * 56);
  });
  return program;
}

/** The start of a bzImage whose version text is `version`. */
export function bzImage(version: string): Buffer {
  const image = Buffer.alloc(16 * 1024);
  image.write('HdrS', 0x202);
  image.writeUInt16LE(0x3000 - 0x200, 0x20e); // kernel_version
  image.write(`${version}\0`, 0x3000);
  return image;
}

/** An arm64 kernel image, uncompressed, whose version text is `version`. */
export function armImage(version: string): Buffer {
  const image = Buffer.alloc(16 * 1024);
  image.write('ARMd', 0x38);
  image.write(`Linux version ${version}`, 0x3000);
  return image;
}
