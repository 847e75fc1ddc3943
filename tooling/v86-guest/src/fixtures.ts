/** Files for tests: the beginnings of a bzImage and of an ELF program, byte by byte. */

/** @param release with which its version text begins */
export function bzImage(release: string): Buffer {
  const image = Buffer.alloc(0x400);
  image.writeUInt16LE(0xaa55, 0x1fe);
  image.write('HdrS', 0x202, 'latin1');
  image.writeUInt16LE(0x100, 0x20e);
  image.write(`${release} (viommu@viommu) #1\0`, 0x300, 'latin1');
  return image;
}

interface ElfProgram {
  /** 1 for 32 bits, 2 for 64. */
  readonly elfClass?: number;
  /** 3 is i386. */
  readonly machine?: number;
  /** `p_type` of each program header: 1 is loaded, 3 names a loader. */
  readonly headers: readonly number[];
}

export function elfProgram({ elfClass = 1, machine = 3, headers }: ElfProgram): Buffer {
  const program = Buffer.alloc(0x34 + headers.length * 0x20);
  program.write('\x7fELF', 0, 'latin1');
  program[4] = elfClass;
  program[5] = 1;
  program.writeUInt16LE(machine, 0x12);
  program.writeUInt32LE(0x34, 0x1c);
  program.writeUInt16LE(0x20, 0x2a);
  program.writeUInt16LE(headers.length, 0x2c);
  headers.forEach((type, index) => {
    program.writeUInt32LE(type, 0x34 + index * 0x20);
  });
  return program;
}
