/** Any frames into any buffers: each arrives whole and in order, or is dropped, and every buffer is used once. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MRG_RXBUF, NetGuest, VERSION_1, withHeader } from '../fixtures/net-guest.ts';
import { testFrame } from '../testing/net-backend-suite.ts';

const buffer = fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 3 });
const step = fc.oneof(
  fc.record({ frame: fc.integer({ min: 14, max: 3000 }) }),
  fc.record({ buffers: fc.array(buffer, { minLength: 1, maxLength: 4 }) }),
);

/** VIRTIO_F_RING_PACKED. */
const RING_PACKED = 1n << 34n;

it.each([
  [true, 0n],
  [false, 0n],
  [true, RING_PACKED],
  [false, RING_PACKED],
])('mergeable: %s, with feature mask %s', (mergeable, layout) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const features = VERSION_1 | layout | (mergeable ? MRG_RXBUF : 0n);
      const guest = new NetGuest({ features });
      const frames: Uint8Array[] = [];
      const used: Uint8Array[] = [];
      let given = 0;
      for (const each of steps) {
        if ('frame' in each) {
          const frame = testFrame(each.frame, frames.length);
          frames.push(frame);
          guest.backend.deliver(frame);
          guest.work();
        } else {
          const descriptors = each.buffers.reduce((sum, { length }) => sum + length, 0);
          if (given + each.buffers.length > 200 || descriptors > guest.freeDescriptors) continue;
          given += each.buffers.length;
          guest.giveBuffers(...each.buffers);
        }
        used.push(...guest.usedBuffers());
      }
      const arrived = packetsOf(used);
      const { receivedFrames, receiveDrops } = guest.device.counters;
      expect(arrived.length).toBe(receivedFrames);
      let next = 0;
      for (const packet of arrived) {
        const found = frames.findIndex(
          (frame, index) =>
            index >= next &&
            Buffer.compare(packet.subarray(12), frame) === 0 &&
            Buffer.compare(packet.subarray(0, 10), withHeader(frame).subarray(0, 10)) === 0,
        );
        expect(found).toBeGreaterThanOrEqual(next);
        next = found + 1;
      }
      const waiting = frames.length - receivedFrames - receiveDrops;
      expect(
        waiting === guest.backend.incoming.length || waiting === guest.backend.incoming.length + 1,
      ).toBe(true);
    }),
    { numRuns: 150 },
  );
});

/** Puts packets together by `num_buffers`; buffers of frames that were dropped are empty. */
function packetsOf(buffers: readonly Uint8Array[]): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let index = 0; index < buffers.length; ) {
    const first = buffers[index]!;
    if (first.length === 0) {
      index += 1;
      continue;
    }
    const count = first[10]! + 256 * first[11]!;
    packets.push(new Uint8Array(Buffer.concat(buffers.slice(index, index + count))));
    index += count;
  }
  return packets;
}
