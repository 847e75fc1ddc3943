/** discoverTopology: asks an IOMMU itself which devices are behind it, before its driver binds. */
import { type EndpointRange, readInDevice } from '@viommu/viot';
import { VIRTIO_CONFIG_S_ACKNOWLEDGE, VIRTIO_CONFIG_S_DRIVER } from '@viommu/virtqueue/device';
import type { DriverTransport } from '@viommu/virtqueue/driver';
import { checkIsIommu } from './check-is-iommu.ts';

/** Where the platform has agreed that IOMMUs tell their topology; the standard knows nothing of it. */
export interface InDeviceTopology {
  /** Number of the feature bit that says it is there. */
  readonly feature: number;
  /** Of its head in the configuration, in bytes. */
  readonly offset: number;
}

/** As far as a configuration can be: the head has 16 bits for the place of the items. */
const CONFIG_SIZE_MAX = 0x10000;

/**
 * Reads the topology as a guest with neither ACPI nor a device tree does: resets the device, sets ACKNOWLEDGE and DRIVER,
 * looks for the feature bit, reads, and resets the device again, whatever comes. No feature is accepted and no queue is
 * needed, so the IOMMU's driver and those of the devices behind it can start afterwards.
 *
 * @returns the endpoints, all with IOMMU 0, which is this device; undefined when it does not offer the feature
 * @throws VirtioError `NOT_AN_IOMMU`, and what the transport throws
 * @throws ViotError when what the device says is malformed: then nothing of it holds
 */
export function discoverTopology(
  transport: DriverTransport,
  { feature, offset }: InDeviceTopology,
): EndpointRange[] | undefined {
  checkIsIommu(transport);
  transport.writeStatus(0);
  try {
    transport.writeStatus(VIRTIO_CONFIG_S_ACKNOWLEDGE);
    transport.writeStatus(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
    if (((transport.readDeviceFeatures() >> BigInt(feature)) & 1n) === 0n) return undefined;
    const source = {
      size: transport.configSize ?? CONFIG_SIZE_MAX,
      read: (at: number, width: 1 | 2 | 4) => transport.readConfig(at, width),
    };
    return readInDevice(source, offset);
  } finally {
    transport.writeStatus(0);
  }
}
