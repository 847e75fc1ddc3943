import { createDescriptorChain } from '@viommu/virtqueue';
import { RecordingDevice } from '@viommu/virtqueue/testing';
import { expect, it } from 'vitest';
import { createPciDriverTransport } from '../driver/pci-driver-transport.ts';
import { RecordingHost } from '../testing/recording-host.ts';
import { createVirtioPciFunction } from './virtio-pci-function.ts';

/** Uses each buffer with the length of its writable part. */
class DrainDevice extends RecordingDevice {
  override notifyQueue(index: number): boolean {
    const queue = this.context?.queues[index];
    const chain = createDescriptorChain(4);
    while (queue?.pop(chain)) queue.pushUsed(chain.head, chain.writableLength);
    if (queue?.shouldInterrupt()) this.context?.interrupts.usedBuffer(index);
    return false;
  }
}

it('a buffer goes from the kick to the used ring and an interrupt', () => {
  const host = new RecordingHost();
  const pci = createVirtioPciFunction({ device: new DrainDevice() });
  pci.connect(host);
  const driver = createPciDriverTransport(pci);
  driver.writeStatus(0);
  driver.writeStatus(3);
  driver.writeDriverFeatures(1n << 32n);
  driver.writeStatus(0xb);
  driver.useMsix([0x40, 0x41, 0x42].map((data) => ({ address: 0xfee00000, data })));
  driver.enableQueue(1, {
    size: 4,
    descriptorArea: 0x1000,
    driverArea: 0x2000,
    deviceArea: 0x3000,
  });
  driver.writeStatus(0xf);

  const put = (address: number, ...bytes: number[]) =>
    expect(host.memory.write(address, Uint8Array.from(bytes), 0, bytes.length)).toBe(true);
  // Descriptor 2: address 0x5000, 0x180 bytes, VIRTQ_DESC_F_WRITE; then avail.ring[0] = 2, avail.idx = 1.
  put(0x1020, 0x00, 0x50, 0, 0, 0, 0, 0, 0, 0x80, 0x01, 0, 0, 2, 0, 0, 0);
  put(0x2004, 2, 0);
  put(0x2002, 1, 0);

  const used = new Uint8Array(12);
  const readUsed = () => host.memory.read(0x3000, used, 0, 12) && [...used.subarray(2)];
  driver.notifyQueue(1);
  expect(readUsed()).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(host.messages).toEqual([]);
  expect(pci.service()).toBe(false);
  expect(readUsed()).toEqual([1, 0, 2, 0, 0, 0, 0x80, 0x01, 0, 0]);
  expect(host.messages).toEqual([[2, 0xfee00000, 0x42]]);
});
