/** Devices for the tests of this package: endpoints 8 and 9, and 10 with two reserved regions. */
import { VirtioIommuDevice } from '../device.ts';
import type { VirtioIommuOptions } from '../options.ts';
import { NaiveBackend } from './naive-backend.ts';
import { RequestDriver } from './request-driver.ts';

export interface TestDevice {
  readonly device: VirtioIommuDevice;
  readonly backend: NaiveBackend;
  readonly driver: RequestDriver;
}

/** @param features what the driver accepts */
export function createTestDevice(
  options: Partial<VirtioIommuOptions> = {},
  features?: bigint,
  backend = new NaiveBackend(),
): TestDevice {
  const device = new VirtioIommuDevice({
    backend: () => backend,
    endpoints: [
      { id: 8 },
      { id: 9 },
      {
        id: 10,
        reserved: [
          { subtype: 1, start: 0xfee0_0000, end: 0xfeef_ffff },
          { subtype: 0, start: 0x8_0000_0000, end: 0x8_0000_0fff },
        ],
      },
    ],
    ...options,
  });
  return { device, backend, driver: new RequestDriver(device, features) };
}
