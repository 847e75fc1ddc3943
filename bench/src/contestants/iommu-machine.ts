/** An IOMMU that a driver has brought up: the whole device behind its request queue, in the session that transports use. */
import { VIRTIO_IOMMU_REQUEST_QUEUE } from '@viommu/iommu-core';
import {
  DeviceSession,
  VIRTIO_CONFIG_S_ACKNOWLEDGE,
  VIRTIO_CONFIG_S_DRIVER,
  VIRTIO_CONFIG_S_DRIVER_OK,
  VIRTIO_CONFIG_S_FEATURES_OK,
  VIRTIO_F_EVENT_IDX,
  VIRTIO_F_INDIRECT_DESC,
  VIRTIO_F_VERSION_1,
  type VirtioDevice,
} from '@viommu/virtqueue/device';
import { BenchError } from '../bench-error.ts';
import { createIommu, type IommuSize, type IommuUnderTest } from './mappings.ts';
import { RequestDriver } from './request-driver.ts';
import { PAGE, physicalOf } from './residents.ts';
import {
  CHAINS,
  createRingMemory,
  DESCRIPTOR_AREA,
  DEVICE_AREA,
  DRIVER_AREA,
  QUEUE_SIZE,
} from './ring-memory.ts';

const RING_FEATURES = VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX;
const WORD = 0xffff_ffffn;

export class IommuMachine {
  readonly iommu: IommuUnderTest;
  readonly driver: RequestDriver;
  /** Interrupts that the driver got; it asks for one after the last request of a batch. */
  interrupts = 0;
  readonly #session: DeviceSession;

  /** @param maps slots for MAP requests, of 128; the others are for UNMAP */
  constructor(maps: number, size?: IommuSize) {
    const { buffer, memory } = createRingMemory(false);
    this.iommu = createIommu(size);
    this.driver = new RequestDriver(buffer, maps);
    this.#session = new DeviceSession({
      device: this.iommu.device,
      memory,
      interrupts: {
        usedBuffer: () => {
          this.interrupts += 1;
        },
        configChange: () => {
          throw new BenchError('the device needs a reset');
        },
      },
    });
    bringUp(this.#session, this.iommu.device);
    this.driver.attach(0);
    this.carryOut(1);
  }

  /** Has the requests in the first `count` slots carried out. */
  carryOut(count: number): void {
    this.driver.submit(count);
    this.#session.notify(VIRTIO_IOMMU_REQUEST_QUEUE);
    while (this.#session.service());
  }

  /** @throws BenchError when any request so far was not answered with VIRTIO_IOMMU_S_OK */
  checkAnswers(): void {
    const { requests, unanswered } = this.iommu.device.counters;
    const all = Object.values(requests);
    const failed = all.reduce((sum, { total, byStatus }) => sum + total - byStatus[0]!, unanswered);
    if (failed > 0) throw new BenchError(`${failed} requests failed`);
  }
}

/** "Device Initialization". */
function bringUp(session: DeviceSession, device: VirtioDevice): void {
  const features = device.deviceFeatures | RING_FEATURES;
  const found = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;
  session.writeStatus(found);
  session.writeDriverFeatures(0, Number(features & WORD));
  session.writeDriverFeatures(1, Number(features >> 32n));
  session.writeStatus(found | VIRTIO_CONFIG_S_FEATURES_OK);
  const queue = session.queue(VIRTIO_IOMMU_REQUEST_QUEUE)!;
  queue.size = QUEUE_SIZE;
  queue.writeAddress('descriptorArea', 0, DESCRIPTOR_AREA);
  queue.writeAddress('driverArea', 0, DRIVER_AREA);
  queue.writeAddress('deviceArea', 0, DEVICE_AREA);
  queue.enable();
  session.writeStatus(found | VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK);
}

/**
 * Maps pages of 4 KiB by requests.
 *
 * @param addressOf virtual address by index
 * @param slots those that are for MAP requests
 * @param frameOf physical address by virtual address
 */
export function mapPages(
  machine: IommuMachine,
  count: number,
  addressOf: (index: number) => number,
  slots: number,
  frameOf = physicalOf,
): void {
  for (let done = 0; done < count; done += slots) {
    const batch = Math.min(slots, count - done);
    for (let slot = 0; slot < batch; slot += 1) {
      const virtStart = addressOf(done + slot);
      machine.driver.map(slot, virtStart, virtStart + PAGE - 1, frameOf(virtStart));
    }
    machine.carryOut(batch);
  }
}

/** Unmaps pages by one request each; the readable part of a slot may be longer than what an UNMAP needs. */
export function unmapPages(
  machine: IommuMachine,
  count: number,
  addressOf: (index: number) => number,
): void {
  for (let done = 0; done < count; done += CHAINS) {
    const batch = Math.min(CHAINS, count - done);
    for (let slot = 0; slot < batch; slot += 1) {
      const virtStart = addressOf(done + slot);
      machine.driver.unmap(slot, virtStart, virtStart + PAGE - 1);
    }
    machine.carryOut(batch);
  }
}
