/** Our devices by the black-box suite of rings, over PCI and over MMIO, split and packed. */
import {
  MemoryDisk,
  type NetBackend,
  VirtioBlockDevice,
  VirtioEntropyDevice,
  VirtioNetDevice,
} from '@viommu/devices';
import { VirtioIommuDevice } from '@viommu/iommu-core';
import { simBackend } from '@viommu/pviommu-sim';
import type { VirtioDevice } from '@viommu/virtqueue/device';
import { deviceRingSuite, type HarmlessRequest } from '@viommu/virtqueue/testing';
import { overMmio, overPci } from './fixtures/own-device.ts';

/** A network that takes every frame, and has none. */
const quietNetwork = (): NetBackend => {
  const bytes = new Uint8Array(9014);
  return {
    ...{ largestFrame: bytes.length, linkUp: true, canSend: true },
    ...{ listen() {}, commit() {}, flush() {} },
    receive: () => false,
    reserve: (length, frame) => void Object.assign(frame, { bytes, offset: 0, length }),
  };
};

const zeroes = (count: number) => new Array<number>(count).fill(0);

const DEVICES: readonly [name: string, create: () => VirtioDevice, request: HarmlessRequest][] = [
  [
    'virtio-iommu',
    () => new VirtioIommuDevice({ backend: simBackend(), endpoints: [{ id: 8 }] }),
    // DETACH of an endpoint that is in no domain: INVAL.
    {
      queue: 0,
      readable: [2, 0, 0, 0, ...zeroes(4), 8, 0, 0, 0, ...zeroes(8)],
      writable: 4,
      usedLength: 4,
      isAnswer: ([status, ...reserved]) => status === 4 && reserved.every((byte) => byte === 0),
    },
  ],
  [
    'virtio-rng',
    () => new VirtioEntropyDevice({ fillRandom: (bytes) => bytes.fill(7) }),
    {
      queue: 0,
      readable: [],
      writable: 16,
      usedLength: 16,
      isAnswer: (bytes) => bytes.every((byte) => byte === 7),
    },
  ],
  [
    'virtio-blk',
    () => new VirtioBlockDevice({ disk: new MemoryDisk(new Uint8Array(8 * 512).fill(5)) }),
    // VIRTIO_BLK_T_IN of sector 1.
    {
      queue: 0,
      readable: [...zeroes(8), 1, ...zeroes(7)],
      writable: 513,
      usedLength: 513,
      isAnswer: (bytes) => bytes.every((byte, index) => byte === (index < 512 ? 5 : 0)),
    },
  ],
  [
    'virtio-net',
    () => new VirtioNetDevice({ backend: quietNetwork(), mac: Uint8Array.of(2, 0, 0, 0, 0, 1) }),
    // A frame to be sent, behind its struct virtio_net_hdr.
    { queue: 1, readable: [...zeroes(12), ...zeroes(60)], writable: 0, usedLength: 0 },
  ],
];

for (const [name, createDevice, harmlessRequest] of DEVICES) {
  for (const [bus, adapter] of [
    ['PCI', overPci],
    ['MMIO', overMmio],
  ] as const) {
    const create = () => adapter(createDevice);
    const subject = { create, harmlessRequest, onBrokenRing: 'needs reset' } as const;
    deviceRingSuite(`${name} over ${bus}`, subject);
  }
}
