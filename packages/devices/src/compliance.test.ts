/** The devices of this package by the suite of every virtio device. */
import { virtioDeviceSuite } from '@viommu/virtqueue/testing';
import { expect, it } from 'vitest';
import { MemoryDisk } from './block/memory-disk.ts';
import { VirtioBlockDevice } from './block/virtio-block-device.ts';
import { VirtioEntropyDevice } from './entropy/virtio-entropy-device.ts';
import { ScriptedNetBackend } from './fixtures/scripted-net-backend.ts';
import { VirtioNetDevice } from './net/virtio-net-device.ts';
import { fillRandom } from './node/random.ts';

const sectors = () => new Uint8Array(64 * 512);

virtioDeviceSuite('virtio-blk', () => new VirtioBlockDevice({ disk: new MemoryDisk(sectors()) }));
virtioDeviceSuite('virtio-blk, read only', () => {
  return new VirtioBlockDevice({ disk: new MemoryDisk(sectors(), { readOnly: true }) });
});
virtioDeviceSuite('virtio-rng', () => new VirtioEntropyDevice({ fillRandom }));

const network = (prepare: (backend: ScriptedNetBackend) => void = () => {}) => {
  const backend = new ScriptedNetBackend();
  prepare(backend);
  return new VirtioNetDevice({ backend, mac: Uint8Array.of(2, 0, 0, 0, 0, 1) });
};
virtioDeviceSuite('virtio-net', network);
virtioDeviceSuite('virtio-net, flooded', () =>
  network((backend) => {
    backend.incoming.push(...Array.from({ length: 200 }, () => new Uint8Array(60)));
  }),
);
virtioDeviceSuite('virtio-net without a link', () =>
  network((backend) => {
    backend.linkUp = false;
  }),
);

it('each can be put behind an IOMMU: it offers VIRTIO_F_ACCESS_PLATFORM', () => {
  const disk = new VirtioBlockDevice({ disk: new MemoryDisk(sectors()) });
  const rng = new VirtioEntropyDevice({ fillRandom });
  for (const { deviceFeatures } of [disk, rng, network()]) {
    expect(deviceFeatures & 0x2_0000_0000n).toBe(0x2_0000_0000n);
  }
});
