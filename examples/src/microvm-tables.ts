/**
 * The ACPI tables of a microVM: no PCI, an IOMMU and the devices behind it as windows of registers. The VIOT says who is behind
 * the IOMMU, the SSDT that the windows are there at all.
 */
import { type Topology, writeMmioSsdt, writeViot } from '@viommu/viot';

export interface MicrovmDevice {
  /** Address of its registers. */
  readonly base: number;
  /** Bytes of its registers. */
  readonly size: number;
  /** Global System Interrupt. */
  readonly interrupt: number;
}

/**
 * @param devices behind the IOMMU: the n-th is endpoint n + 1
 * @returns tables to hand to the guest beside the others, with checksums
 * @throws ViotError when two devices are at one address, or one is above 4 GiB
 */
export function microvmTables(
  iommu: MicrovmDevice,
  devices: readonly MicrovmDevice[],
): { readonly viot: Uint8Array; readonly ssdt: Uint8Array } {
  const topology: Topology = {
    iommus: [{ kind: 'mmio', base: iommu.base }],
    endpoints: devices.map(({ base }, index) => ({
      kind: 'mmio',
      base,
      endpoint: index + 1,
      iommu: 0,
    })),
  };
  return {
    viot: writeViot(topology),
    ssdt: writeMmioSsdt({ parent: '\\_SB', devices: [iommu, ...devices] }),
  };
}
