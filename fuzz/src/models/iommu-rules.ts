/** What the model of an IOMMU is made with, and what it answers. Types alone; all ends are inclusive. */

export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface Limits {
  readonly granule: number;
  readonly input: Range;
  readonly domain: Range;
  readonly maxMappings: number;
}

/** What the driver accepted. */
export interface Features {
  readonly mapUnmap: boolean;
  readonly mmio: boolean;
  readonly bypassConfig: boolean;
}

export type Rules = Limits & Features;

/** What the driver must not map for an endpoint. */
export interface Reserved extends Range {
  /** VIRTIO_IOMMU_RESV_MEM_T_*. */
  readonly subtype: number;
}

export interface Mapping extends Range {
  readonly phys: number;
  readonly flags: number;
}

/** Where an endpoint is attached. */
export interface Domain {
  readonly id: number;
  readonly bypass: boolean;
}

export interface Entry extends Mapping {
  readonly domain: number;
}

/** Where an access goes, and the last address that goes the same way; or VIRTIO_IOMMU_FAULT_R_*. */
export type Translation =
  | { readonly fault: 1 | 2 }
  | { readonly phys: number; readonly last: number; readonly bypass: boolean };
