/** RegisterNames: what the registers of a PCI function are called, in the words of the standards. */
import type { PciFunction } from '@viommu/transport-pci';
import { deviceRegisters } from './device-registers.ts';
import { DMA_ENGINE_REGISTERS } from './dma-engine-registers.ts';
import { MMIO_CONFIG, MMIO_REGISTERS, MMIO_WINDOW } from './mmio-registers.ts';
import { type NamedRegister, nameAt } from './named-register.ts';
import { CONFIG_REGISTERS, MSIX_ENTRY_REGISTERS } from './pci-registers.ts';
import { COMMON_REGISTERS } from './virtio-pci-registers.ts';

/** A structure in a BAR, and how an offset in it is called. */
interface Structure {
  readonly bar: number;
  readonly offset: number;
  readonly length: number;
  readonly nameOf: (offset: number) => string;
}

const VENDOR_VIRTIO = 0x1af4;
const VIRTIO_DEVICE_IDS = { first: 0x1040, last: 0x107f };
const DMA_ENGINE = 0x10f0;
const CAPABILITIES = 0x34;
const CAPABILITIES_MAX = 48;
const CAP_MSIX = 0x11;
const CAP_VENDOR = 0x09;
const MSIX_ENTRY = 16;

export class RegisterNames {
  readonly #structures: readonly Structure[];

  /** Reads the function's configuration space, and nothing else of it. */
  constructor(described: Pick<PciFunction, 'readConfig'>) {
    this.#structures = structuresOf(described);
  }

  /** Such as `Command`, or `offset 0x52`. */
  config(offset: number): string {
    return nameAt(CONFIG_REGISTERS, offset) ?? `offset 0x${offset.toString(16)}`;
  }

  /** Such as `queue_enable`, or `BAR 0 offset 0x52`. */
  bar(bar: number, offset: number): string {
    const found = this.#structures.find(
      (one) => one.bar === bar && offset >= one.offset && offset < one.offset + one.length,
    );
    return found?.nameOf(offset - found.offset) ?? `BAR ${bar} offset 0x${offset.toString(16)}`;
  }
}

function structuresOf(access: Pick<PciFunction, 'readConfig'>): Structure[] {
  const deviceId = access.readConfig(2, 2);
  const isOurs = access.readConfig(0, 2) === VENDOR_VIRTIO;
  if (isOurs && deviceId === DMA_ENGINE) {
    return [named(0, 0, 4096, DMA_ENGINE_REGISTERS), ...capabilitiesOf(access, undefined)];
  }
  const { first, last } = VIRTIO_DEVICE_IDS;
  const isVirtio = isOurs && deviceId >= first && deviceId <= last;
  const capabilities = capabilitiesOf(access, isVirtio ? deviceId - first : undefined);
  return capabilities.length > 0 ? capabilities : [mmioWindows()];
}

/** @param deviceType of a virtio device */
function capabilitiesOf(
  access: Pick<PciFunction, 'readConfig'>,
  deviceType: number | undefined,
): Structure[] {
  const structures: Structure[] = [];
  let at = access.readConfig(CAPABILITIES, 1);
  for (let count = 0; at !== 0 && count < CAPABILITIES_MAX; count += 1) {
    const id = access.readConfig(at, 1);
    if (id === CAP_MSIX) structures.push(msixTable(access, at));
    const virtio = id === CAP_VENDOR && deviceType !== undefined;
    const structure = virtio ? virtioStructure(access, at, deviceType) : undefined;
    if (structure !== undefined) structures.push(structure);
    at = access.readConfig(at + 1, 1);
  }
  return structures;
}

function msixTable(access: Pick<PciFunction, 'readConfig'>, at: number): Structure {
  const table = access.readConfig(at + 4, 4);
  const vectors = (access.readConfig(at + 2, 2) & 0x7ff) + 1;
  return {
    bar: table % 8,
    offset: table - (table % 8),
    length: vectors * MSIX_ENTRY,
    nameOf: (offset) => {
      const vector = Math.floor(offset / MSIX_ENTRY);
      return `MSI-X vector ${vector} ${nameAt(MSIX_ENTRY_REGISTERS, offset % MSIX_ENTRY)}`;
    },
  };
}

/** "Virtio Structure PCI Capabilities" */
function virtioStructure(
  access: Pick<PciFunction, 'readConfig'>,
  at: number,
  deviceType: number,
): Structure | undefined {
  const bar = access.readConfig(at + 4, 1);
  const offset = access.readConfig(at + 8, 4);
  const length = access.readConfig(at + 12, 4);
  const place = { bar, offset, length };
  switch (access.readConfig(at + 3, 1)) {
    case 1:
      return named(bar, offset, length, COMMON_REGISTERS);
    case 2: {
      const multiplier = Math.max(access.readConfig(at + 16, 4), 1);
      return { ...place, nameOf: (from) => `notify queue ${Math.floor(from / multiplier)}` };
    }
    case 3:
      return { ...place, nameOf: () => 'ISR status' };
    case 4:
      return named(bar, offset, length, deviceRegisters(deviceType));
    default:
      return undefined;
  }
}

/** A function without capabilities is one whose BAR has windows. */
function mmioWindows(): Structure {
  return {
    bar: 0,
    offset: 0,
    length: Number.POSITIVE_INFINITY,
    nameOf: (offset) => {
      const at = offset % MMIO_WINDOW;
      const name =
        at >= MMIO_CONFIG
          ? `configuration offset 0x${(at - MMIO_CONFIG).toString(16)}`
          : (nameAt(MMIO_REGISTERS, at) ?? `offset 0x${at.toString(16)}`);
      return `window ${Math.floor(offset / MMIO_WINDOW)} ${name}`;
    },
  };
}

function named(
  bar: number,
  offset: number,
  length: number,
  registers: readonly NamedRegister[],
): Structure {
  const nameOf = (from: number) => nameAt(registers, from) ?? `offset 0x${from.toString(16)}`;
  return { bar, offset, length, nameOf };
}
