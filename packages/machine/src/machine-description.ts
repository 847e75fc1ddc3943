/** What a machine consists of: plain data that can be sent to another thread. Types and docs only. */

/** A PCI address as one number: bus << 8 | device << 3 | function. */
export type Bdf = number;

/** A PCI function. */
export interface PciPlace {
  readonly bus: 'pci';
  readonly bdf: Bdf;
}

/** One of the virtio-mmio windows of a PCI function. */
export interface WindowPlace {
  readonly bus: 'mmio';
  /** Index into {@link MachineDescription.windows}. */
  readonly windows: number;
  /** The windows of a function are numbered from 0, without gaps. */
  readonly window: number;
}

/** Where the registers of a virtio device are. */
export type Place = PciPlace | WindowPlace;

/** A virtio-iommu. */
export interface IommuDescription {
  readonly place: Place;
  /** Whether endpoints bypass the IOMMU until the guest's driver says otherwise. */
  readonly bootBypass: boolean;
  /** Bit n: mappings of 2^n bytes; the lowest bit is the granule. */
  readonly pageSizeMask?: bigint;
}

/** What every device behind an IOMMU has. */
interface Endpoint {
  readonly place: Place;
  /** Index of its IOMMU. */
  readonly iommu: number;
  /** The ID by which its IOMMU knows it. */
  readonly endpoint: number;
}

/** A virtio-blk. */
export interface DiskDescription extends Endpoint {
  readonly kind: 'disk';
  /** What `MachineParts.openDisk` finds it by, such as the path of a file. */
  readonly path: string;
  readonly readOnly: boolean;
}

/** A virtio-rng. */
export interface RngDescription extends Endpoint {
  readonly kind: 'rng';
}

/** A virtio-net. */
export interface NetDescription extends Endpoint {
  readonly kind: 'net';
  /** A UNIX stream socket on which passt or a QEMU listens, or a TAP interface. */
  readonly network: 'stream' | 'tap';
  /** What `MachineParts.openNetwork` finds it by: the path of the socket, or the name of the interface. */
  readonly target: string;
  /** 6 bytes. */
  readonly mac: readonly number[];
  /** What the guest is told as the largest packet, if anything. */
  readonly mtu?: number;
}

/** A DMA engine, a device of the simulated host that is passed through; a PCI function. */
export interface EngineDescription extends Endpoint {
  readonly kind: 'engine';
  readonly place: PciPlace;
}

export type DeviceDescription =
  | DiskDescription
  | RngDescription
  | NetDescription
  | EngineDescription;

/** A range of addresses, the end inclusive. */
export interface MsiWindow {
  readonly start: number;
  readonly end: number;
}

/** A PCI function in whose BAR 0 virtio-mmio windows are. */
export interface WindowsDescription {
  readonly bdf: Bdf;
  readonly vendorId: number;
  readonly deviceId: number;
  /** Bytes, a power of two; what the windows need when not given. */
  readonly barSize?: number;
}

export interface MachineDescription {
  readonly iommus: readonly IommuDescription[];
  /** All that is behind them. */
  readonly devices: readonly DeviceDescription[];
  /** Whether every device offers VIRTIO_F_RING_PACKED; false when not given. */
  readonly packed?: boolean;
  /** The functions with windows; none when not given. */
  readonly windows?: readonly WindowsDescription[];
  /** Where the machine's devices send message-signalled interrupts; a guest must not map anything there. */
  readonly msiWindows: readonly MsiWindow[];
}
