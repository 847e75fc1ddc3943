/** virtio-rng on a real ring. */
import { expect, it } from 'vitest';
import { Guest, UNTOUCHED } from '../fixtures/guest.ts';
import { fillRandom } from '../node/random.ts';
import { VirtioEntropyDevice } from './virtio-entropy-device.ts';

let next = 0;
const counting = () =>
  new VirtioEntropyDevice({
    fillRandom: (bytes) => {
      for (let index = 0; index < bytes.length; index += 1) bytes[index] = (next + index) & 0x7f;
      next += 1;
    },
  });

it('is a device of type 4, without configuration', () => {
  const { deviceId, configSize, queueMaxSizes } = counting();
  expect([deviceId, configSize, queueMaxSizes]).toEqual([4, 0, [64]]);
});

it.each([
  [1, []],
  [100, [1, 0, 50]],
  [4096, [1000, 1000]],
])('fills %d bytes, split into %j', (length, writable) => {
  next = 3;
  const { used, bytes } = new Guest(counting()).send(new Uint8Array(0), length, { writable });
  expect(used).toBe(length);
  expect(bytes).toEqual(Uint8Array.from({ length }, (_, index) => (3 + index) & 0x7f));
});

it('answers a part of what is too long, and leaves the rest alone', () => {
  const { used, bytes } = new Guest(counting()).send(new Uint8Array(0), 10_000);
  expect(used).toBe(4096);
  expect(bytes.subarray(4096).every((byte) => byte === UNTOUCHED)).toBe(true);
});

it('gives a buffer without room back', () => {
  expect(new Guest(counting()).send(new Uint8Array(8), 0).used).toBe(0);
});

it('gives each buffer bytes of its own', () => {
  const guest = new Guest(new VirtioEntropyDevice({ fillRandom }));
  const first = guest.send(new Uint8Array(0), 32).bytes;
  expect(guest.send(new Uint8Array(0), 32).bytes).not.toEqual(first);
});
