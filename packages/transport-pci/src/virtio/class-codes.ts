/** The PCI class code that a guest sees for each virtio device type: the choice of QEMU, which guests know. */

/** Unclassified, as QEMU presents the entropy device, the IOMMU and others. */
const OTHERS = 0x00ff00;

const CLASS_CODES: ReadonlyMap<number, number> = new Map([
  [1, 0x020000], // network: Ethernet controller
  [2, 0x010000], // block: SCSI storage controller
  [3, 0x078000], // console: communication controller
  [8, 0x010000], // SCSI host: SCSI storage controller
]);

/** 24 bits: base class, sub-class, programming interface. */
export function classCodeOf(deviceId: number): number {
  return CLASS_CODES.get(deviceId) ?? OTHERS;
}
