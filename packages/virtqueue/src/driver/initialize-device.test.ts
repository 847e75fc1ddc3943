/** What of the initialization no device of ours brings about; the rest is in transportSuite. */
import { expect, it } from 'vitest';
import type { DriverTransport } from './driver-transport.ts';
import { initializeDevice } from './initialize-device.ts';

it('gives up on a legacy device, and says so in its status', () => {
  const statuses: number[] = [];
  const transport = {
    readDeviceFeatures: () => 0xffff_ffffn,
    readStatus: () => statuses.at(-1) ?? 0,
    writeStatus: (status) => statuses.push(status),
  } satisfies Partial<DriverTransport>;
  expect(() =>
    initializeDevice(transport as unknown as DriverTransport, {
      features: 0n,
      setUpQueues: () => expect.unreachable(),
    }),
  ).toThrow(expect.objectContaining({ code: 'NO_VERSION_1' }));
  // ACKNOWLEDGE, DRIVER, then FAILED as well.
  expect(statuses).toEqual([0, 1, 3, 0x83]);
});
