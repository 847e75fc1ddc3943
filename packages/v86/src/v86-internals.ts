/**
 * What of v86's inside is used, none of which its types know: its names stay as they are in the builds that npm has, and change as
 * they like from one version to the next. Checked when a bus is made.
 */
import { V86Error } from './v86-error.ts';

/** The version whose inside this is. */
export const V86_VERSION = '0.5.462';

/** Addresses and values of 32 bits have a sign. */
export type V86Read = (address: number) => number;
export type V86Write = (address: number, value: number) => void;

/** Memory-mapped registers are known by blocks of so many bytes. */
export const MMAP_BLOCK_SIZE = 1 << 17;

/** Configuration mechanism 1: the address that was written last, and the doubleword that it stands for. */
interface V86Pci {
  readonly pci_addr: Uint8Array;
  readonly pci_response32: Int32Array;
  readonly pci_status32: Int32Array;
  /** Of the ISA bridge, whose bytes from 0x60 on say which interrupt each of the four lines is. */
  readonly isa_bridge_space8: Uint8Array;
  /** Configuration spaces of v86's own devices, by bus, device and function. */
  readonly device_spaces: readonly (Int32Array | undefined)[];
  readonly devices: readonly unknown[];
  pci_query(): void;
  pci_write8(address: number, value: number): void;
  pci_write16(address: number, value: number): void;
  pci_write32(address: number, value: number): void;
  raise_irq(id: number): void;
  lower_irq(id: number): void;
}

export interface V86Cpu {
  /** By block; what is not mapped has an entry, too. */
  readonly memory_map_read8: V86Read[];
  readonly memory_map_read32: V86Read[];
  readonly memory_map_write8: V86Write[];
  readonly memory_map_write32: V86Write[];
  readonly devices: { readonly pci: V86Pci };
  readonly memory_size: ArrayLike<number>;
  readonly wasm_memory: { readonly buffer: ArrayBuffer };
  /** Guest memory; a new view at each access, as memory may grow. */
  readonly mem8: { readonly byteOffset: number };
  /** Files that firmware is given, by name. */
  readonly option_roms: { name: string; data: Uint8Array }[];
  /** A write of 16 bits to registers: as it is, two of 8. */
  mmap_write16(address: number, value: number): void;
  device_raise_irq(irq: number): void;
  device_lower_irq(irq: number): void;
  /** What was compiled of these bytes is void; `end` is exclusive. */
  jit_dirty_cache(start: number, end: number): void;
  /** Of its compiler; a restart leaves it as it is. */
  set_jit_config(part: number, value: number): void;
  reboot_internal(): void;
  get_state(): unknown[];
  set_state(state: readonly unknown[]): void;
}

/** An instance of `V86`, ready and not started: made with `autostart: false`, and `emulator-ready` has been told. */
export interface V86Emulator {
  is_running(): boolean;
}

const FUNCTIONS = {
  cpu: [
    ...['mmap_write16', 'device_raise_irq', 'device_lower_irq', 'jit_dirty_cache'],
    ...['set_jit_config', 'reboot_internal', 'get_state', 'set_state'],
  ],
  'cpu.devices.pci': [
    ...['pci_query', 'pci_write8', 'pci_write16', 'pci_write32', 'raise_irq', 'lower_irq'],
  ],
} as const;
const OBJECTS = {
  cpu: [
    ...['memory_map_read8', 'memory_map_read32', 'memory_map_write8', 'memory_map_write32'],
    ...['memory_size', 'wasm_memory', 'mem8', 'option_roms'],
  ],
  'cpu.devices.pci': [
    ...['pci_addr', 'pci_response32', 'pci_status32', 'isa_bridge_space8', 'devices'],
    'device_spaces',
  ],
} as const;

/** @throws V86Error `INTERNALS` that names what is missing */
export function findCpu(emulator: V86Emulator): V86Cpu {
  const cpu = (emulator as { v86?: { cpu?: Partial<V86Cpu> } }).v86?.cpu;
  const pci = cpu?.devices?.pci;
  if (cpu === undefined || pci === undefined) {
    throw new V86Error(
      'INTERNALS',
      `the emulator has no ${cpu === undefined ? 'v86.cpu' : 'PCI bus'}: wait for emulator-ready, and use v86 ${V86_VERSION}`,
    );
  }
  const parts = { cpu, 'cpu.devices.pci': pci } as Readonly<Record<string, object>>;
  const missing = Object.entries(parts).flatMap(([path, part]) => {
    const has = (name: string, type: string) => typeof Reflect.get(part, name) === type;
    const key = path as keyof typeof FUNCTIONS;
    return [
      ...FUNCTIONS[key].filter((name) => !has(name, 'function')),
      ...OBJECTS[key].filter((name) => !has(name, 'object')),
    ].map((name) => `${path}.${name}`);
  });
  if (missing.length > 0) {
    throw new V86Error(
      'INTERNALS',
      `this v86 has no ${missing.join(', no ')}: use version ${V86_VERSION}`,
    );
  }
  return cpu as V86Cpu;
}
