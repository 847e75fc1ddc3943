/** What the test guest says on its serial console. Types and docs only. */

/** A PCI function or virtio device of the guest; `driver` is absent when none is bound. */
export interface GuestDevice {
  /** As Linux names it: the PCI address, such as `0000:00:05.0`, or a platform device, such as `LNRO0005:00`. */
  readonly address: string;
  /** `1af4:1042` for a PCI function, the device ID (such as 23) for a virtio device. */
  readonly id: string;
  readonly driver?: string;
  /** Of a virtio device: the features that were agreed on, as the kernel writes them: a digit for each bit, bit 0 first. */
  readonly features?: string;
}

/** A region that the guest's kernel keeps out of what it maps; `end` is inclusive. */
interface ReservedRegion {
  readonly start: number;
  readonly end: number;
  readonly type: string;
}

export interface IommuGroup {
  readonly group: number;
  /** The domain's type as the kernel calls it: `DMA-FQ`, `DMA` (strict) or `identity` (pass-through). */
  readonly type: string;
  /** PCI addresses and names of platform devices. */
  readonly devices: string[];
  readonly reserved: ReservedRegion[];
}

/** What a `read` or `write` step saw; `offset` and `length` in bytes. */
export interface DiskChecksum {
  readonly disk: string;
  readonly offset: number;
  readonly length: number;
  readonly sha256: string;
}

/** A timed run of reads; `bytes` in all, in blocks of `blockSize` bytes. */
export interface DiskTiming {
  readonly disk: string;
  readonly blockSize: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** How often an interrupt came, up to the `interrupts` step. */
interface InterruptCount {
  /** As the driver calls it, such as `virtio0-req.0`; those that share one, with commas: `virtio0,virtio1`. */
  readonly name: string;
  /** What brings it, such as `PCI-MSIX-0000:00:05.0`, `ITS-PCI-MSIX-0000:00:05.0` or `IO-APIC`. */
  readonly controller: string;
  readonly count: number;
}

/** What a `fetch` step saw. */
export interface FetchReport {
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly seconds: number;
  readonly disk: string;
  /** Bytes that were read of the disk meanwhile. */
  readonly diskBytes: number;
}

/** What a `download` or `upload` step took. */
export interface TransferTiming {
  readonly direction: 'download' | 'upload';
  readonly bytes: number;
  readonly seconds: number;
}

/** One copy that the program in user space asked of the DMA engine. */
interface VfioCopy {
  readonly source: number;
  readonly destination: number;
  readonly length: number;
  /** The engine's register: 2 done, 3 error. */
  readonly status: number;
  readonly errorAddress: number;
  /** Interrupts that came for it. */
  readonly interrupts: number;
  /** Whether the destination held what it should: the source's bytes, or nothing after a copy that was to fail. */
  readonly equal: boolean;
}

/** What a `vfio` step saw. */
export interface VfioReport {
  readonly group: number;
  /** PCI address. */
  readonly device: string;
  /** Message-signalled interrupts that the device has in this guest. */
  vectors?: number;
  map?: { readonly virtualAddress: number; readonly iova: number; readonly length: number };
  /** Within the buffer, outside of it, and within it after it was unmapped. */
  readonly copies: VfioCopy[];
  /** Bytes that were unmapped. */
  unmapped?: number;
}

/** One round of a `soak` step. */
interface SoakRound {
  readonly round: number;
  /** Of one read of 4 KiB with O_DIRECT, in microseconds rounded up, on average over the fastest of three runs of 128. */
  readonly latency: number;
  /** The same of the disk to compare with, by turns. */
  readonly reference: number;
  /** Bytes that were fetched since the step began. */
  readonly fetched: number;
}

/** What one boot of the guest said. */
export interface GuestBoot {
  kernel?: string;
  /** Seconds from the start of the kernel to that of `/init`. */
  initSeconds?: number;
  /** Seconds from the start of the kernel to the disks being there. */
  upSeconds?: number;
  /** Whether all of this boot's steps were run. */
  finished: boolean;
  readonly pci: GuestDevice[];
  readonly virtio: GuestDevice[];
  readonly iommuGroups: IommuGroup[];
  readonly disks: { readonly disk: string; readonly bytes: number }[];
  /** The kernel's own messages about the IOMMU and the virtio devices. */
  readonly log: string[];
  /** Each `read` step, and the reading back of each `write` step. */
  readonly reads: DiskChecksum[];
  readonly writes: DiskChecksum[];
  /** Blocks of the `numbered` step that a flush has told to be on the disk. */
  readonly flushed: number[];
  readonly timings: DiskTiming[];
  readonly interrupts: InterruptCount[];
  readonly fetches: FetchReport[];
  readonly transfers: TransferTiming[];
  readonly soak: SoakRound[];
  /** Once a step has brought it up: the address with the length of its prefix, such as `10.0.2.15/24`. */
  network?: { readonly interface: string; readonly address: string; readonly mac: string };
  /** Where the random bytes came from, such as `virtio_rng.0`, and the bytes. */
  rng?: { readonly source: string; readonly hex: string };
  vfio?: VfioReport;
}

export interface GuestReport {
  /** One for the first start and one for each `reboot` step. */
  readonly boots: GuestBoot[];
  /** What the guest found wrong, and marker lines that cannot be read. */
  readonly errors: string[];
  /** Whether the guest ran all steps of all boots. */
  done: boolean;
}
