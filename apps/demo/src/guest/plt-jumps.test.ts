import { expect, it } from 'vitest';
import { completePltJumps } from './plt-jumps.ts';

const [PLT, GOT, NAMES, HEADERS] = [0x40, 0x80, 0xa0, 0xc0];
const GOT_ADDRESS = 0x804_a698;
const NAME_TEXT = '\0.plt\0.got\0.shstrtab\0';

/** An ELF file of 32 bits whose linkage table has the entries. @param got the name of the other table */
function programWith(entries: readonly (readonly number[])[], got = '.got'): Uint8Array {
  const program = new Uint8Array(HEADERS + 4 * 40);
  const view = new DataView(program.buffer);
  view.setUint32(0x20, HEADERS, true);
  view.setUint16(0x30, 4, true);
  view.setUint16(0x32, 3, true);
  program.set(Buffer.from(NAME_TEXT.replace('.got', got)), NAMES);
  const sections = [
    [1, PLT, 0x804_959c, 16 * entries.length],
    [6, GOT, GOT_ADDRESS, 0x20],
    [11, NAMES, 0, NAME_TEXT.length],
  ] as const;
  for (const [index, [name, offset, address, size]] of sections.entries()) {
    const at = HEADERS + (index + 1) * 40;
    view.setUint32(at, name, true);
    view.setUint32(at + 0x0c, address, true);
    view.setUint32(at + 0x10, offset, true);
    view.setUint32(at + 0x14, size, true);
  }
  for (const [index, bytes] of entries.entries()) program.set(bytes, PLT + 16 * index);
  return program;
}
const jump = (...address: number[]) => [0xff, 0x25, ...address];
const first = [0xff, 0x35, 4, 0, 0, 0];

it('has each jump go where its slot in the other table says', () => {
  const program = programWith([first, jump(0x1c, 0, 0, 0), jump(0x0c, 0, 0, 0)]);
  const rest = program.slice();
  completePltJumps(program);
  const view = new DataView(program.buffer);
  const slots = [1, 2].map((index) => view.getUint32(PLT + 16 * index + 2, true));
  expect(slots).toEqual([GOT_ADDRESS + 0x1c, GOT_ADDRESS + 0x0c]);
  for (const index of [1, 2]) {
    const at = PLT + 16 * index + 2;
    program.set(rest.subarray(at, at + 4), at);
  }
  expect(program).toEqual(rest);
});

it.each([
  ['whose jumps are complete', programWith([first, jump(0xb4, 0xa6, 0x04, 0x08)])],
  ['with other code in the table', programWith([first, [0xe9, 0, 0, 0, 0]])],
  ['without such tables', programWith([first, jump(0x1c, 0, 0, 0)], '.gat')],
])('leaves a program %s as it is', (_what, program) => {
  const before = program.slice();
  completePltJumps(program);
  expect(program).toEqual(before);
});
