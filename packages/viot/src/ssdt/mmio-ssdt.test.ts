/** The bytes of the SSDT, written out from the ACPI specification; iasl reads the same in the guest tests. */
import { expect, it } from 'vitest';
import { writeMmioSsdt } from './mmio-ssdt.ts';

const PARENT = '\\_SB.PCI0.S30';
const ascii = (text: string) => [...text].map((sign) => sign.charCodeAt(0));

it('announces a device as a child of the function that has its registers', () => {
  const bytes = writeMmioSsdt({
    parent: PARENT,
    devices: [{ base: 0xfebf_d000, size: 0x200, interrupt: 22 }],
  });
  // Memory32Fixed (ReadWrite), Interrupt (ResourceConsumer, Level, ActiveHigh, Shared), end tag.
  const resources = [
    ...[0x86, 9, 0, 1, 0x00, 0xd0, 0xbf, 0xfe, 0x00, 0x02, 0, 0],
    ...[0x89, 6, 0, 0x09, 1, 22, 0, 0, 0],
    ...[0x79, 0],
  ];
  const terms = [
    ...[0x08, ...ascii('_HID'), 0x0d, ...ascii('LNRO0005'), 0],
    ...[0x08, ...ascii('_UID'), 0x00],
    ...[0x08, ...ascii('_CCA'), 0x01],
    ...[0x08, ...ascii('_CRS'), 0x11, 3 + resources.length, 0x0a, resources.length, ...resources],
  ];
  // 2 bytes of length: 4 bits in the first, 8 in the second.
  const deviceLength = 2 + 4 + terms.length;
  const device = [
    0x5b,
    0x82,
    0x40 | (deviceLength & 15),
    deviceLength >> 4,
    ...ascii('VM00'),
    ...terms,
  ];
  const path = [0x5c, 0x2f, 3, ...ascii('_SB_'), ...ascii('PCI0'), ...ascii('S30_')];
  const scopeLength = 2 + path.length + device.length;
  expect([...bytes.subarray(36)]).toEqual([
    ...[0x10, 0x40 | (scopeLength & 15), scopeLength >> 4, ...path, ...device],
  ]);
  expect([...bytes.subarray(0, 8)]).toEqual([...ascii('SSDT'), bytes.length, 0, 0, 0]);
  expect(bytes[8]).toBe(2);
  expect(bytes.reduce((sum, byte) => (sum + byte) & 0xff, 0)).toBe(0);
});

it('enables the function that it is a child of, if it is to', () => {
  const bytes = writeMmioSsdt({ parent: PARENT, devices: [], enableParent: true });
  const path = [0x5c, 0x2f, 3, ...ascii('_SB_'), ...ascii('PCI0'), ...ascii('S30_')];
  const terms = [
    // OperationRegion (PCIC, PCI_Config, 4, 2); Field (PCIC, WordAcc, NoLock, Preserve) { CMDR, 16 }
    ...[0x5b, 0x80, ...ascii('PCIC'), 0x02, 0x0a, 4, 0x0a, 2],
    ...[0x5b, 0x81, 11, ...ascii('PCIC'), 0x02, ...ascii('CMDR'), 16],
    // Method (_INI) { Or (CMDR, 6, CMDR) }: Memory Space Enable and Bus Master Enable.
    ...[0x14, 17, ...ascii('_INI'), 0, 0x7d, ...ascii('CMDR'), 0x0a, 6, ...ascii('CMDR')],
  ];
  expect([...bytes.subarray(36)]).toEqual([
    0x10,
    1 + path.length + terms.length,
    ...path,
    ...terms,
  ]);
});

it('counts its devices, and writes lengths of any number of bytes', () => {
  const devices = Array.from({ length: 256 }, (_, index) => ({
    base: 0x1000_0000 + index * 0x1000,
    size: 0x200,
    interrupt: 22,
  }));
  const bytes = writeMmioSsdt({ parent: PARENT, devices });
  // 3 bytes of length.
  const length = (bytes[37]! & 15) | (bytes[38]! << 4) | (bytes[39]! << 12);
  expect([bytes[37]! >> 6, length]).toEqual([2, bytes.length - 37]);
  const text = String.fromCharCode(...bytes);
  expect(text.match(/VM[0-9A-F]{2}/g)).toHaveLength(256);
  expect(text).toContain('VMFF');
});

it.each([
  ['a parent that is no path', { parent: 'PCI0', devices: [] }, 'SYNTAX'],
  ['a segment of five characters', { parent: '\\_SB.PCI00', devices: [] }, 'SYNTAX'],
  [
    'registers that reach beyond 4 GiB',
    { parent: PARENT, devices: [{ base: 0xffff_ff00, size: 0x200, interrupt: 1 }] },
    'ADDRESS',
  ],
  [
    'more devices than names',
    { parent: PARENT, devices: new Array(257).fill({ base: 0, size: 1, interrupt: 1 }) },
    'SIZE',
  ],
])('refuses %s', (_what, options, code) => {
  expect(() => writeMmioSsdt(options)).toThrow(expect.objectContaining({ code }));
});
