/** The contract PassThroughStep: what can be seen, from outside the guest, of a device that is passed through. Types and docs only. */

/** Ends are inclusive. Mappings are told only while the device is in a domain that translates. */
export type PassThroughStep =
  /** Step 1b of the figure: the guest's driver has mapped something in the device's domain. */
  | {
      readonly type: 'guestMapped';
      readonly domain: number;
      readonly virtStart: number;
      readonly virtEnd: number;
      readonly physStart: number;
    }
  /** Step 1c: the host has mapped a run of it for the guest's request; told just before 1b, when both are done. */
  | {
      readonly type: 'hostMapped';
      readonly endpoint: number;
      readonly iova: number;
      readonly iovaEnd: number;
      readonly userAddress: number;
      readonly hostPhysical: number;
    }
  /** Step 2a: the device is told to copy. */
  | {
      readonly type: 'engineStarted';
      readonly endpoint: number;
      readonly source: number;
      readonly destination: number;
      readonly length: number;
    }
  /** Step 2b: an access of the device was translated. */
  | {
      readonly type: 'engineAccess';
      readonly endpoint: number;
      readonly address: number;
      readonly length: number;
      /** VIRTIO_IOMMU_MAP_F_READ or VIRTIO_IOMMU_MAP_F_WRITE. */
      readonly access: number;
      readonly hostPhysical: number;
    }
  /** Step 2b: one was refused. */
  | {
      readonly type: 'engineRefused';
      readonly endpoint: number;
      readonly address: number;
      /** VIRTIO_IOMMU_FAULT_F_READ or VIRTIO_IOMMU_FAULT_F_WRITE. */
      readonly access: number;
      /** VIRTIO_IOMMU_FAULT_R_* */
      readonly reason: number;
    };
