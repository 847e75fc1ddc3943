/** An SSDT that announces virtio-mmio devices: what the MMIO nodes of a VIOT refer to. */
import { hex } from '../describe.ts';
import { encodeHeader, seal } from '../table/encode-header.ts';
import { ViotError } from '../viot-error.ts';
import {
  buffer,
  device,
  integer,
  method,
  name,
  pciConfigWord,
  scope,
  setBits,
  string,
} from './aml.ts';

/** A device behind virtio-mmio registers. */
export interface MmioDevice {
  /** Address of its registers; they lie below 4 GiB. */
  readonly base: number;
  /** Bytes of its registers. */
  readonly size: number;
  /** Global System Interrupt: level, active high, shared. */
  readonly interrupt: number;
}

export interface MmioSsdtOptions {
  /**
   * The ACPI object that the devices are children of, as an absolute path: of the PCI function in whose BAR their registers
   * are, if they are in one, and `\\_SB` if not. A device beside that function would compete with it for the addresses.
   */
  readonly parent: string;
  readonly devices: readonly MmioDevice[];
  /**
   * The parent is a PCI function, and the guest is to set Memory Space and Bus Master in its command register; false by
   * default. No driver of a device below it does, and without the latter a VMM may refuse the function's DMA.
   */
  readonly enableParent?: boolean;
}

const HEADER_SIZE = 36;
const HEADER = {
  // 2: integers have 64 bits.
  revision: 2,
  oemId: 'VIOMMU',
  oemTableId: 'VIRTMMIO',
  oemRevision: 1,
  creatorId: 'VIOM',
  creatorRevision: 1,
};
/** What Linux and others know a virtio-mmio device by. */
const VIRTIO_MMIO_HID = 'LNRO0005';
const MOST_DEVICES = 0x100;

const PCI_COMMAND = 0x04;
const PCI_COMMAND_MEMORY_AND_MASTER = 0b110;

// Resource descriptors, "Resource Data Types for ACPI".
const MEMORY32_FIXED = [0x86, 0x09, 0x00] as const;
const READ_WRITE = 1;
const EXTENDED_INTERRUPT = [0x89, 0x06, 0x00] as const;
const CONSUMER_LEVEL_HIGH_SHARED = 0b1001;
const END_TAG = [0x79, 0x00] as const;

/** "_INI": run once when the guest loads the table, before any driver. */
const ENABLE_PARENT = [
  pciConfigWord('PCIC', 'CMDR', PCI_COMMAND),
  method('_INI', [setBits('CMDR', PCI_COMMAND_MEMORY_AND_MASTER)]),
];

/**
 * @returns the whole table, for QEMU: `-acpitable file=ssdt.aml`
 * @throws ViotError `SYNTAX` when the parent is no absolute path, `ADDRESS` when registers do not lie below 4 GiB, `SIZE` for
 * more than 256 devices
 */
export function writeMmioSsdt({
  parent,
  devices,
  enableParent = false,
}: MmioSsdtOptions): Uint8Array {
  if (!/^\\[A-Z_][A-Z0-9_]{0,3}(\.[A-Z_][A-Z0-9_]{0,3})*$/.test(parent)) {
    throw new ViotError('SYNTAX', `'${parent}': write a path such as \\_SB or \\_SB.PCI0.S30`);
  }
  if (devices.length > MOST_DEVICES) {
    throw new ViotError('SIZE', `${devices.length} devices: at most ${MOST_DEVICES} have names`);
  }
  const content = scope(parent, [
    ...(enableParent ? ENABLE_PARENT : []),
    ...devices.map(deviceTerm),
  ]);
  const bytes = new Uint8Array(HEADER_SIZE + content.length);
  encodeHeader(new DataView(bytes.buffer), 'SSDT', HEADER);
  bytes.set(content, HEADER_SIZE);
  return seal(bytes);
}

function deviceTerm(registers: MmioDevice, index: number): readonly number[] {
  return device(`VM${index.toString(16).toUpperCase().padStart(2, '0')}`, [
    name('_HID', string(VIRTIO_MMIO_HID)),
    name('_UID', integer(index)),
    // Its accesses are coherent with the processors' caches.
    name('_CCA', integer(1)),
    name('_CRS', buffer(resources(registers))),
  ]);
}

function resources({ base, size, interrupt }: MmioDevice): number[] {
  const fits = Number.isInteger(base) && base >= 0 && size > 0 && base + size <= 2 ** 32;
  if (!fits) {
    throw new ViotError('ADDRESS', `registers at ${hex(base)}, ${size} bytes: not below 4 GiB`);
  }
  return [
    ...[...MEMORY32_FIXED, READ_WRITE, ...le32(base), ...le32(size)],
    ...[...EXTENDED_INTERRUPT, CONSUMER_LEVEL_HIGH_SHARED, 1, ...le32(interrupt)],
    ...END_TAG,
  ];
}

function le32(value: number): number[] {
  return [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
}
