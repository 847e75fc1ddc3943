/** What of the initialization no device of ours brings about; the rest is in transportSuite. */
import { describe, expect, it } from 'vitest';
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

/** What a driver does, in its order; the device takes the features that it is told to take. */
function recorded(offered: bigint, taken = ~0n) {
  const steps: string[] = [];
  let status = 0;
  let accepted = 0n;
  const transport: DriverTransport = {
    deviceId: 1,
    queueCount: 1,
    transportFeatures: 1n << 39n,
    readStatus: () => status,
    writeStatus: (value) => {
      steps.push(`status ${value}`);
      const isRefused = (value & 8) !== 0 && (accepted & ~taken) !== 0n;
      status = isRefused ? value & ~8 : value;
    },
    readDeviceFeatures: () => {
      steps.push('read features');
      return offered;
    },
    writeDriverFeatures: (features) => {
      steps.push(`features 0x${features.toString(16)}`);
      accepted = features;
    },
    readConfigGeneration: () => 0,
    readConfig: () => 0,
    writeConfig: () => steps.push('write config'),
    queueMaxSize: () => 8,
    enableQueue: () => steps.push('enable queue'),
    resetQueue: () => steps.push('reset queue'),
    notifyQueue: () => steps.push('kick'),
  };
  const bringUp = (features: bigint) =>
    initializeDevice(transport, {
      features,
      setUpQueues: (agreed) => {
        steps.push(`queues 0x${agreed.toString(16)}`);
        transport.enableQueue(0, { size: 8, descriptorArea: 0, driverArea: 0, deviceArea: 0 });
      },
    });
  return { steps, bringUp };
}

describe('the sequence of the standard', () => {
  it('is: reset, ACKNOWLEDGE, DRIVER, features, FEATURES_OK, queues, DRIVER_OK; and nothing in between', () => {
    const { steps, bringUp } = recorded(0x1_0000_0005n);
    expect(bringUp(5n)).toBe(0x1_0000_0005n);
    expect(steps).toEqual([
      ...['status 0', 'status 1', 'status 3', 'read features', 'features 0x100000005', 'status 11'],
      ...['queues 0x100000005', 'enable queue', 'status 15'],
    ]);
  });

  it('accepts nothing that is not offered, and nothing that the driver does not know; VERSION_1 always', () => {
    // Offered are bits 0, 1, 20, 32, 37 and 63; known are 0, 2 and 39.
    const offered = 3n | (1n << 20n) | (1n << 32n) | (1n << 37n) | (1n << 63n);
    expect(recorded(offered).bringUp(5n)).toBe(0x1_0000_0001n);
    expect(recorded(1n << 32n).bringUp(0n)).toBe(1n << 32n);
    expect(recorded((1n << 32n) | (1n << 39n)).bringUp(0n)).toBe((1n << 32n) | (1n << 39n));
  });

  it('ends in FAILED when the features are refused, and begins with a reset the next time', () => {
    const { steps, bringUp } = recorded(0x1_0000_0005n, 0x1_0000_0001n);
    expect(() => bringUp(5n)).toThrow(expect.objectContaining({ code: 'FEATURES_REFUSED' }));
    expect(steps.slice(-2)).toEqual(['status 11', 'status 131']);
    steps.length = 0;
    expect(bringUp(1n)).toBe(0x1_0000_0001n);
    expect(steps[0]).toBe('status 0');
    expect(steps.at(-1)).toBe('status 15');
  });
});
