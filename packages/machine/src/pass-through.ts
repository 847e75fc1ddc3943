/** The host's side of a pass-through: the hardware, the host's IOMMU and VFIO, and the VMM's memory slots, wired. */
import { DmaEngineFunction } from '@viommu/devices';
import type { BackendFactory, Mapping } from '@viommu/iommu-core';
import {
  HostMemory,
  MemorySlots,
  nestedBackend,
  type PassedThrough,
  PhysicalIommu,
  type SimBackendOptions,
  SlotMirror,
} from '@viommu/pviommu-sim';
import { VfioContainer } from '@viommu/vfio';
import type { GuestMemory } from '@viommu/virtqueue';

/** What there is to see of it, by the endpoint's ID in the guest. Ends are inclusive. */
export interface PassThroughObserver {
  /** Step 1c: the host maps a run of the VMM's memory for a device. */
  hostMapped?(
    endpoint: number,
    iova: number,
    iovaEnd: number,
    userAddress: number,
    hostPhysical: number,
  ): void;
  hostUnmapped?(endpoint: number, iova: number, iovaEnd: number): void;
  /** Step 2a: the device is told to copy. */
  started?(endpoint: number, source: number, destination: number, length: number): void;
}

export interface PassThroughOptions {
  /** IDs in the guest of the engines that are passed through. */
  readonly endpoints: readonly number[];
  /** Bytes of host memory that are contiguous. */
  readonly frameSize: number;
  readonly stage1?: SimBackendOptions;
  readonly observer?: PassThroughObserver;
}

export interface PassThrough {
  /** For the virtio-iommu that the endpoints are behind. */
  readonly backend: BackendFactory;
  /** Host-physical memory. */
  readonly host: HostMemory;
  /** IDs in the guest of the engines. */
  readonly endpoints: readonly number[];
  /** Stage 2. The memory that the bus gives to the engines is in it already. */
  readonly slots: MemorySlots;
  /** What the physical IOMMU has where an endpoint accesses an address, to look at; `physStart` is host-physical. */
  mappingAt(endpoint: number, address: number): Mapping | undefined;
  /**
   * The engine of an endpoint, as hardware that the VMM shows to the guest.
   *
   * @param dmaView makes the endpoint's view of host-physical memory
   */
  createEngine(
    endpoint: number,
    dmaView: (endpoint: number, host: GuestMemory) => GuestMemory,
  ): DmaEngineFunction;
}

/** On the host's bus the engines are at 03:00.0, 04:00.0 and so on. */
const FIRST_HOST_ENDPOINT = 0x0300;
const HOST_ENDPOINT_STEP = 0x0100;

export function createPassThrough(options: PassThroughOptions): PassThrough {
  const { endpoints, frameSize, observer } = options;
  const host = new HostMemory({ frameSize });
  const physical = new PhysicalIommu();
  const slots = new MemorySlots();
  const mirror = new SlotMirror(slots, host);
  const devices = endpoints.map((endpoint, index): [number, PassedThrough] => {
    const hostEndpoint = FIRST_HOST_ENDPOINT + index * HOST_ENDPOINT_STEP;
    const container = new VfioContainer({
      iommu: physical.createAddressSpace(),
      userMemory: host,
      observer: {
        mapped: (...run) => observer?.hostMapped?.(endpoint, ...run),
        unmapped: (...range) => observer?.hostUnmapped?.(endpoint, ...range),
      },
    });
    container.attachGroup({ endpoints: [hostEndpoint] });
    return [endpoint, { hostEndpoint, container }];
  });
  const passedThrough = new Map(devices);
  return {
    backend: nestedBackend({
      slots,
      physical,
      passedThrough: (endpoint) => passedThrough.get(endpoint),
      ...(options.stage1 === undefined ? {} : { stage1: options.stage1 }),
    }),
    host,
    endpoints,
    slots,
    mappingAt: (endpoint, address) => {
      const hostEndpoint = passedThrough.get(endpoint)?.hostEndpoint;
      return hostEndpoint === undefined ? undefined : physical.mappingAt(hostEndpoint, address);
    },
    createEngine: (endpoint, dmaView) =>
      new DmaEngineFunction({
        memory: () => dmaView(endpoint, host),
        // All engines are shown the same guest memory, so the first one's is enough.
        ...(endpoint === endpoints[0] ? { onMemory: (memory) => mirror.update(memory) } : {}),
        onStart: (...copy) => observer?.started?.(endpoint, ...copy),
      }),
  };
}
