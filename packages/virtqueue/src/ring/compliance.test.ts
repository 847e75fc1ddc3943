/** The split ring by the suite of every virtqueue, on each kind of memory. */
import { SplitDriverQueue, splitQueueLayout } from '../driver/split-driver-queue.ts';
import { ArrayGuestMemory } from '../memory/array-guest-memory.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import { virtqueueSuite } from '../testing/virtqueue-suite.ts';
import { InvisibleGuestMemory, ScatteredGuestMemory } from '../testing/wrapped-memory.ts';
import { SplitVirtqueue } from './split-virtqueue.ts';

/** Of the ring; not of the buffers, which are nowhere: a queue does not look at them. */
const ADDRESS = 0x4000;

function suite(name: string, offset: number, wrap: (memory: GuestMemory) => GuestMemory): void {
  virtqueueSuite(name, ({ size, eventIdx }) => {
    const layout = splitQueueLayout(size);
    const buffer = new SharedArrayBuffer(layout.length + offset);
    const memory = new ArrayGuestMemory([{ base: ADDRESS, buffer, offset }]);
    const driver = new SplitDriverQueue({ size, memory, address: ADDRESS, eventIdx });
    const queue = new SplitVirtqueue({
      index: 3,
      size,
      memory: wrap(memory),
      descriptorArea: ADDRESS + layout.descriptorArea,
      driverArea: ADDRESS + layout.driverArea,
      deviceArea: ADDRESS + layout.deviceArea,
      indirect: false,
      eventIdx,
      onBroken: (reason) => {
        throw new Error(reason);
      },
    });
    return { queue, driver };
  });
}

suite('split', 0, (memory) => memory);
suite(
  'split, of which 20 bytes are seen at once',
  0,
  (memory) => new ScatteredGuestMemory(memory, 20),
);
suite('split, out of sight', 0, (memory) => new InvisibleGuestMemory(memory));
suite('split, in a buffer that is odd to it', 3, (memory) => memory);
