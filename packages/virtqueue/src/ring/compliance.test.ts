/** Both layouts by the suite of every virtqueue, on each kind of memory. */
import { createDriverQueue, driverQueueLength } from '../driver/create-driver-queue.ts';
import { ArrayGuestMemory } from '../memory/array-guest-memory.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import { virtqueueSuite } from '../testing/virtqueue-suite.ts';
import { InvisibleGuestMemory, ScatteredGuestMemory } from '../testing/wrapped-memory.ts';
import { PackedVirtqueue } from './packed-virtqueue.ts';
import { SplitVirtqueue } from './split-virtqueue.ts';

/** Of the ring and of an indirect table; not of the buffers, which are nowhere: a queue does not look at them. */
const ADDRESS = 0x4000;
const TABLE_LENGTH = 128;
/** VIRTIO_F_INDIRECT_DESC, VIRTIO_F_EVENT_IDX, VIRTIO_F_RING_PACKED. */
const [INDIRECT_DESC, EVENT_IDX, PACKED] = [1n << 28n, 1n << 29n, 1n << 34n];

function suite(
  name: string,
  offset: number,
  wrap: (memory: GuestMemory) => GuestMemory,
  allocate: (length: number) => ArrayBufferLike = (length) => new SharedArrayBuffer(length),
): void {
  for (const packed of [false, true]) {
    virtqueueSuite(`${packed ? 'packed' : 'split'}${name}`, ({ size, eventIdx }) => {
      const features = INDIRECT_DESC | (eventIdx ? EVENT_IDX : 0n) | (packed ? PACKED : 0n);
      const length = Math.ceil(driverQueueLength(features, size) / 16) * 16;
      const buffer = allocate(length + TABLE_LENGTH + offset);
      // What was there before the driver cleared it.
      new Uint8Array(buffer).fill(0xee);
      const memory = new ArrayGuestMemory([{ base: ADDRESS, buffer, offset }]);
      const driver = createDriverQueue({ features, size, memory, address: ADDRESS });
      const table = { address: ADDRESS + length, deviceAddress: ADDRESS + length };
      const queue = new (packed ? PackedVirtqueue : SplitVirtqueue)({
        index: 3,
        memory: wrap(memory),
        ...driver.addresses,
        indirect: true,
        eventIdx,
        onBroken: (reason) => {
          throw new Error(reason);
        },
      });
      return { queue, driver, table };
    });
  }
}

suite('', 0, (memory) => memory);
suite(', of which 20 bytes are seen at once', 0, (memory) => new ScatteredGuestMemory(memory, 20));
suite(', out of sight', 0, (memory) => new InvisibleGuestMemory(memory));
suite(', in a buffer that is odd to it', 3, (memory) => memory);
suite(
  ', without barriers',
  0,
  (memory) => memory,
  (length) => new ArrayBuffer(length),
);
