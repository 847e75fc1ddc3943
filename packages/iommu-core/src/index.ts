export type {
  BackendCapabilities,
  BackendComponents,
  BackendFactory,
  DomainMappings,
  MappingVisitor,
  TranslationBackend,
  TranslationResult,
} from './backend.ts';
export {
  TRANSLATION_FAILED,
  TRANSLATION_NO_DOMAIN,
  TRANSLATION_NO_MAPPING,
  TRANSLATION_OK,
} from './backend.ts';
export type { IommuCounters, RequestCounters } from './counters.ts';
export { VirtioIommuDevice } from './device.ts';
export type { IommuInjector, RequestVerdict } from './injector.ts';
export { joinObservers } from './join-observers.ts';
export type { AddressRange, Mapping } from './mappings/mapping.ts';
export {
  MappingTable,
  SELECTED_NONE,
  SELECTED_SPLIT,
  SELECTED_WHOLE,
} from './mappings/mapping-table.ts';
export type { IommuObserver, RequestRecord } from './observer.ts';
export type { EndpointOptions, VirtioIommuOptions } from './options.ts';
export type { ConfigExtension } from './protocol/config-extension.ts';
export {
  VIRTIO_ID_IOMMU,
  VIRTIO_IOMMU_ATTACH_F_BYPASS,
  VIRTIO_IOMMU_EVENT_QUEUE,
  VIRTIO_IOMMU_F_BYPASS_CONFIG,
  VIRTIO_IOMMU_F_DOMAIN_RANGE,
  VIRTIO_IOMMU_F_INPUT_RANGE,
  VIRTIO_IOMMU_F_MAP_UNMAP,
  VIRTIO_IOMMU_F_MMIO,
  VIRTIO_IOMMU_F_PROBE,
  VIRTIO_IOMMU_FAULT_F_ADDRESS,
  VIRTIO_IOMMU_FAULT_F_READ,
  VIRTIO_IOMMU_FAULT_F_WRITE,
  VIRTIO_IOMMU_FAULT_R_DOMAIN,
  VIRTIO_IOMMU_FAULT_R_MAPPING,
  VIRTIO_IOMMU_FAULT_R_UNKNOWN,
  VIRTIO_IOMMU_MAP_F_MMIO,
  VIRTIO_IOMMU_MAP_F_READ,
  VIRTIO_IOMMU_MAP_F_WRITE,
  VIRTIO_IOMMU_PROBE_T_RESV_MEM,
  VIRTIO_IOMMU_REQUEST_QUEUE,
  VIRTIO_IOMMU_RESV_MEM_T_MSI,
  VIRTIO_IOMMU_RESV_MEM_T_RESERVED,
  VIRTIO_IOMMU_S_DEVERR,
  VIRTIO_IOMMU_S_FAULT,
  VIRTIO_IOMMU_S_INVAL,
  VIRTIO_IOMMU_S_IOERR,
  VIRTIO_IOMMU_S_NOENT,
  VIRTIO_IOMMU_S_NOMEM,
  VIRTIO_IOMMU_S_OK,
  VIRTIO_IOMMU_S_RANGE,
  VIRTIO_IOMMU_S_UNSUPP,
  VIRTIO_IOMMU_T_ATTACH,
  VIRTIO_IOMMU_T_DETACH,
  VIRTIO_IOMMU_T_MAP,
  VIRTIO_IOMMU_T_PROBE,
  VIRTIO_IOMMU_T_UNMAP,
} from './protocol/constants.ts';
export type {
  DomainSnapshot,
  EndpointSnapshot,
  IommuSnapshot,
} from './snapshot/iommu-snapshot.ts';
export type { Attachment } from './state/attachment.ts';
export type { EndpointCounters } from './state/domain.ts';
export type { ReservedRegion } from './state/reserved-region.ts';
